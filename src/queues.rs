//! A look at RabbitMQ that changes nothing: is it there, and how much waits in it?

use std::time::Duration;

use jodo_shared::broker::amqp::topology::{dead_letter_queue_name, queue_name};
use jodo_shared::config::Broker;
use jodo_shared::ids::TargetName;
use lapin::options::QueueDeclareOptions;
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::FieldTable;
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties, Error, ErrorKind};
use reqwest::Url;
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

/// How long the broker may take over everything that is asked of it.
const DEADLINE: Duration = Duration::from_secs(10);

/// Why the queues could not be looked at. Names no address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookError {
    /// The address is a URL, but not one of a broker.
    #[error("broker.url: cannot be read as an AMQP address")]
    Url,
    /// Silence.
    #[error("no answer within {} s", DEADLINE.as_secs())]
    NoAnswer,
    /// The broker's or the system's word.
    #[error(transparent)]
    Broker(#[from] Error),
}

/// Messages that are ready in a target's two queues; `None` where the queue does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Depths {
    /// Not yet handed to a worker.
    pub(crate) waiting: Option<u32>,
    /// Given up by RabbitMQ.
    pub(crate) dead: Option<u32>,
}

/// Asks the broker for the depths of these targets' queues, in their order.
pub(crate) async fn look(broker: &Broker, targets: &[&TargetName]) -> Result<Vec<Depths>, LookError> {
    timeout(DEADLINE, ask(broker, targets)).await.map_err(|_| LookError::NoAnswer)?
}

async fn ask(broker: &Broker, targets: &[&TargetName]) -> Result<Vec<Depths>, LookError> {
    let uri = address(broker.url.expose_secret()).ok_or(LookError::Url)?;
    let named = ConnectionProperties::default().with_connection_name("jodo-sync operator".into());
    let connection = Connection::connect_uri(uri, named).await?;
    let mut depths = Vec::with_capacity(targets.len());
    for target in targets {
        let waiting = ready(&connection, queue_name(target)).await?;
        let dead = ready(&connection, dead_letter_queue_name(target)).await?;
        depths.push(Depths { waiting, dead });
    }
    // The answers are here; how the connection ends makes no difference to them.
    if let Err(error) = connection.close(200, "OK".into()).await {
        tracing::debug!(%error, "the broker did not see us off");
    }
    Ok(depths)
}

/// On a channel of its own, because the broker closes the channel when there is no such queue.
async fn ready(connection: &Connection, queue: String) -> Result<Option<u32>, Error> {
    let channel = connection.create_channel().await?;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    match channel.queue_declare(queue.into(), passive, FieldTable::default()).await {
        Ok(queue) => Ok(Some(queue.message_count())),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_not_found(error: &Error) -> bool {
    let not_found = AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND);
    matches!(error.kind(), ErrorKind::ProtocolError(error) if *error.kind() == not_found)
}

fn address(text: &str) -> Option<AMQPUri> {
    let mut uri: AMQPUri = text.parse().ok()?;
    // lapin takes an address in brackets for the name of a host.
    let url = Url::parse(text).ok()?;
    if let Some(address) = url.host_str().and_then(|host| host.strip_prefix('[')?.strip_suffix(']')) {
        uri.authority.host = address.to_owned();
    }
    Some(uri)
}
