//! RabbitMQ fails: deliveries are taken all the same, and reach the database when it is back.

use jodo_test_support::school::send;
use jodo_test_support::{RabbitMq, fresh_database};

use crate::cluster::{Cluster, DEADLINE, Places, SECRET};
use crate::faults::{a_history, all_accepted, ends_well, places, undisturbed};

/// What a broker that fails costs: a second at most.
const QUICK: (&str, &str) = ("BROKER__CONFIRM_TIMEOUT_MS", "1000");

async fn with_own_broker(rabbitmq: &RabbitMq) -> (Cluster, jodo_test_support::TestDatabase) {
    let database = fresh_database().await;
    let places = Places { amqp: rabbitmq.url().to_owned(), ..places(None, &database).await };
    let cluster = Cluster::at(places, 2, &[QUICK]).await;
    cluster.ready().await;
    (cluster, database)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_stops_and_one_that_falls_silent_cost_no_answer_and_no_row() {
    let (history, order) = a_history();
    let rabbitmq = RabbitMq::start().await;
    let (cluster, _database) = with_own_broker(&rabbitmq).await;
    let parts: Vec<_> = order.chunks(order.len().div_ceil(5)).collect();
    all_accepted(&cluster, &history, parts[0]).await;
    rabbitmq.stop().await;
    all_accepted(&cluster, &history, parts[1]).await;
    rabbitmq.start_again_with_leaders().await;
    all_accepted(&cluster, &history, parts[2]).await;
    cluster.ingress.wait_for_line("deliveries go to the broker again", DEADLINE).await;
    rabbitmq.suspend();
    all_accepted(&cluster, &history, parts[3]).await;
    rabbitmq.resume();
    all_accepted(&cluster, &history, parts[4]).await;
    ends_well(&cluster, &history).await;
    assert_eq!(cluster.dump().await, undisturbed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_replica_had_in_its_spool_is_taken_over_by_the_other() {
    let (history, order) = a_history();
    let rabbitmq = RabbitMq::start().await;
    let (cluster, _database) = with_own_broker(&rabbitmq).await;
    let (mut other, url) = cluster.another_ingress().await;
    rabbitmq.stop().await;
    let (half, rest) = order.split_at(order.len() / 2);
    let (first, second) = tokio::join!(cluster.send(&history, half), send(&url, SECRET, &history, rest, 64));
    assert_eq!(first.get("200 OK"), Some(&half.len()), "{first:?}");
    let second = second.expect("a client");
    assert_eq!(second.get("200 OK"), Some(&rest.len()), "{second:?}");
    other.kill9();
    rabbitmq.start_again_with_leaders().await;
    cluster.ingress.wait_for_line("took over the spool", DEADLINE).await;
    ends_well(&cluster, &history).await;
    assert_eq!(cluster.dump().await, undisturbed().await);
}
