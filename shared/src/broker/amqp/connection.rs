//! How to get a connection to the broker, and how to be rid of one that no longer answers.

use std::future::Future;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use lapin::tcp::TLSConfig;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{AsyncTcpStream, Connection, ConnectionProperties, Event};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

/// Bound on each step of getting ready: to connect, to declare, to open a channel. RabbitMQ itself gives a handshake
/// 10 s.
pub(super) const STEP: Duration = Duration::from_secs(10);
/// Bound on parting in good order; after it the wire is cut.
const FAREWELL: Duration = Duration::from_secs(2);
/// Interval of heartbeats in seconds, where the URL says nothing else. A silent peer is given up after two of them.
/// Too low: a busy broker is taken for dead: <https://www.rabbitmq.com/docs/heartbeats#false-positives>. Too high: a
/// half-open connection goes unnoticed.
const HEARTBEAT: u16 = 10;
/// How often the connection's state is looked at, for the few ways to end that are no event.
const GLANCE: Duration = Duration::from_secs(1);

/// Why there is no connection. Never names the URL.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("broker.url cannot be read as an AMQP address")]
    Url,
    #[error("no answer within {} s", STEP.as_secs())]
    NoAnswer,
    #[error("the connection or its channel has ended")]
    Ended,
    #[error("the queue was deleted")]
    QueueDeleted,
    #[error(
        "queue {queue} was not declared by us, and its {argument} is such that accepted events could be lost in it: \
         delete it when it is empty, and it is declared anew"
    )]
    QueueUnfit { queue: String, argument: String },
    #[error(transparent)]
    Broker(#[from] lapin::Error),
}

/// Bounds a step of getting ready.
pub(super) async fn within_step<T, E: Into<ConnectError>>(
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, ConnectError> {
    timeout(STEP, step).await.map_err(|_| ConnectError::NoAnswer)?.map_err(Into::into)
}

/// A connection. Dropping it cuts its wire, so that nothing of it is left however silent the broker is.
pub(super) struct Link {
    connection: Connection,
    _wire: Arc<Wire>,
}

impl Link {
    /// Connects. `name` shows in the broker's list of connections.
    pub(super) async fn connect(url: &SecretString, name: &'static str) -> Result<Self, ConnectError> {
        let uri = parse(url.expose_secret()).ok_or(ConnectError::Url)?;
        let wire = Arc::new(Wire::default());
        let weak = Arc::downgrade(&wire);
        let connection = within_step(Connection::connector(
            uri,
            lapin::runtime::default_runtime()?,
            // Runs on lapin's thread, which outlives us if we stop waiting: hence a bound of its own.
            async move |uri, runtime| {
                let address = runtime.to_socket_addrs((uri.authority.host.clone(), uri.authority.port));
                let connect = timeout(STEP, AsyncTcpStream::connect(&runtime, address)).await;
                let stream = connect.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
                if let AsyncTcpStream::Plain(plain) = &stream {
                    remember(&weak, socket2::SockRef::from(plain.get_ref()).try_clone()?)?;
                }
                match uri.scheme {
                    AMQPScheme::AMQP => Ok(stream),
                    AMQPScheme::AMQPS => {
                        Ok(stream.into_tls(&uri.authority.host, TLSConfig::default()).await?)
                    }
                }
            },
            ConnectionProperties::default().with_connection_name(name.into()),
        ))
        .await?;
        Ok(Self { connection, _wire: wire })
    }

    /// The connection itself.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether it still stands, as far as is known.
    pub(super) fn is_connected(&self) -> bool {
        self.connection.status().connected()
    }

    /// What happens to the connection from now on.
    pub(super) fn changes(&self) -> Changes<'_> {
        Changes { link: self, events: Box::pin(self.connection.events_listener()) }
    }

    /// Parts in good order if the broker plays along.
    pub(super) async fn close(self) {
        let farewell = self.connection.close(200, "OK".into());
        if let Ok(Ok(())) = timeout(FAREWELL, farewell).await {
            tracing::debug!("disconnected from the broker");
        }
    }
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// The broker takes no more publishes: <https://www.rabbitmq.com/docs/connection-blocked>.
    Blocked,
    /// It takes them again.
    Unblocked,
    /// The connection is gone.
    Lost,
}

/// See [`Link::changes`].
pub(super) struct Changes<'l> {
    link: &'l Link,
    events: Pin<Box<dyn Stream<Item = Event> + Send>>,
}

impl Changes<'_> {
    /// Waits for the next change. Cancel safe.
    pub(super) async fn next(&mut self) -> Change {
        while self.link.is_connected() {
            // An error may be a channel's alone: the loop's condition tells.
            match timeout(GLANCE, self.events.next()).await {
                Ok(Some(Event::ConnectionBlocked(_))) => return Change::Blocked,
                Ok(Some(Event::ConnectionUnblocked)) => return Change::Unblocked,
                Ok(None) => return Change::Lost,
                Ok(Some(_)) | Err(_) => {}
            }
        }
        Change::Lost
    }
}

/// A second handle of the connection's socket. lapin waits for a silent broker without end while it shakes hands, and
/// cannot be told to stop; a socket that is shut down ends it.
#[derive(Default)]
struct Wire(OnceLock<socket2::Socket>);

impl Drop for Wire {
    fn drop(&mut self) {
        if let Some(socket) = self.0.get()
            && let Err(error) = socket.shutdown(Shutdown::Both)
        {
            tracing::trace!(%error, "the broker's connection was gone already");
        }
    }
}

/// Keeps the handle for as long as somebody waits for the connection.
fn remember(wire: &Weak<Wire>, socket: socket2::Socket) -> io::Result<()> {
    let wire = wire.upgrade().ok_or(io::ErrorKind::ConnectionAborted)?;
    // lapin connects once per connection, because it is given no back-off.
    wire.0.set(socket).map_err(|_| io::ErrorKind::AlreadyExists.into())
}

fn parse(text: &str) -> Option<AMQPUri> {
    let mut uri: AMQPUri = text.parse().ok()?;
    // An address in brackets is no domain name to lapin, which then connects to localhost.
    if let Some(url::Host::Ipv6(address)) = url::Url::parse(text).ok()?.host() {
        uri.authority.host = address.to_string();
    }
    uri.query.heartbeat.get_or_insert(HEARTBEAT);
    Some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_host_and_its_heartbeat() {
        let parsed = parse("amqp://u:p@[::1]:5673/%2f").unwrap();
        assert_eq!((parsed.authority.host.as_str(), parsed.authority.port), ("::1", 5673));
        assert_eq!((parsed.vhost.as_str(), parsed.query.heartbeat), ("/", Some(HEARTBEAT)));
        let parsed = parse("amqps://rabbit.example/v?heartbeat=30").unwrap();
        assert_eq!((parsed.authority.host.as_str(), parsed.authority.port), ("rabbit.example", 5671));
        assert_eq!(parsed.query.heartbeat, Some(30));
        assert_eq!(parse("http://rabbit"), None);
    }

    #[tokio::test]
    async fn an_unreadable_address_is_not_repeated() {
        let url = SecretString::from("amqp://user:hush@:/".to_owned());
        let Err(error) = Link::connect(&url, "test").await else { panic!("connected") };
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}
