//! Cases about what arrives, and in which batches.

use jiff::Timestamp;
use tokio::time::Instant;

use super::steps::{QUIET, batch, hand_outs, keys, limits, publish, publish_all, settle, take};
use super::{Factory, message, parsed};
use crate::broker::BatchLimits;
use crate::ids::DeliveryKey;
use crate::message::{Message, Peeked};
use crate::traces::TraceParent;

/// Bodies of every size up to the cap, and of any bytes.
pub async fn bodies_arrive_untouched(factory: &impl Factory) {
    let bodies = [
        Vec::new(),
        b"{\"event\":\"x\"}\n".to_vec(),
        (0..=255).collect(),
        vec![0; 1],
        (0..1_u32 << 18).flat_map(u32::to_be_bytes).collect(),
        vec![b'x'; 4 << 20],
    ];
    let sent: Vec<_> = bodies.into_iter().map(|body| message(&factory.target(), body)).collect();
    publish_all(factory, &sent).await;
    let mut consumer = factory.consumer().await;
    let taken = take(consumer.as_mut(), sent.len()).await;
    let received: Vec<_> = taken.iter().map(|delivery| delivery.message.clone()).collect();
    // Not assert_eq: nobody wants to read 4 MiB.
    assert!(received == sent, "not as sent");
    assert_eq!(settle(consumer.as_mut(), taken).await, Ok(()));
}

/// Every field of a message, with the longest and oddest texts that its types allow.
pub async fn every_field_arrives(factory: &impl Factory) {
    let plain = message(&factory.target(), "plain");
    let odd = Message {
        source: parsed(&"s".repeat(40)),
        tenant: parsed(&"T-.".repeat(13)),
        received_at: Timestamp::from_millisecond(-1).unwrap_or_default(),
        peeked: Peeked {
            event_id: Some(parsed(&format!("é{}", "ठ".repeat(63)))),
            code: Some(parsed(&"ठ\"".repeat(50))),
            time: Some(-1),
        },
        verified: false,
        signature: Some(parsed(&"0f".repeat(32))),
        redrive: true,
        trace: TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"),
        ..message(&factory.target(), "odd")
    };
    let odd = Message { key: DeliveryKey::of(&odd.source, &odd.body), ..odd };
    publish_all(factory, &[plain.clone(), odd.clone()]).await;
    let mut consumer = factory.consumer().await;
    let taken = take(consumer.as_mut(), 2).await;
    let received: Vec<_> = taken.iter().map(|delivery| delivery.message.clone()).collect();
    assert_eq!(received, [plain, odd]);
    assert_eq!(hand_outs(&taken), [1, 1]);
    assert_eq!(settle(consumer.as_mut(), taken).await, Ok(()));
}

/// Nothing hangs on who published, or on a consumer being there.
pub async fn what_was_published_outlives_publisher_and_consumer(factory: &impl Factory) {
    let sent = publish(factory, 20).await;
    factory.cut().await;
    let mut consumer = factory.consumer().await;
    let taken = take(consumer.as_mut(), 20).await;
    assert_eq!(keys(&taken), sent.keys().copied().collect());
    assert_eq!(settle(consumer.as_mut(), taken).await, Ok(()));
}

/// And in the order received.
pub async fn a_batch_ends_at_its_count(factory: &impl Factory) {
    let sent: Vec<_> = (0..7_u8).map(|n| message(&factory.target(), vec![n])).collect();
    publish_all(factory, &sent).await;
    let mut consumer = factory.consumer().await;
    let mut received = Vec::new();
    for expected in [3, 3, 1] {
        let batch = batch(consumer.as_mut(), &BatchLimits { messages: 3, ..limits(3) }).await;
        assert_eq!(batch.len(), expected);
        received.extend(batch.iter().map(|delivery| delivery.message.clone()));
        assert_eq!(settle(consumer.as_mut(), batch).await, Ok(()));
    }
    assert_eq!(received, sent);
}

/// A batch never has more body bytes than asked for.
pub async fn a_batch_ends_at_its_bytes(factory: &impl Factory) {
    let sent: Vec<_> = (0..6_u8).map(|n| message(&factory.target(), vec![n; 1_000])).collect();
    publish_all(factory, &sent).await;
    let mut consumer = factory.consumer().await;
    let bounded = BatchLimits { bytes: 2_500, ..limits(100) };
    for _ in 0..3 {
        let batch = batch(consumer.as_mut(), &bounded).await;
        assert_eq!(batch.len(), 2);
        assert_eq!(settle(consumer.as_mut(), batch).await, Ok(()));
    }
}

/// A batch does not wait for messages that may never come.
pub async fn a_batch_ends_when_nothing_more_comes(factory: &impl Factory) {
    publish(factory, 2).await;
    let mut consumer = factory.consumer().await;
    let long = BatchLimits { wait: QUIET, ..limits(100) };
    let before = Instant::now();
    let batch = batch(consumer.as_mut(), &long).await;
    assert!(before.elapsed() >= QUIET);
    assert_eq!(batch.len(), 2);
    assert_eq!(settle(consumer.as_mut(), batch).await, Ok(()));
}

/// A message that no batch has room for is not left lying.
pub async fn a_message_larger_than_the_limit_comes_alone(factory: &impl Factory) {
    let sizes = [10, 5_000, 10, 10];
    let sent: Vec<_> =
        (0_u8..).zip(sizes).map(|(n, size)| message(&factory.target(), vec![n; size])).collect();
    publish_all(factory, &sent).await;
    let mut consumer = factory.consumer().await;
    let bounded = BatchLimits { bytes: 1_000, wait: QUIET, ..limits(100) };
    for expected in [vec![10], vec![5_000], vec![10, 10]] {
        let batch = batch(consumer.as_mut(), &bounded).await;
        let lengths: Vec<_> = batch.iter().map(|delivery| delivery.message.body.len()).collect();
        assert_eq!(lengths, expected);
        assert_eq!(settle(consumer.as_mut(), batch).await, Ok(()));
    }
}
