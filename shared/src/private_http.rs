//! The private listener: `/livez`, `/readyz` and `/metrics`, for supervisors and Prometheus. Never to be published.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header::{CACHE_CONTROL, ContentType};
use actix_web::middleware::DefaultHeaders;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;

/// Connections beyond these wait: a handful of supervisors and scrapers use this listener.
const MAX_CONNECTIONS: usize = 64;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a health check waits for its answer.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether a process can do its work now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    ready: bool,
    /// Why not, in words for people; empty when ready.
    reasons: Vec<String>,
}

impl Readiness {
    /// Ready when there is no reason against it.
    pub fn from_reasons(reasons: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let reasons: Vec<String> = reasons.into_iter().map(Into::into).collect();
        Self { ready: reasons.is_empty(), reasons }
    }

    /// Whether there is no reason against it.
    pub fn is_ready(&self) -> bool {
        self.ready
    }
}

type Question = Arc<dyn Fn() -> Readiness + Send + Sync>;

/// Binds the listener and returns the address that it got (port 0 takes a free one) with the server, which serves
/// once it is awaited or spawned.
///
/// `readiness` is asked at every `/readyz` and must answer from memory. The server has one thread and leaves signals
/// alone. Spawn it apart from the tasks that the drain waits for: so it answers until the process ends, and a
/// draining process can say that it is not ready. To stop it earlier keep its [`Server::handle`].
///
/// # Errors
/// When the address cannot be bound.
pub fn bind(
    address: SocketAddr,
    readiness: impl Fn() -> Readiness + Send + Sync + 'static,
    metrics: PrometheusHandle,
) -> io::Result<(SocketAddr, Server)> {
    let readiness: Question = Arc::new(readiness);
    let app = move || {
        App::new()
            .app_data(Data::new(Arc::clone(&readiness)))
            .app_data(Data::new(metrics.clone()))
            .wrap(DefaultHeaders::new().add((CACHE_CONTROL, "no-store")))
            .service(web::resource("/livez").get(livez))
            .service(web::resource("/readyz").get(readyz))
            .service(web::resource("/metrics").get(page))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .max_connections(MAX_CONNECTIONS)
        .client_request_timeout(REQUEST_TIMEOUT)
        .shutdown_timeout(1)
        .disable_signals()
        .bind(address)?;
    // One address was bound, so there is one to tell.
    let bound = server.addrs().first().copied().unwrap_or(address);
    Ok((bound, server.run()))
}

async fn livez() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body("alive\n")
}

async fn readyz(readiness: Data<Question>) -> HttpResponse {
    let answer = (readiness)();
    if answer.is_ready() {
        HttpResponse::Ok().json(answer)
    } else {
        HttpResponse::ServiceUnavailable().json(answer)
    }
}

/// The text format's own content type, version 0.0.4:
/// <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>.
async fn page(metrics: Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics.render())
}

/// Asks the running program at its private address whether it can do its work, says why not on standard error, and gives
/// the exit code that a container's health check wants: 0 if it can, else 1.
///
/// An address that stands for all of the machine's is asked on this machine.
pub fn check_health(address: SocketAddr) -> ExitCode {
    match ask(address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn ask(mut address: SocketAddr) -> Result<(), String> {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let config =
        ureq::Agent::config_builder().timeout_global(Some(HEALTH_TIMEOUT)).http_status_as_error(false);
    let agent = config.proxy(None).build().new_agent();
    let answer = agent.get(format!("http://{address}/readyz")).call();
    let mut answer = answer.map_err(|error| format!("no answer at {address}: {error}"))?;
    if answer.status() == 200 {
        return Ok(());
    }
    Err(answer.body_mut().read_to_string().unwrap_or_else(|error| error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use metrics_exporter_prometheus::PrometheusBuilder;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn get(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        tokio::time::timeout(Duration::from_secs(20), read).await.unwrap().unwrap();
        answer
    }

    #[tokio::test]
    async fn it_says_alive_ready_or_not_with_reasons_and_renders_the_metrics() {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || metrics::counter!("jodo_sync_test_total").increment(3));
        let reasons: Arc<Mutex<Vec<&str>>> = Arc::default();
        let asked = Arc::clone(&reasons);
        let readiness = move || Readiness::from_reasons(asked.lock().unwrap().iter().copied());
        let (address, server) = bind("127.0.0.1:0".parse().unwrap(), readiness, recorder.handle()).unwrap();
        let handle = server.handle();
        let server = tokio::spawn(server);

        let ready = get(address, "GET /readyz").await;
        assert!(
            ready.starts_with("HTTP/1.1 200") && ready.ends_with(r#"{"ready":true,"reasons":[]}"#),
            "{ready}"
        );
        reasons.lock().unwrap().push("no connection to the broker");
        let not_ready = get(address, "GET /readyz").await;
        assert!(not_ready.starts_with("HTTP/1.1 503"), "{not_ready}");
        assert!(
            not_ready.ends_with(r#"{"ready":false,"reasons":["no connection to the broker"]}"#),
            "{not_ready}"
        );
        let everywhere = SocketAddr::from(([0, 0, 0, 0], address.port()));
        let asked = async || tokio::task::spawn_blocking(move || ask(everywhere)).await.unwrap();
        assert!(asked().await.unwrap_err().contains("no connection to the broker"));
        reasons.lock().unwrap().clear();
        assert_eq!(asked().await, Ok(()));
        assert!(get(address, "GET /livez").await.starts_with("HTTP/1.1 200"));
        assert!(get(address, "GET /metrics").await.contains("jodo_sync_test_total 3"));
        assert!(get(address, "POST /livez").await.starts_with("HTTP/1.1 405"));
        assert!(get(address, "GET /").await.starts_with("HTTP/1.1 404"));

        handle.stop(true).await;
        server.await.unwrap().unwrap();
        assert!(asked().await.unwrap_err().contains("no answer at 127.0.0.1:"));
    }

    #[tokio::test]
    async fn an_address_in_use_is_an_error() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let handle = PrometheusBuilder::new().build_recorder().handle();
        let bound = bind(taken.local_addr().unwrap(), || Readiness::from_reasons([""; 0]), handle);
        assert_eq!(bound.err().unwrap().kind(), io::ErrorKind::AddrInUse);
    }
}
