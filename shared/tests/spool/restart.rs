//! What a process finds after another has ended.

use std::collections::BTreeSet;

use jodo_shared::broker::spool::look;
use jodo_shared::broker::{PublishError, SettleError};

use super::*;

#[tokio::test]
async fn what_is_unsettled_at_the_end_comes_again_first_and_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let sent = bodies(6);
    for expected in 1..=3 {
        let spool = open(&dir, settings());
        if expected == 1 {
            publish_all(&spool, &sent).await;
        }
        let mut consumer = spool.consumer(target());
        let taken = take(&mut consumer, 4).await;
        assert_eq!(seen(&taken), counted(&sent[..4], expected));
        // One way to end or the other.
        if expected == 1 {
            spool.close().await;
        }
        forget(taken);
    }
    let spool = open(&dir, settings());
    let mut consumer = spool.consumer(target());
    let taken = take(&mut consumer, 6).await;
    assert_eq!(seen(&taken), [counted(&sent[..4], 4), counted(&sent[4..], 1)].concat());
    settle(&mut consumer, taken).await;
}

#[tokio::test]
async fn what_is_settled_stays_settled() {
    let dir = tempfile::tempdir().unwrap();
    let sent = bodies(5);
    let spool = open(&dir, settings());
    publish_all(&spool, &sent).await;
    let mut consumer = spool.consumer(target());
    let mut taken = take(&mut consumer, 5).await;
    let rest = taken.split_off(3);
    settle(&mut consumer, taken).await;
    forget(rest);
    drop((spool, consumer));
    let spool = open(&dir, settings());
    let mut consumer = spool.consumer(target());
    let taken = take(&mut consumer, 2).await;
    assert_eq!(seen(&taken), counted(&sent[3..], 2));
    settle(&mut consumer, taken).await;
    drop((spool, consumer));
    let seen = look(dir.path()).unwrap().targets[&target()];
    assert_eq!((seen.waiting, seen.oldest_waiting, seen.total), (0, None, 5));
}

#[tokio::test]
async fn what_nobody_saw_is_not_counted_as_handed_out() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir, settings());
    let sent = bodies(40);
    publish_all(&spool, &sent).await;
    let hasty = BatchLimits { messages: 40, bytes: 1 << 20, wait: Duration::ZERO };
    // Dropped at some point between asking and getting, with the consumer or before it gives back.
    for round in 0..200_u32 {
        let mut consumer = spool.consumer(target());
        let patience = Duration::from_micros(u64::from(round) * 10);
        if let Ok(batch) = timeout(patience, consumer.next_batch(&hasty)).await {
            // Seen, and so counted: take it out of this test.
            assert!(batch.iter().all(|delivery| delivery.hand_outs == 1), "round {round}");
            assert_eq!(seen(&batch), counted(&sent, 1));
            settle(&mut consumer, batch).await;
            publish_all(&spool, &sent).await;
        } else if round % 2 == 0 {
            consumer.give_back(Vec::new()).await;
        }
    }
    let mut consumer = spool.consumer(target());
    let taken = take(&mut consumer, 40).await;
    assert_eq!(seen(&taken), counted(&sent, 1));
    settle(&mut consumer, taken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_many_publishers_were_told_is_durable_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir, SpoolSettings { max_file_bytes: 300_000, ..SpoolSettings::default() });
    let publishers = (0..64_u8).map(|publisher| {
        let spool = spool.clone();
        tokio::spawn(async move {
            let sent: Vec<_> = (0..20_u8).map(|n| message(&target(), [publisher, n].repeat(500))).collect();
            publish_all(&spool, &sent).await;
            sent.into_iter().map(|message| message.key).collect::<Vec<_>>()
        })
    });
    let mut sent = BTreeSet::new();
    for publisher in publishers.collect::<Vec<_>>() {
        sent.extend(publisher.await.unwrap());
    }
    drop(spool);
    assert!(names(dir.path(), ".db").len() > 3);
    assert_eq!(names(dir.path(), "-wal"), [""; 0], "closed");
    let mut consumer = open(&dir, settings()).consumer(target());
    let seen = take_and_settle(&mut consumer, sent.len()).await;
    assert!(seen.iter().all(|(_, hand_outs)| *hand_outs == 1));
    assert_eq!(seen.into_iter().map(|(message, _)| message.key).collect::<BTreeSet<_>>(), sent);
}

#[tokio::test]
async fn each_target_has_its_own_queue() {
    let dir = tempfile::tempdir().unwrap();
    let other: TargetName = "other".parse().unwrap();
    let (one, two) = (message(&target(), "1"), message(&other, "2"));
    publish_all(&open(&dir, settings()), &[one.clone(), two.clone()]).await;
    let spool = open(&dir, settings());
    let mut consumer = spool.consumer(other);
    assert_eq!(take_and_settle(&mut consumer, 1).await, counted(&[two], 1));
    assert_eq!(take_and_settle(&mut spool.consumer(target()), 1).await, counted(&[one], 1));
}

#[tokio::test]
async fn a_closed_spool_takes_and_gives_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir, settings());
    let mut consumer = spool.consumer(target());
    publish_all(&spool, &bodies(2)).await;
    let taken = take(&mut consumer, 1).await;
    assert!(spool.is_ready());
    spool.close().await;
    spool.close().await;
    assert_eq!(spool.publish(&bodies(1)[0]).await, Err(PublishError::NotConnected));
    let receipts = taken.into_iter().map(|delivery| delivery.receipt).collect();
    assert_eq!(consumer.settle(receipts).await, Err(SettleError));
    consumer.give_back(Vec::new()).await;
    let limits = BatchLimits::default();
    assert!(timeout(Duration::from_millis(50), consumer.next_batch(&limits)).await.is_err());
    let mut consumer = open(&dir, settings()).consumer(target());
    assert_eq!(take_and_settle(&mut consumer, 2).await.len(), 2);
}
