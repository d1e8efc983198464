//! `jodo-sync simulate` on the whole pipeline, and its own judgement of the rows.

use std::process::Output;

use crate::cluster::Cluster;

/// Runs the operator's program with this cluster's settings.
async fn operator(cluster: &Cluster, arguments: &str) -> (Output, String) {
    let mut command = cluster.operator();
    command.args(arguments.split(' '));
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
    let output = output.expect("jodo-sync runs");
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said)).concat();
    (output, said)
}

/// The same, where it must go well.
async fn well(cluster: &Cluster, arguments: &str) -> String {
    let (output, said) = operator(cluster, arguments).await;
    assert!(output.status.success(), "{arguments}: {said}");
    said
}

/// The same, where it must end with exit code 1.
async fn wrong(cluster: &Cluster, arguments: &str) -> String {
    let (output, said) = operator(cluster, arguments).await;
    assert_eq!(output.status.code(), Some(1), "{arguments}: {said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_school_ends_in_the_rows_it_should_and_a_wrong_value_is_found() {
    let cluster = Cluster::start(2).await;
    let said = wrong(&cluster, "simulate verify --no-wait").await;
    assert!(said.contains("holds no simulated event"), "{said}");

    let said =
        well(&cluster, "simulate --events 2000 --students 200 --duplicates 0.05 --shuffle --seed 9").await;
    assert!(said.contains("200 OK") && said.contains("p99"), "{said}");
    let said = well(&cluster, "simulate verify").await;
    assert!(said.contains("2,000 events, ") && said.contains(": 0 differences"), "{said}");
    cluster.settled(2_000).await;

    // A second run stands beside the first, and the first once more changes nothing.
    well(&cluster, "simulate --events 300 --students 1 --seed 9 --rate 2000 --connections 8").await;
    well(&cluster, "simulate --events 2000 --students 200 --duplicates 0 --seed 9").await;
    let said = well(&cluster, "simulate verify").await;
    assert!(said.contains("2,300 events, ") && said.contains(": 0 differences"), "{said}");

    cluster
        .execute(
            "UPDATE jodo_r_manual_payments SET amount = amount + 1 \
             WHERE payment_id = (SELECT min(payment_id) FROM jodo_manual_payments WHERE state = 'cancelled'); \
             DELETE FROM jodo_events WHERE event_id = 'sim_9_2000_200_17'",
        )
        .await;
    let said = wrong(&cluster, "simulate verify --no-wait").await;
    assert!(said.contains("2,299 of 2,300 events are in the database so far"), "{said}");
    assert!(said.contains("sim_9_2000_200_17") && said.contains("jodo_manual_payments"), "{said}");
    assert!(said.contains(": 2 differences"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_simulated_among_real_events_unless_that_is_meant() {
    let cluster = Cluster::start(1).await;
    well(&cluster, "send direct.payment.added --follow").await;
    let said = wrong(&cluster, "simulate --events 50 --students 5").await;
    assert!(said.contains("holds real events (1)") && said.contains("--i-mean-it"), "{said}");
    well(&cluster, "simulate --events 50 --students 5 --i-mean-it").await;
    let said = well(&cluster, "simulate verify").await;
    assert!(
        said.contains("also holds real events (1); their rows (6)") && said.contains(": 0 differences"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_not_accepted_is_counted_and_ends_with_exit_code_1() {
    let cluster = Cluster::start(0).await;
    let secret = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(secret.path(), "not the secret\n").expect("written");
    let file = secret.path().display();
    let said = wrong(&cluster, &format!("simulate --events 20 --secret-file {file}")).await;
    assert!(said.contains("401 Unauthorized") && !said.contains("200 OK"), "{said}");
}
