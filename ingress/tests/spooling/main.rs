//! Direct or spooling, over a broker in memory and real spools.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the report")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jodo_ingress::spooling::{SpoolPlace, SpoolingPublisher};
use jodo_shared::broker::conformance::message;
use jodo_shared::broker::memory::{MemoryBroker, MemoryConsumer};
use jodo_shared::broker::spool::{Spool, SpoolSettings, look};
use jodo_shared::broker::{BatchLimits, Consumer as _, PublishError, Publisher};
use jodo_shared::ids::{DeliveryKey, TargetName};
use jodo_shared::message::Message;
use jodo_shared::traces::Traces;
use tempfile::TempDir;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(60);

fn target() -> TargetName {
    "main".parse().unwrap()
}

fn place(dir: &Path) -> SpoolPlace {
    let settings = SpoolSettings { max_file_bytes: 100_000, ..SpoolSettings::default() };
    SpoolPlace { dir: dir.to_owned(), settings, adopt_every: Duration::from_millis(50) }
}

fn start(broker: impl Publisher, dir: &TempDir) -> SpoolingPublisher {
    SpoolingPublisher::start(Arc::new(broker), place(dir.path()), vec![target()], Traces::off()).unwrap()
}

fn messages(range: std::ops::Range<u32>) -> Vec<Message> {
    range.map(|n| message(&target(), format!("{n:0>500}"))).collect()
}

async fn publish_all(publisher: &impl Publisher, messages: &[Message]) {
    for message in messages {
        assert_eq!(publisher.publish(message).await, Ok(()));
    }
}

fn keys(messages: &[Message]) -> Vec<DeliveryKey> {
    let mut keys: Vec<_> = messages.iter().map(|message| message.key).collect();
    keys.sort();
    keys
}

/// The next `count` messages in the broker, in the order of their keys.
async fn arrived(consumer: &mut MemoryConsumer, count: usize) -> Vec<DeliveryKey> {
    let mut all = Vec::new();
    while all.len() < count {
        let limits = BatchLimits { messages: count - all.len(), ..BatchLimits::default() };
        let batch = timeout(DEADLINE, consumer.next_batch(&limits)).await.expect("messages");
        let (messages, receipts): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|delivery| (delivery.message, delivery.receipt)).unzip();
        consumer.settle(receipts).await.unwrap();
        all.extend(messages);
    }
    keys(&all)
}

/// Messages in the numbered folder, and those that wait.
fn counts(dir: &TempDir, number: &str) -> (u64, u64) {
    let look = look(&dir.path().join(number)).unwrap();
    let target = look.targets.get(&target()).copied().unwrap_or_default();
    (target.total, target.waiting)
}

#[tokio::test]
async fn what_a_broker_does_not_take_is_spooled_and_reaches_it_when_it_is_back() {
    let (broker, dir) = (MemoryBroker::new(), tempfile::tempdir().unwrap());
    let spooling = start(broker.clone(), &dir);
    let mut consumer = broker.consumer(target());
    let sent = messages(0..700);
    publish_all(&spooling, &sent[..50]).await;
    broker.fail_publishes(Some(PublishError::NotConnected));
    assert!(spooling.is_ready());
    publish_all(&spooling, &sent[50..650]).await;
    assert_eq!(arrived(&mut consumer, 50).await, keys(&sent[..50]));
    assert_eq!(broker.unsettled(&target()), 0);
    broker.fail_publishes(None);
    assert_eq!(arrived(&mut consumer, 600).await, keys(&sent[50..650]));
    publish_all(&spooling, &sent[650..]).await;
    assert_eq!(arrived(&mut consumer, 50).await, keys(&sent[650..]));
    spooling.close().await;
    assert_eq!(counts(&dir, "0"), (700, 0), "each of them is kept once, and none waits");
}

#[tokio::test]
async fn what_waits_in_the_spool_at_the_start_reaches_the_broker() {
    let (broker, dir) = (MemoryBroker::new(), tempfile::tempdir().unwrap());
    let sent = messages(0..20);
    broker.fail_publishes(Some(PublishError::Blocked));
    let spooling = start(broker.clone(), &dir);
    publish_all(&spooling, &sent).await;
    spooling.close().await;
    assert_eq!(counts(&dir, "0"), (20, 20));
    broker.fail_publishes(None);
    let spooling = start(broker.clone(), &dir);
    assert_eq!(arrived(&mut broker.consumer(target()), 20).await, keys(&sent));
    spooling.close().await;
    assert_eq!(counts(&dir, "0"), (20, 0));
}

#[tokio::test]
async fn the_spool_of_a_process_that_is_gone_is_emptied_and_left() {
    let (broker, dir) = (MemoryBroker::new(), tempfile::tempdir().unwrap());
    let sent = messages(0..20);
    broker.fail_publishes(Some(PublishError::Timeout));
    let (first, second) = (start(broker.clone(), &dir), start(broker.clone(), &dir));
    publish_all(&first, &sent[..10]).await;
    publish_all(&second, &sent[10..]).await;
    // Its relays end, and its lock goes, as when it is killed.
    second.close().await;
    drop(second);
    broker.fail_publishes(None);
    assert_eq!(arrived(&mut broker.consumer(target()), 20).await, keys(&sent));
    first.close().await;
    assert_eq!((counts(&dir, "0"), counts(&dir, "1")), ((10, 0), (10, 0)));
    Spool::open(&dir.path().join("1"), SpoolSettings::default()).unwrap();
}

/// Answers nothing while it is silent, and then fails.
#[derive(Clone)]
struct Silent {
    speaks: Arc<Notify>,
    /// A permit for each publish.
    asked: Arc<Semaphore>,
}

#[async_trait]
impl Publisher for Silent {
    async fn publish(&self, _: &Message) -> Result<(), PublishError> {
        self.asked.add_permits(1);
        self.speaks.notified().await;
        Err(PublishError::Timeout)
    }

    fn is_ready(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn when_one_delivery_fails_all_in_flight_go_to_the_spool_at_once() {
    let (broker, dir) =
        (Silent { speaks: Arc::default(), asked: Arc::new(Semaphore::new(0)) }, tempfile::tempdir().unwrap());
    let spooling = start(broker.clone(), &dir);
    let sent = messages(0..2);
    let speaking = async {
        broker.asked.acquire_many(2).await.unwrap().forget();
        broker.speaks.notify_one();
    };
    let publishing = async { tokio::join!(spooling.publish(&sent[0]), spooling.publish(&sent[1]), speaking) };
    let (one, other, ()) =
        timeout(DEADLINE, publishing).await.expect("the second does not wait for the broker");
    assert_eq!((one, other), (Ok(()), Ok(())));
    spooling.close().await;
    assert_eq!(counts(&dir, "0"), (2, 2));
}

/// Refuses one message, and whatever is published beside it.
struct Poisoned {
    broker: MemoryBroker,
    poison: DeliveryKey,
    is_beside: AtomicBool,
}

#[async_trait]
impl Publisher for Poisoned {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        if message.key == self.poison {
            self.is_beside.store(true, Ordering::Relaxed);
            tokio::task::yield_now().await;
            self.is_beside.store(false, Ordering::Relaxed);
            return Err(PublishError::Nacked);
        }
        tokio::task::yield_now().await;
        if self.is_beside.load(Ordering::Relaxed) {
            return Err(PublishError::NotConnected);
        }
        self.broker.publish(message).await
    }

    fn is_ready(&self) -> bool {
        self.broker.is_ready()
    }
}

#[tokio::test]
async fn a_message_that_the_broker_always_refuses_is_set_aside_and_holds_up_nobody() {
    let (broker, dir) = (MemoryBroker::new(), tempfile::tempdir().unwrap());
    let sent = messages(0..40);
    let poison = sent[3].key;
    broker.fail_publishes(Some(PublishError::NotConnected));
    let poisoned = Poisoned { broker: broker.clone(), poison, is_beside: AtomicBool::new(false) };
    let spooling = start(poisoned, &dir);
    publish_all(&spooling, &sent[..20]).await;
    broker.fail_publishes(None);
    let mut consumer = broker.consumer(target());
    let others = [&sent[..3], &sent[4..20]].concat();
    assert_eq!(arrived(&mut consumer, 19).await, keys(&others));
    let file = dir.path().join(format!("refused/jodo-{poison}.json"));
    let patience = tokio::time::Instant::now() + DEADLINE;
    let mut more = messages(20..100_000).into_iter();
    while !file.exists() {
        assert!(tokio::time::Instant::now() < patience, "it was never set aside");
        // Each shows anew that the broker takes others.
        let next = more.next().unwrap();
        publish_all(&spooling, std::slice::from_ref(&next)).await;
        arrived(&mut consumer, 1).await;
    }
    assert_eq!(std::fs::read(file).unwrap(), sent[3].body);
    spooling.close().await;
    assert_eq!(counts(&dir, "0").1, 0);
}

#[tokio::test]
async fn a_delivery_is_refused_only_when_broker_and_disk_both_fail() {
    let (broker, dir) = (MemoryBroker::new(), tempfile::tempdir().unwrap());
    let full = SpoolPlace {
        settings: SpoolSettings { max_bytes: Some(1), ..SpoolSettings::default() },
        ..place(dir.path())
    };
    let spooling =
        SpoolingPublisher::start(Arc::new(broker.clone()), full, vec![target()], Traces::off()).unwrap();
    let sent = messages(0..3);
    publish_all(&spooling, &sent[..1]).await;
    broker.fail_publishes(Some(PublishError::NotConnected));
    assert_eq!(spooling.publish(&sent[1]).await, Err(PublishError::Disk));
    assert!(!spooling.is_ready());
    broker.fail_publishes(None);
    publish_all(&spooling, &sent[2..]).await;
    assert_eq!(arrived(&mut broker.consumer(target()), 2).await, keys(&[sent[0].clone(), sent[2].clone()]));
}
