//! Puts ingress, spool, worker and databases together in one process.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use jodo_ingress::serve as serve_ingress;
use jodo_ingress::spooling::SpoolPlace;
use jodo_shared::broker::spool::{Spool, look};
use jodo_shared::broker::{Consumer, Publisher as _};
use jodo_shared::config::{Config, Needs};
use jodo_shared::lifecycle::{Exit, Shutdown, Signals};
use jodo_shared::private_http::{self, Readiness};
use jodo_shared::telemetry;
use jodo_shared::traces::Traces;
use jodo_worker::store::{self, is_file};
use jodo_worker::{run, target::Target};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::DataDir;
use super::welcome::welcome;

/// Runs until a signal: takes deliveries at `listen` (else where the configuration says) and applies them.
///
/// # Errors
/// Why it cannot start: the folder is taken, the configuration is for a cluster or wrong, an address is in use, a
/// database file cannot be used.
pub async fn serve(data: &DataDir, file: Option<&Path>, listen: Option<SocketAddr>) -> anyhow::Result<Exit> {
    let signals = Signals::install()?;
    let file = data.config_file(file);
    let file = file.as_deref();
    refuse_cluster(file)?;
    let mut lock = data.take()?;
    let mut config = data.config(file)?;
    if let Some(listen) = listen {
        config.ingress.listen = listen;
    }
    telemetry::init(&config.log)?;
    let metrics = telemetry::install_metrics()?;
    let traces = Traces::start(&config.traces, "jodo-sync")?;
    data.make_secrets(&mut config)?;
    migrate(&config).await?;

    let place = SpoolPlace::of(&config);
    let spool = Spool::open(&place.dir, place.settings).context("the spool")?;
    warn_of_stranded(&config);
    let shutdown = Shutdown::new();
    shutdown.spawn("spool", until_dead(spool.clone(), shutdown.token()));
    let targets = run::start(&config, &traces, &shutdown, |target| -> Box<dyn Consumer> {
        Box::new(spool.consumer(target.clone()))
    })?;
    let public = serve_ingress(&config, Arc::new(spool.clone()), traces.clone(), &shutdown)?;
    let private = serve_private(&config, spool.clone(), targets, metrics, &shutdown)?;
    lock.announce(public, private).context("the data folder's lock file")?;
    info!(listen.public = %public, listen.private = %private, "started");
    let mut out = io::stdout().lock();
    welcome(data, &config, public, &mut out)?;
    out.flush()?;
    drop(out);
    let ended = shutdown.run(signals, config.ingress.drain.max(config.worker.drain)).await;
    tokio::join!(spool.close(), traces.close());
    Ok(ended)
}

/// Without its writer the process is of no use: it ends, and whoever supervises it starts it again.
async fn until_dead(spool: Spool, draining: CancellationToken) -> anyhow::Result<()> {
    match draining.run_until_cancelled(spool.until_ended()).await {
        Some(()) => bail!("nothing writes to the spool any more"),
        None => Ok(()),
    }
}

/// Deliveries that wait for a target that is not configured any more reach nobody.
fn warn_of_stranded(config: &Config) {
    match look(&config.ingress.spool_dir) {
        Ok(look) => {
            for (target, waiting) in look.stranded(config.erp.keys()) {
                error!(erp.target = %target, waiting, "deliveries wait for a target that is not configured");
            }
        }
        Err(error) => warn!(%error, "the spool cannot be looked at"),
    }
}

/// With a broker there are processes of their own for this.
fn refuse_cluster(file: Option<&Path>) -> anyhow::Result<()> {
    if Config::load_over("", file, Needs::Nothing)?.broker.is_some() {
        bail!(
            "broker.url is configured, so this is a cluster: run jodo-ingress and jodo-worker. \
             jodo-sync without a command runs everything in one process and needs no broker"
        );
    }
    Ok(())
}

/// Our own files are brought up to date here; a database server that is not there yet is waited for by the worker.
async fn migrate(config: &Config) -> anyhow::Result<()> {
    let used: BTreeSet<_> = config.sources.values().map(|source| &source.target).collect();
    for (name, erp) in config.erp.iter().filter(|(name, _)| used.contains(name)) {
        match store::migrate(&erp.url).await {
            Ok(migrated) => info!(erp.target = %name, schema.version = migrated.version, "migrated"),
            Err(error) if is_file(&erp.url) => return Err(error).with_context(|| format!("erp.{name}")),
            Err(error) => {
                warn!(erp.target = %name, %error, "not migrated; run `jodo-sync migrate` when it can be");
            }
        }
    }
    Ok(())
}

/// One private listener for both halves.
fn serve_private(
    config: &Config,
    spool: Spool,
    targets: Vec<Arc<Target>>,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
    shutdown: &Shutdown,
) -> anyhow::Result<SocketAddr> {
    let listen = config.ingress.private_listen;
    let draining = shutdown.token();
    let readiness = move || {
        let ingress = [
            (!spool.is_ready()).then_some("the spool takes no deliveries at the moment".to_owned()),
            draining.is_cancelled().then_some("shutting down".to_owned()),
        ];
        let worker = run::paused(&targets);
        Readiness::from_reasons(ingress.into_iter().flatten().chain(worker))
    };
    let (address, server) = private_http::bind(listen, readiness, metrics)
        .with_context(|| format!("ingress.private_listen: cannot listen on {listen}"))?;
    tokio::spawn(server);
    Ok(address)
}
