//! How deliveries get back to a worker.

use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::future::join_all;
use jodo_shared::broker::Publisher as _;
use jodo_shared::broker::amqp::AmqpPublisher;
use jodo_shared::broker::spool::archive::{Idle, Kept, KeptFile};
use jodo_shared::config::Config;
use jodo_shared::message::Message;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::one_program::DataDir;

/// How long RabbitMQ may take to let us in.
const CONNECT: Duration = Duration::from_secs(10);

/// The way back.
pub(super) enum Way {
    /// Into the apply queues.
    Queues { publisher: AmqpPublisher, stop: CancellationToken },
    /// They wait in the spool again.
    Spool(Idle),
}

impl Way {
    /// Chooses by what is configured, and makes sure that it can be gone.
    ///
    /// # Errors
    /// When the one program runs, or the configuration names no broker.
    pub(super) fn open(config: &Config, data: Option<&DataDir>) -> anyhow::Result<Self> {
        if data.is_some() {
            let idle = Idle::take(&config.ingress.spool_dir);
            return idle.map(Self::Spool).context("stop jodo-sync first, then start it again afterwards");
        }
        let Some(broker) = &config.broker else { bail!("broker.url is not configured") };
        let targets = config.erp.keys().cloned().collect();
        let stop = CancellationToken::new();
        let publisher =
            AmqpPublisher::start(broker.url.clone(), targets, broker.confirm_timeout, stop.clone());
        Ok(Self::Queues { publisher, stop })
    }

    /// Brings these messages of the file back, and returns of how many that is certain.
    ///
    /// # Errors
    /// When the file cannot be read or written, or RabbitMQ cannot be reached.
    pub(super) async fn bring_back(&self, file: &KeptFile, missing: &[Kept]) -> anyhow::Result<usize> {
        match self {
            Self::Spool(idle) => {
                file.take_up_again(missing, idle).context("a spool file")?;
                Ok(missing.len())
            }
            Self::Queues { publisher, .. } => {
                let messages = file.read(missing).context("a spool file")?;
                let connected = timeout(CONNECT, publisher.until_connected()).await;
                connected.context("RabbitMQ cannot be reached")?;
                let again = messages.into_iter().map(|message| Message { redrive: true, ..message });
                let again: Vec<_> = again.collect();
                let published = join_all(again.iter().map(|message| publisher.publish(message))).await;
                Ok(published.iter().filter(|result| result.is_ok()).count())
            }
        }
    }

    /// Ends the connection in good order.
    pub(super) async fn close(self) {
        if let Self::Queues { publisher, stop } = self {
            stop.cancel();
            publisher.until_ended().await;
        }
    }
}
