//! `jodo-sync`: everything in one process, and the operators' commands.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use jodo_shared::config::{Log, LogFormat};
use jodo_shared::lifecycle::run_program;
use jodo_shared::telemetry;
use jodo_sync::cli::{Cli, Command};
use jodo_sync::{Exit, run, serve};

/// Takes less processor time than the C library's: docs/decisions/0043.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a connection that fails has to say is in the command's own words already.
const LOG_FILTER: &str = "warn,lapin=off";

fn main() -> ExitCode {
    let cli = Cli::parse();
    let Some(command) = &cli.command else { return run_program(serve(&cli)) };
    let log = Log { filter: LOG_FILTER.to_owned(), format: LogFormat::Readable };
    if let Err(error) = telemetry::init(&log) {
        return failed(&error.into(), Exit::Wrong);
    }
    // Migrations block a thread of their own, so there must be more than one.
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into(), Exit::Wrong),
    };
    let on_error = Command::exit_on_error(command);
    let mut out = io::stdout().lock();
    let ended = runtime.block_on(run(&cli, command, &mut out));
    // A server that was given up on may still hold a thread.
    runtime.shutdown_background();
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
