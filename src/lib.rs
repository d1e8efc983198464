//! What the program `jodo-sync` is made of: the commands that operators give.
//!
//! [`cli`] is the command line; each command is a module of [`commands`], a function from its arguments and the
//! configuration to lines of text and an [`Exit`]. The commands only look and send: what changes the ERP database is
//! in `jodo-worker`, and what takes deliveries in is in `jodo-ingress`.

use std::io::Write;

use jodo_shared::config::{Config, ConfigErrors, Needs};

pub mod cli;
pub mod commands;
mod exit;
mod json_text;
mod queues;
mod samples;
mod signature;
mod targets;
mod wording;

pub use exit::Exit;

use cli::{Cli, Command};

/// Runs the command, and prints what it has to say to `out`. `None` when there is no command.
///
/// # Errors
/// Why the command could not do what was asked, in one line that names the key, file or database concerned.
/// [`Command::exit_on_error`] is the exit code then.
pub async fn run(cli: &Cli, out: &mut dyn Write) -> Option<anyhow::Result<Exit>> {
    use_ring();
    let command = cli.command.as_ref()?;
    let ended = run_command(command, |needs| load(cli, needs), out).await;
    Some(ended.map_err(|error| match &cli.config {
        Some(path) if error.is::<ConfigErrors>() => error.context(format!("--config {}", path.display())),
        _ => error,
    }))
}

async fn run_command(
    command: &Command,
    load: impl Fn(Needs) -> Result<Config, ConfigErrors>,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    match command {
        Command::Check => commands::check::run(load, out).await,
        Command::Migrate(args) => commands::migrate::run(args, &load(Needs::Operator)?, out).await,
        Command::Events(args) => commands::events::run(args, &load(Needs::Operator)?, out).await,
        Command::Send(args) => commands::send::run(args, &load(Needs::Nothing)?, out).await,
        Command::Sign(args) => commands::sign::run(args, &load(Needs::Nothing)?, out),
        Command::Dump(args) => commands::dump::run(args, &load(Needs::Operator)?, out).await,
        Command::Status(args) => commands::status::run(args, &load(Needs::Operator)?, out).await,
    }
}

fn load(cli: &Cli, needs: Needs) -> Result<Config, ConfigErrors> {
    match &cli.config {
        Some(path) => Config::load_from(Some(path), needs),
        None => Config::load(needs),
    }
}

/// Makes ring the process's TLS cryptography; some of the clients have none of their own.
fn use_ring() {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("the process has chosen its TLS cryptography before");
    }
}
