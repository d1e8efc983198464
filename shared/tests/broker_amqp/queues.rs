//! Queues that are not as we would have them, and messages that are not ours.

use jodo_shared::broker::amqp::AmqpConsumer;
use jodo_shared::broker::amqp::topology::{dead_letter_queue_name, queue_name};
use jodo_shared::broker::conformance::message;
use jodo_shared::broker::{Consumer as _, Publisher as _};
use jodo_test_support::Services;
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::options::{BasicGetOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use tokio_util::sync::CancellationToken;

use crate::rig::{Operator, consumer, next_batch, publisher, receipts, target, until};

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
async fn a_queue_that_an_operator_declared_otherwise_is_used_as_it_is() {
    let url = Services::from_env().amqp_url().await;
    let target = target();
    let operator = Operator::at(url).await;
    let (queue, durable) = (queue_name(&target), QueueDeclareOptions::durable());
    operator.channel.queue_declare(queue.into(), durable, FieldTable::default()).await.unwrap();
    let publisher = publisher(url, &[&target]).await;
    assert_eq!(publisher.publish(&message(&target, "classic")).await, Ok(()));
    let mut consumer = consumer(url, &target);
    let batch = next_batch(&mut consumer).await;
    assert_eq!(batch.len(), 1);
    consumer.settle(receipts(batch)).await.unwrap();
    drop(consumer);
    operator.clean_up(&[&target]).await;
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
