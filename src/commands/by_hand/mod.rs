//! What the commands have in common that change events by hand: which events, who does it, and what would be done.

use std::env;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use jodo_shared::clock::now;
use jodo_worker::store::operate::Deed;

mod day;
pub(crate) mod preview;
pub(crate) mod select;

/// Variables in which systems name the person who is logged in.
const LOGIN_NAMES: [&str; 3] = ["USER", "LOGNAME", "USERNAME"];

/// The last line of every trial run.
pub(crate) const NOTHING_CHANGED: &str = "This was a dry run: nothing has changed.";

/// Who does it.
#[derive(Debug, Args)]
pub struct ByArgs {
    /// Your name, for the history [default: your login name and this machine's]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub by: Option<String>,
}

impl ByArgs {
    /// What the history will say.
    pub(crate) fn deed(&self, reason: Option<&str>) -> Deed {
        Deed { who: self.who(), at: now(), reason: reason.map(str::to_owned) }
    }

    /// The name.
    pub(crate) fn who(&self) -> String {
        self.by.clone().unwrap_or_else(login)
    }
}

/// The person who is logged in and the machine; there is always something to say.
fn login() -> String {
    let named = LOGIN_NAMES.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    let host = gethostname::gethostname();
    format!("{}@{}", named.as_deref().unwrap_or("somebody"), host.to_string_lossy())
}
