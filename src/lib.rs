//! What the program `jodo-sync` is made of: everything in one process, and the commands that operators give.
//!
//! [`one_program`] puts ingress and worker together for a small school.
//! [`cli`] is the command line; each command is a module of [`commands`], a function from its arguments and the
//! configuration to lines of text and an [`Exit`]. The commands look, send, and say what people decide: what changes the
//! ERP database is in `jodo-worker`, and what takes deliveries in is in `jodo-ingress`.

use std::io::Write;

use anyhow::bail;
use jodo_shared::config::{Config, ConfigErrors, Needs};
use jodo_shared::lifecycle;

pub mod cli;
pub mod commands;
mod exit;
mod ingress_says;
mod json_text;
pub mod one_program;
mod queues;
mod samples;
mod signature;
mod targets;
mod waiting;
mod wording;

pub use exit::Exit;

use cli::{Cli, Command};
use one_program::DataDir;

/// Runs everything in one process until a signal.
///
/// # Errors
/// Why it cannot start.
pub async fn serve(cli: &Cli) -> anyhow::Result<lifecycle::Exit> {
    one_program::serve(&DataDir::at(&cli.data_dir), cli.config.as_deref(), cli.listen).await
}

/// Runs the command, and prints what it has to say to `out`.
///
/// # Errors
/// Why the command could not do what was asked, in one line that names the key, file or database concerned.
/// [`Command::exit_on_error`] is the exit code then.
pub async fn run(cli: &Cli, command: &Command, out: &mut dyn Write) -> anyhow::Result<Exit> {
    use_ring();
    run_command(command, |needs| installation(cli, needs), out).await.map_err(|error| match &cli.config {
        Some(path) if error.is::<ConfigErrors>() => error.context(format!("--config {}", path.display())),
        _ => error,
    })
}

async fn run_command(
    command: &Command,
    installation: impl Fn(Needs) -> anyhow::Result<Installation>,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let load = |needs| Ok(installation(needs)?.config);
    match command {
        Command::Check => {
            let data = installation(Needs::Nothing)?.data;
            commands::check::run(load, data.as_ref(), out).await
        }
        Command::Migrate(args) => commands::migrate::run(args, &load(Needs::Operator)?, out).await,
        Command::Events(args) => commands::events::run(args, &load(Needs::Operator)?, out).await,
        Command::Explain(args) => commands::explain::run(args, &load(Needs::Operator)?, out).await,
        Command::Retry(args) => commands::retry::run(args, &load(Needs::Operator)?, out).await,
        Command::Discard(args) => commands::discard::run(args, &load(Needs::Operator)?, out).await,
        Command::Import(args) => commands::import::run(args, &load(Needs::Operator)?, out).await,
        Command::Unverified(args) => commands::unverified::run(args, &load(Needs::Operator)?, out).await,
        Command::Dead(args) => {
            let Installation { config, data } = installation(Needs::Operator)?;
            commands::dead::run(args, &config, data.is_some(), out).await
        }
        Command::Send(args) => commands::send::run(args, &load(Needs::Nothing)?, out).await,
        Command::Sign(args) => commands::sign::run(args, &load(Needs::Nothing)?, out),
        Command::Simulate(args) => commands::simulate::run(args, &load(Needs::Nothing)?, out).await,
        Command::Dump(args) => commands::dump::run(args, &load(Needs::Operator)?, out).await,
        Command::Backup(args) => {
            let Installation { config, data } = installation(Needs::Nothing)?;
            commands::backup::run(args, &config, data.as_ref(), out).await
        }
        Command::Recover(args) => {
            let Installation { config, data } = installation(Needs::Operator)?;
            commands::recover::run(args, &config, data.as_ref(), out).await
        }
        Command::Pause(args) => {
            let Installation { config, data } = installation(Needs::Operator)?;
            commands::pause::run(args, &config, data.is_some(), out).await
        }
        Command::Rebuild(args) => commands::rebuild::run(args, &load(Needs::Operator)?, out).await,
        Command::Retention(args) => commands::retention::run(args, &load(Needs::Operator)?, out).await,
        Command::Resume(args) => commands::resume::run(args, &load(Needs::Operator)?, out).await,
        Command::Status(args) => {
            let Installation { config, data } = installation(Needs::Operator)?;
            commands::status::run(args, &config, data.is_some(), out).await
        }
    }
}

/// What a command looks at.
struct Installation {
    config: Config,
    /// The folder of the one program; `None` in a cluster.
    data: Option<DataDir>,
}

/// A cluster where there is a broker, else the one program in the data folder, else just what is configured.
fn installation(cli: &Cli, needs: Needs) -> anyhow::Result<Installation> {
    let file = cli.config.as_deref();
    let data = DataDir::at(&cli.data_dir);
    let own_file = data.config_file(file);
    let configured = Config::load_over("", own_file.as_deref(), Needs::Nothing)?;
    if data.is_in_use() && configured.broker.is_none() {
        return Ok(Installation { config: data.config(file)?, data: Some(data) });
    }
    if needs == Needs::Operator && configured.broker.is_none() && configured.erp.is_empty() {
        bail!(
            "nothing is configured, and jodo-sync has not run with the data folder {}: go to the folder that it runs \
             in, or name its data folder with --data-dir",
            data.path().display()
        );
    }
    Ok(Installation { config: Config::load_over("", file, needs)?, data: None })
}

/// Makes ring the process's TLS cryptography; some of the clients have none of their own.
fn use_ring() {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("the process has chosen its TLS cryptography before");
    }
}
