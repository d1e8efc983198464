//! `jodo-worker`: takes events from RabbitMQ and commits them to the ERP database.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use jodo_shared::broker::Consumer;
use jodo_shared::broker::amqp::{AmqpConsumer, prefetch_for};
use jodo_shared::config::{Config, Needs};
use jodo_shared::lifecycle::{Exit, Shutdown, Signals, run_program};
use jodo_shared::private_http::{self, check_health};
use jodo_shared::telemetry;
use jodo_shared::traces::Traces;
use jodo_worker::dead_letters::watch_dead_letters;
use jodo_worker::run;

/// Takes less processor time than the C library's: docs/decisions/0043.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(version, about = "Takes Jodo's events from RabbitMQ and commits them to the ERP database")]
struct Arguments {
    /// Configuration file; the environment overrides it.
    #[arg(long, env = "JODO_SYNC_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Ask the one that runs here whether it can do its work: exit code 0 if so, else 1 with the reasons
    Healthcheck,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let needs = if arguments.command.is_some() { Needs::HealthCheck } else { Needs::Worker };
    let config = match Config::load_from(arguments.config.as_deref(), needs) {
        Ok(config) => config,
        Err(errors) => {
            eprintln!("jodo-worker cannot start:\n{errors}");
            return ExitCode::from(2);
        }
    };
    match arguments.command {
        Some(Command::Healthcheck) => check_health(config.worker.private_listen),
        None => run_program(serve(config)),
    }
}

async fn serve(config: Config) -> anyhow::Result<Exit> {
    let signals = Signals::install()?;
    telemetry::init(&config.log)?;
    let metrics = telemetry::install_metrics()?;
    let traces = Traces::start(&config.traces, "jodo-worker")?;
    let shutdown = Shutdown::new();
    let broker = config.broker.as_ref().context("broker.url is not configured")?;
    let targets = run::start(&config, &traces, &shutdown, |target| -> Box<dyn Consumer> {
        let prefetch = prefetch_for(&run::limits(&config, target));
        Box::new(AmqpConsumer::new(broker.url.clone(), target.clone(), prefetch, shutdown.token()))
    })?;
    let names = run::worked_for(&config).into_iter().cloned().collect();
    let watch = watch_dead_letters(broker.url.clone(), names, shutdown.token());
    shutdown.spawn("dead letters", run::endless(watch));
    let readiness = move || run::readiness(&targets);
    let listen = config.worker.private_listen;
    let (address, server) = private_http::bind(listen, readiness, metrics)
        .with_context(|| format!("worker.private_listen: cannot listen on {listen}"))?;
    tokio::spawn(server);
    tracing::info!(listen.private = %address, "jodo-worker started");
    let ended = shutdown.run(signals, config.worker.drain).await;
    traces.close().await;
    Ok(ended)
}
