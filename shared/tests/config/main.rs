//! Configuration: what is read from where, and that every mistake names its key and shows no value.

mod mistakes;
mod reading;

use jodo_shared::config::{Config, ConfigErrors, Needs};

type Variables<'a> = &'a [(&'a str, &'a str)];

fn read(needs: Needs, file: &str, environment: Variables<'_>) -> Result<Config, ConfigErrors> {
    Config::from_parts(needs, Some(file), environment.iter().copied())
}
