//! What the broker's word on a publish is taken for.

use std::time::Duration;

use futures_util::future::join_all;
use jodo_shared::broker::amqp::AmqpPublisher;
use jodo_shared::broker::amqp::topology::queue_name;
use jodo_shared::broker::conformance::message;
use jodo_shared::broker::{PublishError, Publisher as _};
use jodo_shared::ids::TargetName;
use jodo_test_support::{FaultProxy, Services};
use lapin::options::QueuePurgeOptions;
use lapin::types::AMQPValue;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::rig::{
    DEADLINE, Operator, assert_refused, consume_up_to, consumer, declare_like_ours, publish_at_last,
    publisher, target, until_unready,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_returned_message_is_never_taken_for_a_confirmed_one() {
    let url = Services::from_env().amqp_url().await;
    let (stays, goes) = (target(), target());
    let publisher = publisher(url, &[&stays, &goes]).await;
    let operator = Operator::at(url).await;
    let (mut confirmed, mut returned) = (0, 0);
    for round in 0..5 {
        operator.delete(queue_name(&goes)).await;
        let messages: Vec<_> = (0..400)
            .map(|number| message(if number % 2 == 0 { &stays } else { &goes }, format!("{round}.{number}")))
            .collect();
        let verdicts = join_all(messages.iter().map(|message| publisher.publish(message))).await;
        // The queue is back, at the latest, when somebody needs it.
        publish_at_last(&publisher, &goes, "one more").await;
        let said_durable = |target: &TargetName| {
            let both = messages.iter().zip(&verdicts);
            both.filter(|(message, verdict)| message.target == *target && verdict.is_ok()).count()
        };
        // Never more than are there; fewer may be, where a notice was for another message.
        let arrived = operator.count(&stays).await;
        assert!(said_durable(&stays) <= arrived, "{} > {arrived}", said_durable(&stays));
        let arrived = operator.count(&goes).await;
        assert!(said_durable(&goes) < arrived, "{} and one more > {arrived}", said_durable(&goes));
        confirmed += verdicts.iter().filter(|verdict| verdict.is_ok()).count();
        returned += verdicts.iter().filter(|verdict| **verdict == Err(PublishError::Returned)).count();
        operator.channel.queue_purge(queue_name(&stays).into(), QueuePurgeOptions::default()).await.unwrap();
    }
    assert!(confirmed > 0 && returned > 0, "{confirmed} confirmed, {returned} returned: nothing was tried");
    operator.clean_up(&[&stays, &goes]).await;
}

#[tokio::test]
async fn thousands_of_publishes_under_way_at_once_are_confirmed() {
    let url = Services::from_env().amqp_url().await;
    let target = target();
    let publisher = publisher(url, &[&target]).await;
    let messages: Vec<_> = (0..5_000).map(|number| message(&target, format!("{number}"))).collect();
    let verdicts = join_all(messages.iter().map(|message| publisher.publish(message))).await;
    assert!(verdicts.iter().all(Result::is_ok));
    let operator = Operator::at(url).await;
    assert_eq!(operator.count(&target).await, 5_000);
    operator.clean_up(&[&target]).await;
}

#[tokio::test]
async fn a_confirm_that_comes_after_its_caller_gave_up_is_no_other_publish_s() {
    let url = Services::from_env().amqp_url().await;
    let proxy = FaultProxy::in_front_of(url).await;
    let (stays, goes) = (target(), target());
    let publisher = publisher(&proxy.reroute(url), &[&stays, &goes]).await;
    let operator = Operator::at(url).await;
    operator.delete(queue_name(&goes)).await;
    assert_eq!(proxy.stall().await, 1);
    for number in 0..3 {
        let late = message(&stays, format!("{number}"));
        timeout(Duration::from_millis(50), publisher.publish(&late)).await.expect_err("the wire is stalled");
    }
    assert_eq!(operator.count(&stays).await, 0);
    // Their confirms and the word on this one come at about the same time, in any order.
    let lost = message(&goes, "lost");
    let (verdict, ()) = tokio::join!(publisher.publish(&lost), proxy.heal());
    assert_eq!(verdict, Err(PublishError::Returned));
    // Whoever gave up does not know what becomes of the message.
    operator.until_count(&stays, 3).await;
    publish_at_last(&publisher, &goes, "at last").await;
    operator.clean_up(&[&stays, &goes]).await;
}

#[tokio::test]
async fn a_queue_that_takes_no_more_is_a_refusal_and_no_outage() {
    let url = Services::from_env().amqp_url().await;
    let target = target();
    let operator = Operator::at(url).await;
    declare_like_ours(&operator, &target, &[("x-max-length", AMQPValue::LongLongInt(1))]).await;
    let publisher = publisher(url, &[&target]).await;
    // A quorum queue takes a few more than its limit.
    let mut taken = 0;
    let error = loop {
        match publisher.publish(&message(&target, format!("{taken}"))).await {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 1_000, "it takes everything");
    };
    assert_eq!(error, PublishError::Nacked);
    assert_refused(&publisher, &target, PublishError::Nacked).await;
    assert!(publisher.is_ready());
    let mut consumer = consumer(url, &target);
    consume_up_to(&mut consumer, &format!("{}", taken - 1)).await;
    publish_at_last(&publisher, &target, "fits again").await;
    drop(consumer);
    operator.clean_up(&[&target]).await;
}

#[tokio::test]
async fn shutdown_answers_what_is_under_way_and_takes_nothing_new() {
    let url = Services::from_env().amqp_url().await;
    let target = target();
    let shutdown = CancellationToken::new();
    let publisher = AmqpPublisher::start(url.into(), vec![target.clone()], DEADLINE, shutdown.clone());
    timeout(DEADLINE, publisher.until_connected()).await.unwrap();
    let messages: Vec<_> = (0..20).map(|number| message(&target, format!("{number}"))).collect();
    let publishing = join_all(messages.iter().map(|message| publisher.publish(message)));
    let (verdicts, ()) = tokio::join!(publishing, async {
        // By now all of them are handed in.
        tokio::task::yield_now().await;
        shutdown.cancel();
    });
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
    until_unready(&publisher).await;
    assert_refused(&publisher, &target, PublishError::NotConnected).await;
    let operator = Operator::at(url).await;
    assert_eq!(operator.count(&target).await, 20);
    operator.clean_up(&[&target]).await;
}
