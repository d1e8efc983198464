//! `jodo-ingress`: takes Jodo's deliveries and puts them into RabbitMQ.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use jodo_ingress::spooling::{SpoolPlace, SpoolingPublisher};
use jodo_ingress::{serve, serve_private};
use jodo_shared::broker::Publisher;
use jodo_shared::broker::amqp::AmqpPublisher;
use jodo_shared::config::{Broker, Config, Needs};
use jodo_shared::ids::TargetName;
use jodo_shared::lifecycle::{Exit, Shutdown, Signals, run_program};
use jodo_shared::private_http::check_health;
use jodo_shared::telemetry;
use jodo_shared::traces::Traces;
use tokio_util::sync::CancellationToken;

/// Takes less processor time than the C library's: docs/decisions/0043.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long the relay and the spool have to end after the drain.
const LAST_WORDS: Duration = Duration::from_secs(2);

#[derive(Parser)]
#[command(version, about = "Takes Jodo's deliveries and puts them into RabbitMQ")]
struct Arguments {
    /// Configuration file; the environment overrides what it says.
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
    let needs = if arguments.command.is_some() { Needs::HealthCheck } else { Needs::Ingress };
    let config = match Config::load_from(arguments.config.as_deref(), needs) {
        Ok(config) => config,
        Err(errors) => {
            eprintln!("jodo-ingress cannot start:\n{errors}");
            return ExitCode::from(2);
        }
    };
    match arguments.command {
        Some(Command::Healthcheck) => check_health(config.ingress.private_listen),
        None => run_program(run(config)),
    }
}

async fn run(config: Config) -> anyhow::Result<Exit> {
    let signals = Signals::install()?;
    telemetry::init(&config.log)?;
    let metrics = telemetry::install_metrics()?;
    let traces = Traces::start(&config.traces, "jodo-ingress")?;
    let shutdown = Shutdown::new();
    // Apart from the drain's own token: what is under way is published while the drain lasts.
    let publishing = CancellationToken::new();
    let _stop_after_the_drain = publishing.clone().drop_guard();
    let broker = config.broker.as_ref().context("broker.url is not configured")?;
    let spooling = Arc::new(connect(broker, &config, &traces, publishing)?);
    let publisher: Arc<dyn Publisher> = spooling.clone();

    let private = serve_private(&config, Arc::clone(&publisher), metrics, &shutdown)?;
    let public = serve(&config, publisher, traces.clone(), &shutdown)?;
    tracing::info!(listen.public = %public, listen.private = %private, "jodo-ingress started");
    let ended = shutdown.run(signals, config.ingress.drain).await;
    // Side by side: whoever stopped us waits ten seconds in all.
    let (closed, ()) = tokio::join!(tokio::time::timeout(LAST_WORDS, spooling.close()), traces.close());
    if closed.is_err() {
        tracing::warn!("the spool was left as it was; what waits in it is on disk");
    }
    Ok(ended)
}

/// RabbitMQ, and the spool for when it fails.
fn connect(
    broker: &Broker,
    config: &Config,
    traces: &Traces,
    stop: CancellationToken,
) -> anyhow::Result<SpoolingPublisher> {
    let targets: BTreeSet<TargetName> = config.sources.values().map(|source| source.target.clone()).collect();
    let targets: Vec<_> = targets.into_iter().collect();
    let amqp = AmqpPublisher::start(broker.url.clone(), targets.clone(), broker.confirm_timeout, stop);
    SpoolingPublisher::start(Arc::new(amqp), SpoolPlace::of(config), targets, traces.clone())
        .context("ingress.spool_dir")
}
