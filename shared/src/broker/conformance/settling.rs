//! Cases about what comes again, and what does not.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::timeout;

use super::steps::{DEADLINE, QUIET, assert_empty, hand_outs, keys, limits, publish, settle, take};
use super::{Factory, message};
use crate::broker::{BatchLimits, PublishError, SettleError};

/// Not on this connection and not on the next one.
pub async fn settled_messages_do_not_come_again(factory: &impl Factory) {
    publish(factory, 30).await;
    let mut consumer = factory.consumer().await;
    let taken = take(consumer.as_mut(), 30).await;
    assert_eq!(settle(consumer.as_mut(), taken).await, Ok(()));
    assert_empty(consumer.as_mut()).await;
    consumer.give_back(Vec::new()).await;
    assert_empty(consumer.as_mut()).await;
    drop(consumer);
    assert_empty(factory.consumer().await.as_mut()).await;
}

/// Also what was fetched ahead, and for whichever consumer is next.
pub async fn what_is_given_back_comes_again_and_is_counted(factory: &impl Factory) {
    let sent = publish(factory, 10).await;
    let mut consumer = factory.consumer().await;
    for expected in 1..=3 {
        let taken = take(consumer.as_mut(), 10).await;
        assert_eq!(keys(&taken), sent.keys().copied().collect());
        assert_eq!(hand_outs(&taken), vec![expected; 10]);
        consumer.give_back(taken.into_iter().map(|delivery| delivery.receipt).collect()).await;
    }
    let mut other = factory.consumer().await;
    let taken = take(other.as_mut(), 10).await;
    assert_eq!(hand_outs(&taken), [4; 10]);
    assert_eq!(settle(other.as_mut(), taken).await, Ok(()));
}

/// A consumer that goes away without a word keeps nothing.
pub async fn what_a_dropped_consumer_held_comes_again(factory: &impl Factory) {
    let sent = publish(factory, 5).await;
    let mut consumer = factory.consumer().await;
    let taken = take(consumer.as_mut(), 5).await;
    drop(consumer);
    // As the process would at its end: nobody is left to tell.
    taken.into_iter().for_each(|delivery| std::mem::forget(delivery.receipt));
    let mut other = factory.consumer().await;
    let taken = take(other.as_mut(), 5).await;
    assert_eq!(keys(&taken), sent.keys().copied().collect());
    assert_eq!(hand_outs(&taken), [2; 5]);
    assert_eq!(settle(other.as_mut(), taken).await, Ok(()));
}

/// However often `next_batch` is dropped half-way, each message comes once.
pub async fn cancelling_next_batch_loses_nothing(factory: &impl Factory) {
    let mut consumer = factory.consumer().await;
    let sent = publish(factory, 40).await;
    let mut taken = Vec::new();
    // A batch of 100 will never be full, so the first of each pair waits until it is cancelled.
    let patient = BatchLimits { wait: DEADLINE, ..limits(100) };
    let hasty = BatchLimits { wait: Duration::ZERO, ..limits(7) };
    let mut patience = Duration::ZERO;
    while taken.len() < 40 {
        for limits in [&patient, &hasty] {
            taken.extend(timeout(patience, consumer.next_batch(limits)).await.unwrap_or_default());
        }
        patience = (patience + Duration::from_millis(1)).min(QUIET);
    }
    assert_eq!(taken.len(), 40);
    assert_eq!(keys(&taken), sent.keys().copied().collect());
    assert_eq!(hand_outs(&taken), [1; 40]);
    assert_eq!(settle(consumer.as_mut(), taken).await, Ok(()));
    assert_empty(consumer.as_mut()).await;
}

/// In any order and any portions; the rest goes back.
pub async fn some_of_a_batch_can_be_settled(factory: &impl Factory) {
    publish(factory, 9).await;
    let mut consumer = factory.consumer().await;
    let mut taken: Vec<_> = take(consumer.as_mut(), 9).await.into_iter().map(Some).collect();
    for portion in [vec![7, 1], vec![0], vec![4, 3, 8]] {
        let deliveries = portion.into_iter().filter_map(|index: usize| taken[index].take()).collect();
        assert_eq!(settle(consumer.as_mut(), deliveries).await, Ok(()));
    }
    let rest: Vec<_> = taken.into_iter().flatten().collect();
    let unsettled = keys(&rest);
    assert_eq!(unsettled.len(), 3);
    consumer.give_back(rest.into_iter().map(|delivery| delivery.receipt).collect()).await;
    let again = take(consumer.as_mut(), 3).await;
    assert_eq!(keys(&again), unsettled);
    assert_eq!(hand_outs(&again), [2; 3]);
    assert_eq!(settle(consumer.as_mut(), again).await, Ok(()));
    assert_empty(consumer.as_mut()).await;
}

/// The same consumer goes on by itself, and an old receipt settles nothing.
pub async fn a_cut_connection_hands_out_again_and_makes_receipts_void(factory: &impl Factory) {
    let sent = publish(factory, 10).await;
    let mut consumer = factory.consumer().await;
    let lost = take(consumer.as_mut(), 4).await;
    factory.cut().await;
    let taken = take(consumer.as_mut(), 10).await;
    assert_eq!(keys(&taken), sent.keys().copied().collect());
    assert_eq!(settle(consumer.as_mut(), lost).await, Err(SettleError));
    assert_eq!(settle(consumer.as_mut(), taken).await, Ok(()));
    assert_empty(consumer.as_mut()).await;
}

/// The publisher says so, and mends it.
pub async fn a_missing_queue_is_an_error_and_then_mended(factory: &impl Factory) {
    let publisher = factory.publisher().await;
    let sent = message(&factory.target(), "first");
    assert_eq!(publisher.publish(&sent).await, Ok(()));
    factory.delete_queue().await;
    assert_eq!(publisher.publish(&sent).await, Err(PublishError::Returned));
    assert_eq!(publisher.publish(&sent).await, Ok(()));
    let mut consumer = factory.consumer().await;
    let taken = take(consumer.as_mut(), 1).await;
    assert_eq!(taken[0].message, sent);
    assert_eq!(settle(consumer.as_mut(), taken).await, Ok(()));
    assert_empty(consumer.as_mut()).await;
}

/// A consumer notices, and mends it.
pub async fn a_deleted_queue_is_consumed_from_again(factory: &impl Factory) {
    let mut consumer = factory.consumer().await;
    publish(factory, 1).await;
    let taken = take(consumer.as_mut(), 1).await;
    assert_eq!(settle(consumer.as_mut(), taken).await, Ok(()));
    factory.delete_queue().await;
    let publisher = factory.publisher().await;
    let sent = message(&factory.target(), "after");
    let until_published = async {
        while publisher.publish(&sent).await.is_err() {
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
    };
    let taken = tokio::select! {
        taken = take(consumer.as_mut(), 1) => taken,
        () = until_published => Vec::new(),
    };
    assert_eq!(taken[0].message, sent);
    assert_eq!(settle(consumer.as_mut(), taken).await, Ok(()));
}

/// Each message comes to one of them.
pub async fn two_consumers_share_the_work(factory: &impl Factory) {
    let (mut one, mut other) = (factory.consumer().await, factory.consumer().await);
    // Both are there before the first message.
    assert_empty(one.as_mut()).await;
    assert_empty(other.as_mut()).await;
    let sent = publish(factory, 200).await;
    let mut seen = Vec::new();
    let small = limits(5);
    while seen.len() < 200 {
        tokio::select! {
            () = tokio::time::sleep(DEADLINE) => panic!("only {} of 200 came", seen.len()),
            batch = one.next_batch(&small) => {
                seen.extend(batch.iter().map(|delivery| delivery.message.key));
                assert_eq!(settle(one.as_mut(), batch).await, Ok(()));
            }
            batch = other.next_batch(&small) => {
                seen.extend(batch.iter().map(|delivery| delivery.message.key));
                assert_eq!(settle(other.as_mut(), batch).await, Ok(()));
            }
        }
    }
    assert_eq!(seen.len(), 200);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), sent.keys().copied().collect());
    assert_empty(one.as_mut()).await;
    assert_empty(other.as_mut()).await;
}
