//! Connections that break, fall silent, or never come about.

use std::time::Duration;

use jodo_shared::broker::conformance::message;
use jodo_shared::broker::{Consumer as _, PublishError, Publisher as _};
use jodo_test_support::{FaultProxy, RabbitMq, Services};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::rig::{
    DEADLINE, Operator, assert_refused, consume_up_to, consumer, next_batch, publish_at_last, publisher,
    publisher_within, receipts, target, until, until_unready,
};

/// A silent connection is given up after two heartbeats.
const HEARTBEAT: &str = "?heartbeat=3";

#[tokio::test]
async fn without_a_connection_publishing_fails_at_once_and_recovers_by_itself() {
    let url = Services::from_env().amqp_url().await;
    let proxy = FaultProxy::in_front_of(url).await;
    proxy.cut().await;
    let target = target();
    // At once: whoever waited for a confirm would hear of a timeout.
    let publisher = publisher_within(DEADLINE, &proxy.reroute(url), &[&target]);
    for round in ["first", "second"] {
        assert_refused(&publisher, &target, PublishError::NotConnected).await;
        assert!(!publisher.is_ready());
        proxy.heal().await;
        publish_at_last(&publisher, &target, round).await;
        assert!(publisher.is_ready());
        // What is under way when the connection is lost is told so, too.
        assert_eq!(proxy.stall().await, 1);
        let under_way = message(&target, "under way");
        let (verdict, cut) = tokio::join!(publisher.publish(&under_way), proxy.cut());
        assert_eq!((verdict, cut), (Err(PublishError::NotConnected), 1));
        until_unready(&publisher).await;
    }
    Operator::at(url).await.clean_up(&[&target]).await;
}

#[tokio::test]
async fn a_publisher_gives_a_silent_connection_up_and_dials_anew() {
    let url = Services::from_env().amqp_url().await;
    let proxy = FaultProxy::in_front_of(url).await;
    let target = target();
    let url_with_heartbeat = format!("{}{HEARTBEAT}", proxy.reroute(url));
    let publisher = publisher_within(Duration::from_millis(200), &url_with_heartbeat, &[&target]);
    timeout(DEADLINE, publisher.until_connected()).await.unwrap();
    assert_eq!(proxy.stall().await, 1);
    assert_refused(&publisher, &target, PublishError::Timeout).await;
    until_unready(&publisher).await;
    assert_refused(&publisher, &target, PublishError::NotConnected).await;
    // New connections are accepted, and are as silent.
    until("a second connection", async || proxy.open() > 1).await;
    proxy.cut().await;
    proxy.heal().await;
    publish_at_last(&publisher, &target, "at last").await;
    Operator::at(url).await.clean_up(&[&target]).await;
}

#[tokio::test]
async fn a_consumer_gives_a_silent_connection_up_and_dials_anew() {
    let url = Services::from_env().amqp_url().await;
    let proxy = FaultProxy::in_front_of(url).await;
    let target = target();
    let publisher = publisher(url, &[&target]).await;
    let mut consumer = consumer(&format!("{}{HEARTBEAT}", proxy.reroute(url)), &target);
    publish_at_last(&publisher, &target, "before").await;
    let before = next_batch(&mut consumer).await;
    assert_eq!(proxy.stall().await, 1);
    publish_at_last(&publisher, &target, "during").await;
    tokio::select! {
        batch = next_batch(&mut consumer) => panic!("{} came through a stalled wire", batch.len()),
        () = until("a second connection", async || proxy.open() > 1) => {}
    }
    // Only now does the broker hear that the old one is gone.
    proxy.cut().await;
    proxy.heal().await;
    let mut taken = Vec::new();
    while taken.len() < 2 {
        taken.extend(next_batch(&mut consumer).await);
    }
    let mut bodies: Vec<_> = taken.iter().map(|delivery| &*delivery.message.body).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, [b"before", b"during"]);
    consumer.settle(receipts(before)).await.expect_err("they came on a connection that is gone");
    consumer.settle(receipts(taken)).await.unwrap();
    drop(consumer);
    Operator::at(url).await.clean_up(&[&target]).await;
}

#[tokio::test]
async fn a_handshake_without_an_answer_is_given_up_and_its_connection_closed() {
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("amqp://guest:guest@{}/%2f", mute.local_addr().unwrap());
    let _publisher = publisher_within(DEADLINE, &url, &[&target()]);
    let (mut first, _) = timeout(DEADLINE, mute.accept()).await.unwrap().unwrap();
    let mut greeting = Vec::new();
    // Returns at the end of the stream, which the client alone can bring about.
    let read = timeout(DEADLINE, first.read_to_end(&mut greeting)).await.unwrap();
    assert_eq!((read.unwrap(), greeting.as_slice()), (8, b"AMQP\0\0\x09\x01".as_slice()));
    timeout(DEADLINE, mute.accept()).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_was_confirmed_outlives_a_stop_and_a_kill_of_the_broker() {
    let rabbitmq = RabbitMq::start().await;
    let target = target();
    let publisher = publisher(rabbitmq.url(), &[&target]).await;
    let mut consumer = consumer(rabbitmq.url(), &target);
    // In good order first: RabbitMQ 3.10 has not yet saved who belongs to a quorum queue when it is killed shortly
    // after declaring one, and then that queue has no leader for good.
    for way in ["stop", "kill"] {
        let (before, after) = (format!("before the {way}"), format!("after the {way}"));
        publish_at_last(&publisher, &target, &before).await;
        match way {
            "stop" => rabbitmq.stop().await,
            _ => rabbitmq.kill(),
        }
        until_unready(&publisher).await;
        assert_refused(&publisher, &target, PublishError::NotConnected).await;
        rabbitmq.start_again().await;
        consume_up_to(&mut consumer, &before).await;
        publish_at_last(&publisher, &target, &after).await;
        consume_up_to(&mut consumer, &after).await;
    }
}
