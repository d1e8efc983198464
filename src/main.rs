//! `jodo-sync`: the operators' program.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use jodo_shared::config::{Log, LogFormat};
use jodo_shared::telemetry;
use jodo_sync::cli::{Cli, Command};
use jodo_sync::{Exit, run};

/// What a connection that fails has to say is in the command's own words already.
const LOG_FILTER: &str = "warn,lapin=off";

fn main() -> ExitCode {
    let cli = Cli::parse();
    let log = Log { filter: LOG_FILTER.to_owned(), format: LogFormat::Readable };
    if let Err(error) = telemetry::init(&log) {
        return failed(&error.into(), Exit::Wrong);
    }
    // Migrations block a thread of their own, so there must be more than one.
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into(), Exit::Wrong),
    };
    let on_error = cli.command.as_ref().map_or(Exit::Wrong, Command::exit_on_error);
    let mut out = io::stdout().lock();
    let ended = runtime.block_on(run(&cli, &mut out));
    // A server that was given up on may still hold a thread.
    runtime.shutdown_background();
    let Some(ended) = ended else { return without_a_command() };
    let ended = ended.and_then(|exit| Ok(out.flush().map(|()| exit)?));
    match ended {
        Ok(exit) => exit.into(),
        // Whoever read it has seen enough: `jodo-sync dump --canonical | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => failed(&error, on_error),
    }
}

fn failed(error: &anyhow::Error, exit: Exit) -> ExitCode {
    eprintln!("jodo-sync: {error:#}");
    exit.into()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn without_a_command() -> ExitCode {
    eprintln!("{}", Cli::command().render_help());
    eprintln!("jodo-sync needs a command; running everything in one process is not part of this version.");
    Exit::CannotTell.into()
}
