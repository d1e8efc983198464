//! A wire that can be cut.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::{JoinHandle, JoinSet};
use url::Url;

use crate::ports::free_port;

/// A TCP proxy in front of a server, whose wire can be cut or stalled and healed again.
///
/// It works in the runtime it was started in, and ends when it is dropped.
pub struct FaultProxy {
    addr: SocketAddr,
    wire: watch::Sender<Wire>,
    acceptor: Mutex<Option<JoinHandle<()>>>,
    line: Line,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Whole,
    Stalled,
    Cut,
}

/// What each connection needs to know.
#[derive(Clone)]
struct Line {
    upstream: SocketAddr,
    wire: watch::Receiver<Wire>,
    pace: Arc<std::sync::Mutex<Pace>>,
    open: Arc<AtomicUsize>,
}

/// How slow a wire is.
#[derive(Clone, Copy, Default)]
struct Pace {
    latency: Duration,
    /// 0 for as fast as it goes.
    bytes_per_second: u32,
}

impl FaultProxy {
    /// Starts one in front of `upstream`, which need not listen yet.
    ///
    /// # Panics
    ///
    /// If it cannot listen.
    pub async fn start(upstream: SocketAddr) -> Self {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let (wire, seen) = watch::channel(Wire::Whole);
        let line = Line { upstream, wire: seen, pace: Arc::default(), open: Arc::default() };
        let proxy = Self { addr, wire, acceptor: Mutex::new(None), line };
        proxy.set(Wire::Whole).await;
        proxy
    }

    /// Starts one in front of the server that a URL names; [`FaultProxy::reroute`] then leads through it.
    ///
    /// # Panics
    ///
    /// If the URL names no server or it cannot listen.
    pub async fn in_front_of(url: &str) -> Self {
        let parsed = parse(url);
        let usual_port = match parsed.scheme() {
            "amqp" => Some(5672),
            "redis" => Some(6379),
            "postgres" | "postgresql" => Some(5432),
            _ => None,
        };
        let (Some(host), Some(port)) = (parsed.host_str(), parsed.port_or_known_default().or(usual_port))
        else {
            panic!("no host and port in {url}");
        };
        let found = tokio::net::lookup_host((host, port)).await.map(|mut found| found.next());
        match found {
            Ok(Some(upstream)) => Self::start(upstream).await,
            none => panic!("no address for {url}: {none:?}"),
        }
    }

    /// The address to connect to instead of the upstream's.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `url` with this proxy's address in the place of the server's.
    ///
    /// # Panics
    ///
    /// If it is not the URL of a server.
    pub fn reroute(&self, url: &str) -> String {
        let mut parsed = parse(url);
        if parsed.set_ip_host(self.addr.ip()).is_err() || parsed.set_port(Some(self.addr.port())).is_err() {
            panic!("no host in {url}");
        }
        parsed.to_string()
    }

    /// How many connections are open through it.
    pub fn open(&self) -> usize {
        self.line.open.load(Ordering::SeqCst)
    }

    /// Resets all connections and refuses new ones. Returns how many it reset.
    pub async fn cut(&self) -> usize {
        self.set(Wire::Cut).await
    }

    /// Keeps connections open and accepts new ones, but forwards nothing more, bar what is being written at this
    /// moment. Returns how many connections were open.
    pub async fn stall(&self) -> usize {
        self.set(Wire::Stalled).await
    }

    /// Holds every chunk of up to 16 KiB up for `latency`, and for as long as it takes at that many bytes a second (0: no
    /// bound), until [`FaultProxy::heal`].
    pub fn slow(&self, latency: Duration, bytes_per_second: u32) {
        self.line.set_pace(Pace { latency, bytes_per_second });
    }

    /// Forwards again, including what was held back by [`FaultProxy::stall`].
    pub async fn heal(&self) {
        self.line.set_pace(Pace::default());
        self.set(Wire::Whole).await;
    }

    async fn set(&self, wire: Wire) -> usize {
        let mut acceptor = self.acceptor.lock().await;
        let open = self.open();
        self.wire.send_replace(wire);
        if wire == Wire::Cut {
            if let Some(task) = acceptor.take() {
                task.await.unwrap_or_else(|error| panic!("the proxy's acceptor: {error}"));
            }
        } else if acceptor.is_none() {
            let listener = TcpListener::bind(self.addr).await;
            let listener = listener.unwrap_or_else(|error| panic!("the proxy cannot listen: {error}"));
            *acceptor = Some(tokio::spawn(accept(listener, self.line.clone())));
        }
        open
    }
}

impl Line {
    fn set_pace(&self, pace: Pace) {
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner) = pace;
    }

    /// How long a chunk of this length is held up.
    fn hold_up(&self, length: usize) -> Duration {
        let pace = *self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        match pace.bytes_per_second {
            0 => pace.latency,
            rate => pace.latency + Duration::from_secs_f64(length as f64 / f64::from(rate)),
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.wire.send_replace(Wire::Cut);
    }
}

fn parse(url: &str) -> Url {
    Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// Accepts until the wire is cut, and returns when all connections are gone.
async fn accept(listener: TcpListener, line: Line) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = until(line.wire.clone(), Wire::Cut) => break,
            Ok((client, _)) = listener.accept() => {
                connections.spawn(serve(client, line.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve(client: TcpStream, line: Line) {
    line.open.fetch_add(1, Ordering::SeqCst);
    let upstream = tokio::select! {
        () = until(line.wire.clone(), Wire::Cut) => None,
        upstream = connect(&line) => upstream.ok(),
    };
    match upstream {
        Some(upstream) => forward(client, upstream, &line).await,
        None => reset(&client),
    }
    line.open.fetch_sub(1, Ordering::SeqCst);
}

async fn connect(line: &Line) -> io::Result<TcpStream> {
    until(line.wire.clone(), Wire::Whole).await;
    TcpStream::connect(line.upstream).await
}

async fn forward(mut client: TcpStream, mut upstream: TcpStream, line: &Line) {
    // Small packets, such as a publisher confirm, must not wait for company.
    client.set_nodelay(true).ok();
    upstream.set_nodelay(true).ok();
    let (mut from_client, mut to_client) = client.split();
    let (mut from_upstream, mut to_upstream) = upstream.split();
    let both_ways = async {
        tokio::try_join!(
            pump(&mut from_client, &mut to_upstream, line),
            pump(&mut from_upstream, &mut to_client, line),
        )
    };
    let is_cut = tokio::select! {
        () = until(line.wire.clone(), Wire::Cut) => true,
        // An error ends both ways; the orderly end of one leaves the other open.
        _ = both_ways => false,
    };
    if is_cut {
        reset(&client);
        reset(&upstream);
    }
}

async fn pump(from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>, line: &Line) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        tokio::time::sleep(line.hold_up(length)).await;
        until(line.wire.clone(), Wire::Whole).await;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..length]).await?;
    }
}

/// Waits until the wire is as wanted. A proxy that is gone has its wire cut.
async fn until(mut wire: watch::Receiver<Wire>, wanted: Wire) {
    if wire.wait_for(|wire| *wire == wanted).await.is_err() && wanted != Wire::Cut {
        std::future::pending::<()>().await;
    }
}

/// Makes the coming close a reset, as a cut wire would be and an orderly end would not.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().ok();
}
