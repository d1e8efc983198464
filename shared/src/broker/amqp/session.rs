//! One channel that consumes, from its opening to its end.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt;
use lapin::message::Delivery as AmqpDelivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::acks::Acks;
use super::codec;
use super::connection::ConnectError;
use crate::broker::{BatchLimits, Delivery, Receipt};
use crate::ids::TargetName;
use crate::message::Message;
use crate::metrics::REDELIVERIES;

/// Counter: messages in a queue that cannot be ours; they went to the dead letters. Label `target`.
const MESSAGES_REJECTED: &str = "jodo_sync_messages_rejected_total";

/// Numbers every session of the process, so that no receipt is taken for another session's.
static SESSIONS: AtomicU64 = AtomicU64::new(1);

/// A channel, its consumer, and what it has received and not handed out.
pub(super) struct Session {
    target: TargetName,
    epoch: u64,
    channel: Channel,
    deliveries: lapin::Consumer,
    acks: Acks,
    /// Not handed out yet, so no receipt exists: with the session it ends without a word, and comes again.
    held: VecDeque<Held>,
    held_bytes: usize,
    /// The broker has ended the consumer; what it delivered before can still be settled.
    is_ended: bool,
    _until_shutdown: AbortOnDropHandle<()>,
}

struct Held {
    tag: u64,
    message: Message,
    hand_outs: u32,
}

impl Session {
    /// Starts consuming, until `shutdown` is cancelled at the latest.
    pub(super) async fn open(
        connection: &Connection,
        target: &TargetName,
        queue: &str,
        prefetch: u16,
        shutdown: CancellationToken,
    ) -> Result<Self, lapin::Error> {
        let channel = connection.create_channel().await?;
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let deliveries = channel
            .basic_consume(queue.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default())
            .await?;
        let cancelling = cancel_at(shutdown, channel.clone(), deliveries.tag());
        Ok(Self {
            target: target.clone(),
            epoch: SESSIONS.fetch_add(1, Ordering::Relaxed),
            channel,
            deliveries,
            acks: Acks::default(),
            held: VecDeque::new(),
            held_bytes: 0,
            is_ended: false,
            _until_shutdown: AbortOnDropHandle::new(tokio::spawn(cancelling)),
        })
    }

    /// The epoch of this session's receipts.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether everything that has come was settled, so that the broker owes us whatever is ready.
    pub(super) fn is_idle(&self) -> bool {
        self.held.is_empty() && self.acks.is_empty()
    }

    /// Waits until it holds a message. Cancel safe.
    ///
    /// # Errors
    /// [`ConnectError`] when none can come any more.
    pub(super) async fn until_first(&mut self) -> Result<(), ConnectError> {
        while self.held.is_empty() {
            self.receive().await?;
        }
        Ok(())
    }

    /// After the first message: holds a batch when it returns. Cancel safe: what has come in stays held.
    ///
    /// # Errors
    /// [`ConnectError`] when what came cannot be settled any more.
    pub(super) async fn fill(&mut self, limits: &BatchLimits) -> Result<(), ConnectError> {
        let deadline = Instant::now() + limits.wait;
        while !self.is_full(limits) && !self.is_ended {
            match timeout_at(deadline, self.receive()).await {
                Ok(Ok(())) => {}
                Ok(Err(ConnectError::QueueDeleted)) | Err(_) => break,
                Ok(Err(error)) => return Err(error),
            }
        }
        if self.channel.status().connected() { Ok(()) } else { Err(ConnectError::Ended) }
    }

    fn is_full(&self, limits: &BatchLimits) -> bool {
        self.held.len() >= limits.messages || self.held_bytes >= limits.bytes
    }

    async fn receive(&mut self) -> Result<(), ConnectError> {
        if self.is_ended {
            return Err(ConnectError::QueueDeleted);
        }
        match self.deliveries.next().await {
            Some(Ok(delivery)) => Ok(self.take_in(delivery).await?),
            Some(Err(error)) => Err(error.into()),
            None if self.channel.status().connected() => {
                self.is_ended = true;
                Err(ConnectError::QueueDeleted)
            }
            None => Err(ConnectError::Ended),
        }
    }

    async fn take_in(&mut self, delivery: AmqpDelivery) -> Result<(), lapin::Error> {
        let (tag, hand_outs) =
            (delivery.delivery_tag, codec::hand_outs(delivery.redelivered, &delivery.properties));
        if hand_outs > 1 {
            metrics::counter!(REDELIVERIES, "target" => self.target.to_string()).increment(1);
        }
        match codec::message(&delivery.properties, delivery.data) {
            Ok(message) => {
                self.acks.received(tag);
                self.held_bytes += message.body.len();
                self.held.push_back(Held { tag, message, hand_outs });
                Ok(())
            }
            Err(error) => {
                metrics::counter!(MESSAGES_REJECTED, "target" => self.target.to_string()).increment(1);
                tracing::error!(
                    %error,
                    erp.target = %self.target,
                    "a message in the queue cannot be one of ours; it goes to the dead letters"
                );
                self.channel.basic_reject(tag, BasicRejectOptions { requeue: false }).await
            }
        }
    }

    /// Hands out what is held, up to the limits and at least one message.
    pub(super) fn hand_out(&mut self, limits: &BatchLimits) -> Vec<Delivery> {
        let mut batch = Vec::new();
        let mut bytes = 0_usize;
        while let Some(next) = self.held.front() {
            let length = next.message.body.len();
            let fits = batch.len() < limits.messages && bytes.saturating_add(length) <= limits.bytes;
            if !(batch.is_empty() || fits) {
                break;
            }
            let Some(Held { tag, message, hand_outs }) = self.held.pop_front() else { break };
            bytes += length;
            batch.push(Delivery { message, hand_outs, receipt: Receipt::new(tag, self.epoch) });
        }
        self.held_bytes -= bytes;
        batch
    }

    /// Tells the broker that these are finished.
    ///
    /// # Errors
    /// The channel's; then the broker hands them out again.
    pub(super) async fn acknowledge(&mut self, tags: Vec<u64>) -> Result<(), lapin::Error> {
        for ack in self.acks.settle(tags) {
            self.channel.basic_ack(ack.tag, BasicAckOptions { multiple: ack.multiple }).await?;
        }
        Ok(())
    }

    /// Stops consuming and closes the channel; then everything that is not settled is back in the queue.
    ///
    /// # Errors
    /// The channel's.
    pub(super) async fn close(self) -> Result<(), lapin::Error> {
        if !self.is_ended {
            self.channel.basic_cancel(self.deliveries.tag(), BasicCancelOptions::default()).await?;
        }
        self.channel.close(200, "OK".into()).await
    }
}

/// Takes no more messages from shutdown on, also while a batch is worked on. What another consumer of this process gives
/// back would come here otherwise, only to go back again, and each time it counts as handed out.
async fn cancel_at(shutdown: CancellationToken, channel: Channel, tag: ShortString) {
    shutdown.cancelled().await;
    if let Err(error) = channel.basic_cancel(tag, BasicCancelOptions::default()).await {
        tracing::debug!(%error, "a consumer could not be cancelled; its connection ends soon");
    }
}
