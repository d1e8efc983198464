//! Queues that are not as we would have them, and messages that are not ours.

use std::time::Duration;

use jodo_shared::broker::amqp::AmqpConsumer;
use jodo_shared::broker::amqp::topology::{dead_letter_queue_name, queue_name};
use jodo_shared::broker::conformance::message;
use jodo_shared::broker::{Consumer as _, PublishError, Publisher as _};
use jodo_test_support::Services;
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::options::{BasicGetOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio_util::sync::CancellationToken;

use crate::rig::{
    DEADLINE, Operator, assert_refused, consumer, declare_like_ours, next_batch, publish_at_last, publisher,
    publisher_within, receipts, target, until,
};

#[tokio::test]
async fn a_foreign_message_goes_to_the_dead_letters_and_harms_no_other() {
    let url = Services::from_env().amqp_url().await;
    let target = target();
    let publisher = publisher(url, &[&target]).await;
    let operator = Operator::at(url).await;
    for body in ["one", "two"] {
        assert_eq!(publisher.publish(&message(&target, body)).await, Ok(()));
        let queue = queue_name(&target);
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let foreign =
            operator.channel.basic_publish("".into(), queue.as_str().into(), options, b"foreign", properties);
        foreign.await.unwrap();
    }
    let mut consumer = consumer(url, &target);
    let mut taken = Vec::new();
    while taken.len() < 2 {
        taken.extend(next_batch(&mut consumer).await);
    }
    let bodies: Vec<_> = taken.iter().map(|delivery| delivery.message.body.clone()).collect();
    assert_eq!(bodies, ["one", "two"]);
    consumer.settle(receipts(taken)).await.unwrap();
    let dead_letters = async {
        for _ in 0..2 {
            until("a dead letter", async || {
                let queue = dead_letter_queue_name(&target);
                let options = BasicGetOptions { no_ack: true };
                let got = operator.channel.basic_get(queue.into(), options).await.unwrap();
                got.is_some_and(|dead| {
                    assert_eq!(dead.delivery.data, b"foreign");
                    // Not after it had come back a thousand times.
                    assert_eq!(reason_of_death(&dead.delivery), "rejected");
                    true
                })
            })
            .await;
        }
    };
    tokio::select! {
        batch = next_batch(&mut consumer) => panic!("{} more came", batch.len()),
        () = dead_letters => {}
    }
    drop(consumer);
    operator.clean_up(&[&target]).await;
}

#[tokio::test]
async fn a_queue_that_differs_only_in_its_limits_is_used_as_it_is() {
    let url = Services::from_env().amqp_url().await;
    let target = target();
    let operator = Operator::at(url).await;
    let limit = |name, limit| (name, AMQPValue::LongLongInt(limit));
    declare_like_ours(&operator, &target, &[limit("x-max-length", 1_000), limit("x-delivery-limit", 50)])
        .await;
    let publisher = publisher(url, &[&target]).await;
    assert_eq!(publisher.publish(&message(&target, "as it is")).await, Ok(()));
    let mut consumer = consumer(url, &target);
    let batch = next_batch(&mut consumer).await;
    assert_eq!(batch.len(), 1);
    consumer.settle(receipts(batch)).await.unwrap();
    drop(consumer);
    operator.clean_up(&[&target]).await;
}

#[tokio::test]
async fn a_queue_that_could_lose_is_not_published_to_until_it_is_gone_but_is_consumed() {
    let url = Services::from_env().amqp_url().await;
    let (bounded, fleeting, classic) = (target(), target(), target());
    let operator = Operator::at(url).await;
    // Behind a difference that would be lived with.
    let drop_head = ("x-overflow", AMQPValue::LongString("drop-head".into()));
    declare_like_ours(&operator, &bounded, &[("x-max-length", AMQPValue::LongLongInt(1)), drop_head]).await;
    for (target, durable) in [(&fleeting, false), (&classic, true)] {
        let options = QueueDeclareOptions { durable, ..QueueDeclareOptions::default() };
        let queue = queue_name(target);
        operator.channel.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap();
    }
    for target in [&bounded, &fleeting, &classic] {
        let publisher = publisher_within(DEADLINE, url, &[target]);
        let queue = queue_name(target);
        // The first thing that a publisher declares is the dead letters' queue.
        until("the queues are looked at", async || operator.exists(&dead_letter_queue_name(target)).await)
            .await;
        let refused = tokio::time::timeout(Duration::from_millis(500), publisher.until_connected()).await;
        assert!(refused.is_err(), "{target} was taken");
        assert_refused(&publisher, target, PublishError::NotConnected).await;
        assert!(!publisher.is_ready());
        let mut consumer = consumer(url, target);
        tokio::select! {
            batch = next_batch(&mut consumer) => panic!("{} came from an empty queue", batch.len()),
            () = until("it is consumed from", async || operator.consumers(target).await == 1) => {}
        }
        drop(consumer);
        operator.delete(queue).await;
        publish_at_last(&publisher, target, "after").await;
        operator.clean_up(&[target]).await;
    }
}

#[tokio::test]
async fn a_consumer_takes_nothing_after_shutdown_and_gives_everything_back() {
    let url = Services::from_env().amqp_url().await;
    let target = target();
    let publisher = publisher(url, &[&target]).await;
    for number in 0..20 {
        assert_eq!(publisher.publish(&message(&target, format!("{number}"))).await, Ok(()));
    }
    let shutdown = CancellationToken::new();
    let mut consumer = AmqpConsumer::new(url.into(), target.clone(), 10, shutdown.clone());
    let batch = next_batch(&mut consumer).await;
    shutdown.cancel();
    assert!(next_batch(&mut consumer).await.is_empty());
    consumer.give_back(receipts(batch)).await;
    // The consumer is still there, and holds nothing.
    let operator = Operator::at(url).await;
    operator.until_count(&target, 20).await;
    drop(consumer);
    operator.clean_up(&[&target]).await;
}

/// Why a dead letter is one, in the broker's word.
fn reason_of_death(dead: &Delivery) -> String {
    let headers = dead.properties.headers().as_ref().unwrap();
    match headers.inner().get("x-first-death-reason").unwrap() {
        AMQPValue::LongString(reason) => reason.to_string(),
        other => panic!("{other:?} is no word"),
    }
}

#[tokio::test]
async fn shutdown_ends_the_consuming_of_those_at_work_as_well() {
    let url = Services::from_env().amqp_url().await;
    let target = target();
    let operator = Operator::at(url).await;
    let publisher = publisher(url, &[&target]).await;
    let shutdown = CancellationToken::new();
    let mut busy = AmqpConsumer::new(url.into(), target.clone(), u16::MAX, shutdown.clone());
    assert_eq!(publisher.publish(&message(&target, "work")).await, Ok(()));
    let batch = next_batch(&mut busy).await;
    shutdown.cancel();
    // What another one gives back does not come here, to go back once more and be counted again.
    until("a message stays in the queue", async || {
        assert_eq!(publisher.publish(&message(&target, "more")).await, Ok(()));
        operator.count(&target).await > 0
    })
    .await;
    assert_eq!(busy.settle(receipts(batch)).await, Ok(()));
    busy.give_back(Vec::new()).await;
    let batch = next_batch(&mut consumer(url, &target)).await;
    assert!(batch.iter().any(|delivery| delivery.hand_outs == 1), "what stayed was handed out to nobody");
    operator.clean_up(&[&target]).await;
}
