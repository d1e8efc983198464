//! How deliveries get back to a worker.

use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::future::join_all;
use jodo_shared::broker::Publisher;
use jodo_shared::broker::amqp::AmqpPublisher;
use jodo_shared::broker::spool::{Spool, SpoolSettings};
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
    /// Into the spool of the one program, for its next start.
    Spool(Spool),
}

impl Way {
    /// Chooses by what is configured.
    ///
    /// # Errors
    /// When the one program runs, or the configuration names no broker.
    pub(super) fn open(config: &Config, data: Option<&DataDir>) -> anyhow::Result<Self> {
        if data.is_some() {
            // Opened by us it deletes nothing that is old, or to make room: that may be what is looked for.
            let keep_all = SpoolSettings { keep_settled: Duration::MAX, ..SpoolSettings::default() };
            let spool = Spool::open(&config.ingress.spool_dir, keep_all);
            return spool.map(Self::Spool).context("stop jodo-sync first, and start it again afterwards");
        }
        let Some(broker) = &config.broker else { bail!("broker.url is not configured") };
        let targets = config.erp.keys().cloned().collect();
        let stop = CancellationToken::new();
        let publisher =
            AmqpPublisher::start(broker.url.clone(), targets, broker.confirm_timeout, stop.clone());
        Ok(Self::Queues { publisher, stop })
    }

    /// Brings these messages back, and returns of how many that is certain.
    ///
    /// # Errors
    /// When RabbitMQ cannot be reached.
    pub(super) async fn bring_back(&self, messages: Vec<Message>) -> anyhow::Result<usize> {
        let again = messages.into_iter().map(|message| Message { redrive: true, ..message });
        let again: Vec<_> = again.collect();
        let publisher: &dyn Publisher = match self {
            Self::Spool(spool) => spool,
            Self::Queues { publisher, .. } => {
                let connected = timeout(CONNECT, publisher.until_connected()).await;
                connected.context("RabbitMQ cannot be reached")?;
                publisher
            }
        };
        let published = join_all(again.iter().map(|message| publisher.publish(message))).await;
        Ok(published.iter().filter(|result| result.is_ok()).count())
    }

    /// Ends in good order.
    pub(super) async fn close(self) {
        match self {
            Self::Spool(spool) => spool.close().await,
            Self::Queues { publisher, stop } => {
                stop.cancel();
                publisher.until_ended().await;
            }
        }
    }
}
