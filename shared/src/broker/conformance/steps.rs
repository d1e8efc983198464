//! What the cases are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::timeout;

use super::{Factory, message};
use crate::broker::{BatchLimits, Consumer, Delivery, SettleError};
use crate::ids::DeliveryKey;
use crate::message::Message;

/// How long a test waits for what must happen.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);
/// How long a test waits for what must not happen.
pub(super) const QUIET: Duration = Duration::from_millis(300);

pub(super) fn limits(messages: usize) -> BatchLimits {
    BatchLimits { messages, bytes: 16 << 20, wait: Duration::from_secs(2) }
}

pub(super) async fn publish_all(factory: &impl Factory, messages: &[Message]) {
    let publisher = factory.publisher().await;
    for message in messages {
        assert_eq!(publisher.publish(message).await, Ok(()));
    }
}

/// Publishes `count` small messages and returns them by key.
pub(super) async fn publish(factory: &impl Factory, count: usize) -> BTreeMap<DeliveryKey, Message> {
    let messages: Vec<_> =
        (0..count).map(|number| message(&factory.target(), format!("{{\"n\":{number}}}"))).collect();
    publish_all(factory, &messages).await;
    messages.into_iter().map(|message| (message.key, message)).collect()
}

/// Takes batches until `count` messages have come.
pub(super) async fn take(consumer: &mut dyn Consumer, count: usize) -> Vec<Delivery> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend(batch(consumer, &limits(count - all.len())).await);
    }
    all
}

pub(super) async fn batch(consumer: &mut dyn Consumer, limits: &BatchLimits) -> Vec<Delivery> {
    let batch = timeout(DEADLINE, consumer.next_batch(limits)).await;
    batch.unwrap_or_else(|_| panic!("no message came within {DEADLINE:?}"))
}

pub(super) async fn settle(
    consumer: &mut dyn Consumer,
    deliveries: Vec<Delivery>,
) -> Result<(), SettleError> {
    consumer.settle(deliveries.into_iter().map(|delivery| delivery.receipt).collect()).await
}

pub(super) async fn assert_empty(consumer: &mut dyn Consumer) {
    if let Ok(batch) = timeout(QUIET, consumer.next_batch(&limits(10))).await {
        let count = batch.len();
        consumer.give_back(batch.into_iter().map(|delivery| delivery.receipt).collect()).await;
        panic!("{count} messages came, and none should have");
    }
}

pub(super) fn keys(deliveries: &[Delivery]) -> BTreeSet<DeliveryKey> {
    deliveries.iter().map(|delivery| delivery.message.key).collect()
}

pub(super) fn hand_outs(deliveries: &[Delivery]) -> Vec<u32> {
    deliveries.iter().map(|delivery| delivery.hand_outs).collect()
}
