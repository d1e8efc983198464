//! Alarms and bounds that an operator sets: the broker takes no more publishes, but goes on handing out.

use jodo_shared::broker::amqp::topology::queue_name;
use jodo_shared::broker::conformance::message;
use jodo_shared::broker::{Consumer as _, PublishError, Publisher as _};
use jodo_test_support::RabbitMq;
use tokio::time::timeout;

use crate::rig::{
    DEADLINE, Operator, assert_refused, consume_up_to, consumer, publish_at_last, publisher, target, until,
};

#[tokio::test]
async fn an_alarm_blocks_publishing_at_once_but_neither_consuming_nor_what_comes_after_it() {
    // One of its own: an alarm concerns everybody.
    let rabbitmq = RabbitMq::start().await;
    let target = target();
    let publisher = publisher(rabbitmq.url(), &[&target]).await;
    let mut consumer = consumer(rabbitmq.url(), &target);
    publish_at_last(&publisher, &target, "before").await;

    rabbitmq.ctl(&["set_vm_memory_high_watermark", "absolute", "1MB"]).await;
    // RabbitMQ tells a publisher of an alarm when it publishes.
    let verdict = timeout(DEADLINE, async {
        loop {
            if let Err(error) = publisher.publish(&message(&target, "more")).await {
                return error;
            }
        }
    });
    assert_eq!(verdict.await.unwrap(), PublishError::Blocked);
    assert!(!publisher.is_ready());
    assert_refused(&publisher, &target, PublishError::Blocked).await;

    consume_up_to(&mut consumer, "before").await;
    // Nothing that was settled comes back, so the broker has heard of it.
    consumer.give_back(Vec::new()).await;
    let operator = Operator::at(rabbitmq.url()).await;
    operator.until_count(&target, 0).await;

    rabbitmq.ctl(&["set_vm_memory_high_watermark", "0.6"]).await;
    until("the publisher is ready", async || publisher.is_ready()).await;
    publish_at_last(&publisher, &target, "after").await;
    consume_up_to(&mut consumer, "after").await;
}

#[tokio::test]
async fn a_bound_that_an_operator_takes_away_again_holds_nobody_up() {
    // One of its own: a policy is the operator's.
    let rabbitmq = RabbitMq::start().await;
    let target = target();
    let publisher = publisher(rabbitmq.url(), &[&target]).await;
    let (pattern, bound) = (format!("^{}$", queue_name(&target)), r#"{"max-length": 1}"#);
    rabbitmq.ctl(&["set_policy", "--apply-to", "queues", "bound", &pattern, bound]).await;
    let refused = timeout(DEADLINE, async {
        let mut taken = 0;
        while publisher.publish(&message(&target, format!("{taken}"))).await != Err(PublishError::Nacked) {
            taken += 1;
        }
    });
    refused.await.expect("the bound is reached");
    rabbitmq.ctl(&["clear_policy", "bound"]).await;
    // Nobody consumes, so that nothing but the policy's end makes room.
    publish_at_last(&publisher, &target, "after").await;
}
