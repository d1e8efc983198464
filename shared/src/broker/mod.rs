//! The broker seam: how an accepted delivery gets from ingress to worker without being lost.
//!
//! Two traits and one conformance suite ([`conformance`], feature `testing`) that every implementation passes:
//! [`amqp`] over RabbitMQ, [`spool`] over files on the own disk, and the test double [`memory`].

use std::time::Duration;

use async_trait::async_trait;

use crate::message::Message;

pub mod amqp;
#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "testing")]
pub mod memory;
pub mod spool;

mod delivery;

pub use delivery::{Delivery, Receipt};

/// Puts messages where they survive `kill -9` and power loss.
#[async_trait]
pub trait Publisher: Send + Sync + 'static {
    /// Returns `Ok` only when the broker has said that the message is durable in its target's queue.
    ///
    /// After an error the message may still arrive: a late confirm makes a duplicate, which the worker absorbs.
    ///
    /// # Errors
    /// [`PublishError`]; the message is not known to be durable.
    async fn publish(&self, message: &Message) -> Result<(), PublishError>;

    /// Whether a publish can be expected to succeed now; for readiness only.
    fn is_ready(&self) -> bool;
}

/// Why a message is not known to be durable. The caller answers 503 or turns to the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// No connection to the broker at the moment.
    #[error("not connected to the broker")]
    NotConnected,
    /// The broker has blocked publishers (memory or disk alarm).
    #[error("the broker has blocked publishing")]
    Blocked,
    /// No confirm within the deadline.
    #[error("the broker did not confirm in time")]
    Timeout,
    /// The broker refused the message.
    #[error("the broker refused the message")]
    Nacked,
    /// The queue of the target does not exist.
    #[error("the queue is missing")]
    Returned,
    /// The disk did not take the message: full, failing, or not to be written to.
    #[error("the disk refused the message")]
    Disk,
}

impl PublishError {
    /// The stable word for logs and metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotConnected => "not_connected",
            Self::Blocked => "blocked",
            Self::Timeout => "timeout",
            Self::Nacked => "nacked",
            Self::Returned => "returned",
            Self::Disk => "disk",
        }
    }
}

/// Bounds of one batch (step 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Most messages in a batch. Too high: long transactions; too low: a commit per few events.
    pub messages: usize,
    /// Most body bytes in a batch; a single larger message still makes a batch of its own.
    pub bytes: usize,
    /// How long to wait for more after the first message.
    pub wait: Duration,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { messages: 500, bytes: 4 << 20, wait: Duration::from_millis(5) }
    }
}

/// Takes messages of one target; one consumer per pipeline.
#[async_trait]
pub trait Consumer: Send + 'static {
    /// Waits for at least one message and returns up to the limits, in the order received.
    ///
    /// Connects, and reconnects with back-off, by itself: an unreachable broker is a log line and a wait. Cancel
    /// safe: a message taken before the future was dropped comes with the next call.
    async fn next_batch(&mut self, limits: &BatchLimits) -> Vec<Delivery>;

    /// Tells the broker that these are finished; it forgets them. The only place from which acks are sent.
    ///
    /// # Errors
    /// [`SettleError`] when the connection they came on is gone: the broker will hand them out again, and the
    /// inbox absorbs the repeat. The receipts are spent either way.
    async fn settle(&mut self, receipts: Vec<Receipt>) -> Result<(), SettleError>;

    /// Hands everything unsettled back to the broker, once, and takes nothing until the next `next_batch`.
    async fn give_back(&mut self, receipts: Vec<Receipt>);
}

/// The deliveries could not be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection that the deliveries came on is gone; they will come again")]
pub struct SettleError;
