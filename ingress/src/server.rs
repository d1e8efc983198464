//! The HTTP servers: the public one for deliveries, and what the private one says of readiness.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use jodo_shared::broker::Publisher;
use jodo_shared::config::Config;
use jodo_shared::lifecycle::Shutdown;
use jodo_shared::metrics;
use jodo_shared::private_http::{self, Readiness};
use jodo_shared::traces::Traces;
use listenfd::ListenFd;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::runtime::Handle;
use tracing::info;

use crate::connections;
use crate::door::{Door, deliver};
use crate::source::SourceError;

/// How long a client may take over the head of its first request; then it is answered 408 and cut. This is also how
/// long a connection on which nothing comes stays open.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection stays open after an accepted delivery, waiting for the next.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long a client that sends on after a refusal is listened to, so that it can read the refusal.
const LINGER: Duration = Duration::from_secs(1);

/// Why the ingress does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A source cannot be served.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// An address cannot be listened on.
    #[error("{key}: cannot listen on {address}")]
    Bind {
        /// The configuration's key.
        key: &'static str,
        /// What it says.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Starts taking deliveries for every configured source and returns the address that was bound (port 0 takes a free
/// one). Everything accepted goes to `publisher`, and spans of it to `traces`.
///
/// Where a supervisor hands a socket over, as systemd does for a socket unit
/// (<https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html>), that one is used instead of
/// `ingress.listen`: connections then wait in it while the program is started anew.
///
/// When `shutdown` begins to drain, no new connection is taken, idle ones are closed, and the requests and
/// publishings under way are finished: the drain waits for that.
///
/// # Errors
/// [`ServeError`] when a source cannot be served or the address cannot be bound.
///
/// # Panics
/// Outside a tokio runtime. That runtime publishes, and must live until the drain is over.
pub fn serve(
    config: &Config,
    publisher: Arc<dyn Publisher>,
    traces: Traces,
    shutdown: &Shutdown,
) -> Result<SocketAddr, ServeError> {
    let door = Arc::new(Door::new(config, publisher, traces, Handle::current())?);
    let listen = config.ingress.listen;
    let (address, server) = bind(config, &door, shutdown).map_err(|source| ServeError::Bind {
        key: "ingress.listen",
        address: listen,
        source,
    })?;
    shutdown.spawn("ingress", async move {
        let ended = server.await;
        // No request is under way any more, but publishings of clients that went away may be.
        door.tasks.close();
        door.tasks.wait().await;
        ended
    });
    metrics::name_sources(config);
    start_at_zero(config);
    info!(listen = %address, sources = config.sources.len(), "taking deliveries");
    Ok(address)
}

/// Shows the counters whose rise is an alert from the start: the first of a burst would not be seen as one.
fn start_at_zero(config: &Config) {
    for source in config.sources.keys() {
        let labels = [("source", source.to_string()), ("verdict", "bad".to_owned())];
        ::metrics::counter!(metrics::SIGNATURE_VERDICTS, &labels).increment(0);
    }
}

fn bind(config: &Config, door: &Arc<Door>, shutdown: &Shutdown) -> io::Result<(SocketAddr, Server)> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let connections = connections::bound(config.ingress.max_connections).div_ceil(threads);
    let door = Data::from(Arc::clone(door));
    // One handler for everything, which looks the path up itself: a configured path is a text, not a pattern.
    let app = move || App::new().app_data(Data::clone(&door)).default_service(web::to(deliver));
    let server = HttpServer::new(app)
        .workers(threads)
        .max_connections(connections)
        .client_request_timeout(HEAD_TIMEOUT)
        .client_disconnect_timeout(LINGER)
        .keep_alive(KEEP_ALIVE)
        .shutdown_signal(shutdown.token().cancelled_owned())
        .shutdown_timeout(config.ingress.drain.as_secs().max(1));
    let server = match ListenFd::from_env().take_tcp_listener(0)? {
        Some(socket) => server.listen(socket)?,
        None => server.bind(config.ingress.listen)?,
    };
    // One address was bound, so there is one to tell.
    let address = server.addrs().first().copied().unwrap_or(config.ingress.listen);
    Ok((address, server.run()))
}

/// Starts the private listener of an ingress that is a process of its own, and returns the address that was bound.
/// It answers until the process ends.
///
/// # Errors
/// [`ServeError::Bind`].
///
/// # Panics
/// Outside a tokio runtime.
pub fn serve_private(
    config: &Config,
    publisher: Arc<dyn Publisher>,
    metrics: PrometheusHandle,
    shutdown: &Shutdown,
) -> Result<SocketAddr, ServeError> {
    let address = config.ingress.private_listen;
    let draining = shutdown.token();
    let readiness = move || readiness(publisher.is_ready(), draining.is_cancelled());
    let (address, server) = private_http::bind(address, readiness, metrics)
        .map_err(|source| ServeError::Bind { key: "ingress.private_listen", address, source })?;
    tokio::spawn(server);
    Ok(address)
}

/// Whether deliveries can be taken, and why not.
fn readiness(deliveries_can_be_kept: bool, draining: bool) -> Readiness {
    let reasons = [
        (!deliveries_can_be_kept).then_some("neither RabbitMQ nor the spool takes deliveries at the moment"),
        draining.then_some("shutting down"),
    ];
    Readiness::from_reasons(reasons.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_ready_when_deliveries_can_be_kept_and_it_is_not_draining() {
        assert!(readiness(true, false).is_ready());
        assert!(!readiness(false, false).is_ready());
        assert!(!readiness(true, true).is_ready());
    }
}
