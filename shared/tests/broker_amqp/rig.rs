//! Publishers and consumers with queues of their own, and what an operator does to the broker.

use std::time::Duration;

use jodo_shared::broker::amqp::topology::{dead_letter_queue_name, queue_name};
use jodo_shared::broker::amqp::{AmqpConsumer, AmqpPublisher};
use jodo_shared::broker::conformance::message;
use jodo_shared::broker::{BatchLimits, Consumer as _, Delivery, PublishError, Publisher as _, Receipt};
use jodo_shared::ids::TargetName;
use jodo_test_support::unique_name;
use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties, Queue};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long anything may take on a machine that compiles at the same time; only a failure waits for it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);
const LIMITS: BatchLimits = BatchLimits { messages: 100, bytes: 4 << 20, wait: Duration::from_millis(50) };

pub(crate) fn target() -> TargetName {
    unique_name("amqp").parse().unwrap()
}

pub(crate) fn publisher_within(
    confirm_timeout: Duration,
    url: &str,
    targets: &[&TargetName],
) -> AmqpPublisher {
    let targets = targets.iter().copied().cloned().collect();
    AmqpPublisher::start(url.into(), targets, confirm_timeout, CancellationToken::new())
}

/// A publisher that waits long and is connected.
pub(crate) async fn publisher(url: &str, targets: &[&TargetName]) -> AmqpPublisher {
    let publisher = publisher_within(DEADLINE, url, targets);
    timeout(DEADLINE, publisher.until_connected()).await.unwrap();
    publisher
}

/// Publishes until the broker takes it.
pub(crate) async fn publish_at_last(publisher: &AmqpPublisher, target: &TargetName, body: &str) {
    let mut verdict = Ok(());
    let trying = async {
        loop {
            publisher.until_connected().await;
            verdict = publisher.publish(&message(target, body)).await;
            if verdict.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let tried = timeout(DEADLINE, trying).await;
    assert!(tried.is_ok(), "{body:?} was never taken: {verdict:?}");
}

pub(crate) fn consumer(url: &str, target: &TargetName) -> AmqpConsumer {
    AmqpConsumer::new(url.into(), target.clone(), 200, CancellationToken::new())
}

pub(crate) async fn next_batch(consumer: &mut AmqpConsumer) -> Vec<Delivery> {
    timeout(DEADLINE, consumer.next_batch(&LIMITS)).await.unwrap()
}

pub(crate) fn receipts(batch: Vec<Delivery>) -> Vec<Receipt> {
    batch.into_iter().map(|delivery| delivery.receipt).collect()
}

/// Takes and settles batches until this body has come.
pub(crate) async fn consume_up_to(consumer: &mut AmqpConsumer, body: &str) {
    loop {
        let batch = next_batch(consumer).await;
        let found = batch.iter().any(|delivery| *delivery.message.body == *body.as_bytes());
        // In an outage they come again.
        let settled = consumer.settle(receipts(batch)).await.is_ok();
        if found && settled {
            return;
        }
    }
}

/// Waits for what has no signal: readiness is asked for, and so are a queue's messages.
pub(crate) async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let waiting = async {
        while !is_so().await {
            ticks.tick().await;
        }
    };
    assert!(timeout(DEADLINE, waiting).await.is_ok(), "never: {what}");
}

pub(crate) async fn until_unready(publisher: &AmqpPublisher) {
    until("the publisher is not ready", async || !publisher.is_ready()).await;
}

pub(crate) async fn assert_refused(publisher: &AmqpPublisher, target: &TargetName, error: PublishError) {
    assert_eq!(publisher.publish(&message(target, "refused")).await, Err(error));
}

/// What an operator does to the broker.
pub(crate) struct Operator {
    pub(crate) channel: Channel,
    connection: Connection,
}

impl Operator {
    pub(crate) async fn at(url: &str) -> Self {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        Self { channel: connection.create_channel().await.unwrap(), connection }
    }

    async fn look(&self, target: &TargetName) -> Queue {
        let passively = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = queue_name(target);
        self.channel.queue_declare(queue.into(), passively, FieldTable::default()).await.unwrap()
    }

    /// Messages that wait in the target's queue and are handed out to nobody.
    pub(crate) async fn count(&self, target: &TargetName) -> usize {
        self.look(target).await.message_count() as usize
    }

    /// Who consumes from the target's queue.
    pub(crate) async fn consumers(&self, target: &TargetName) -> u32 {
        self.look(target).await.consumer_count()
    }

    /// Whether there is such a queue.
    pub(crate) async fn exists(&self, queue: &str) -> bool {
        let passively = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        // On a channel of its own, which ends when there is none.
        let channel = self.connection.create_channel().await.unwrap();
        channel.queue_declare(queue.into(), passively, FieldTable::default()).await.is_ok()
    }

    pub(crate) async fn until_count(&self, target: &TargetName, wanted: usize) {
        until(&format!("{wanted} in the queue"), async || self.count(target).await == wanted).await;
    }

    pub(crate) async fn delete(&self, queue: String) {
        self.channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }

    pub(crate) async fn clean_up(&self, targets: &[&TargetName]) {
        for target in targets {
            self.delete(queue_name(target)).await;
            self.delete(dead_letter_queue_name(target)).await;
        }
    }
}

/// The target's queue as an operator may declare it before us: durable and as ours is, but for these arguments.
pub(crate) async fn declare_like_ours(operator: &Operator, target: &TargetName, but: &[(&str, AMQPValue)]) {
    let dead = dead_letter_queue_name(target);
    let mut arguments = FieldTable::default();
    let ours = [
        ("x-queue-type", "quorum"),
        ("x-dead-letter-exchange", ""),
        ("x-dead-letter-routing-key", dead.as_str()),
        ("x-dead-letter-strategy", "at-least-once"),
        ("x-overflow", "reject-publish"),
    ];
    for (name, value) in ours {
        arguments.insert(name.into(), AMQPValue::LongString(value.into()));
    }
    for (name, value) in but {
        arguments.insert((*name).into(), value.clone());
    }
    let queue = queue_name(target);
    operator.channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
}
