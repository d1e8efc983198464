//! How many messages are ready in a queue: a look that changes nothing.

use lapin::Connection;
use lapin::options::QueueDeclareOptions;
use lapin::protocol::AMQPSoftError;
use lapin::types::FieldTable;
use secrecy::SecretString;

use super::connection::{ConnectError, Link, within_step};
use super::topology::is;

/// Why RabbitMQ could not be looked into. Names no address.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct LookError(#[from] ConnectError);

/// Looks at depths of queues again and again, over one connection for as long as it lasts.
pub struct QueueDepths {
    url: SecretString,
    link: Option<Link>,
}

impl QueueDepths {
    /// Connects when first asked.
    pub fn new(url: SecretString) -> Self {
        Self { url, link: None }
    }

    /// Messages that are ready in the queue now; `None` where there is no such queue.
    ///
    /// # Errors
    /// [`LookError`]; the next call connects anew.
    pub async fn of(&mut self, queue: &str) -> Result<Option<u32>, LookError> {
        let link = match self.link.take().filter(Link::is_connected) {
            Some(link) => link,
            None => Link::connect(&self.url, "jodo-sync queue depths").await?,
        };
        let ready = depth(link.connection(), queue).await?;
        self.link = Some(link);
        Ok(ready)
    }

    /// Ends the connection in good order, if there is one.
    pub async fn close(self) {
        if let Some(link) = self.link {
            link.close().await;
        }
    }
}

/// On a channel of its own, because the broker closes the channel when there is no such queue.
pub(super) async fn depth(connection: &Connection, queue: &str) -> Result<Option<u32>, ConnectError> {
    let channel = within_step(connection.create_channel()).await?;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    match within_step(channel.queue_declare(queue.into(), passive, FieldTable::default())).await {
        Ok(queue) => {
            within_step(channel.close(200, "OK".into())).await?;
            Ok(Some(queue.message_count()))
        }
        Err(ConnectError::Broker(error)) if is(&error, AMQPSoftError::NOTFOUND) => Ok(None),
        Err(error) => Err(error),
    }
}
