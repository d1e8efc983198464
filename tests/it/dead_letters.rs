//! What RabbitMQ has given up: seen, and put back by a person.

use std::time::Duration;

use jodo_shared::broker::amqp::topology::{dead_letter_queue_name, queue_name};
use jodo_test_support::Services;
use jodo_test_support::school::history;
use lapin::options::{BasicGetOptions, BasicNackOptions};
use lapin::{Connection, ConnectionProperties};

use crate::cluster::{Cluster, DEADLINE, until};

/// Runs the operator's program: its exit code and what it said.
async fn operator(cluster: &Cluster, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = cluster.operator();
    command.args(arguments);
    let output =
        tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it runs");
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said)).concat();
    (output.status.code(), said)
}

/// Takes so many deliveries and refuses them, as a worker that cannot read them; then adds one that is nobody's.
async fn kill(cluster: &Cluster, deliveries: usize) {
    let target = cluster.target.parse().expect("a name");
    let url = Services::from_env().amqp_url().await;
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("connected");
    let channel = connection.create_channel().await.expect("a channel");
    // It may come by way of the spool, and so a moment later.
    let get = async || {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            let got = channel.basic_get(queue_name(&target).into(), BasicGetOptions::default()).await;
            if let Some(got) = got.expect("an answer") {
                return got;
            }
        }
    };
    for _ in 0..deliveries {
        let got = tokio::time::timeout(DEADLINE, get()).await.expect("a delivery");
        let no_more = BasicNackOptions { requeue: false, ..BasicNackOptions::default() };
        got.delivery.acker.nack(no_more).await.expect("refused");
    }
    channel.confirm_select(Default::default()).await.expect("confirms");
    let dead = dead_letter_queue_name(&target);
    let foreign =
        channel.basic_publish("".into(), dead.into(), Default::default(), b"foreign", Default::default());
    foreign.await.expect("published").await.expect("confirmed");
    connection.close(200, "OK".into()).await.expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_warned_of_and_put_back() {
    let mut cluster = Cluster::start(0).await;
    let history = history(3, 2);
    let answers = cluster.send(&history, &[0, 1]).await;
    assert_eq!(answers.get("200 OK"), Some(&2), "{answers:?}");
    kill(&cluster, 2).await;
    let target = cluster.target.clone();
    let three = format!("{target}: 3 dead letters.");
    until("all are dead letters", async || operator(&cluster, &["dead", "list"]).await.1.contains(&three))
        .await;
    let (exit, said) = operator(&cluster, &["dead", "list"]).await;
    assert_eq!(exit, Some(0));
    assert_eq!(said.matches("a worker could not read it").count(), 2, "{said}");
    assert!(said.contains("none: 7 bytes that are no event of ours"), "{said}");
    let (exit, said) = operator(&cluster, &["status"]).await;
    assert!(exit == Some(1) && said.contains("`jodo-sync dead list`"), "{said}");

    let (_, said) = operator(&cluster, &["dead", "return", "--dry-run"]).await;
    assert!(said.contains("2 letters would be put back") && said.contains("nothing has changed"), "{said}");
    cluster.add_worker();
    cluster.workers[0].wait_for_line("`jodo-sync dead list` shows them", DEADLINE).await;
    assert_eq!(cluster.ask("SELECT count(*) FROM jodo_events").await.as_deref(), Some("0"));

    for limit in ["1", "10"] {
        let (_, said) = operator(&cluster, &["dead", "return", "--limit", limit, "--by", "Asha"]).await;
        assert!(said.contains("put back"), "{said}");
    }
    cluster.settled(2).await;
    let redriven = "SELECT count(*) FROM jodo_events WHERE redrive AND outcome = 'applied'";
    assert_eq!(cluster.ask(redriven).await.as_deref(), Some("2"));
    let noted = "SELECT count(*) FROM jodo_history WHERE action = 'dead return' AND who = 'Asha'";
    assert_eq!(cluster.ask(noted).await.as_deref(), Some("2"));
    let (exit, said) = operator(&cluster, &["dead", "return"]).await;
    assert_eq!(exit, Some(1), "{said}");
    assert!(said.contains("1 dead letter.") && said.contains("1 letter is no event of ours"), "{said}");
}
