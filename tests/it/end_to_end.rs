//! What a day without trouble looks like.

use jodo_test_support::school::{Sent, expected, history, shown, shuffled_with_repeats};
use serde_json::{Value, json};

use crate::cluster::{Cluster, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_shuffled_history_with_repeats_ends_in_one_row_each_and_in_the_rows_of_the_naive_model() {
    let cluster = Cluster::start(2).await;
    let history = history(11, 3_000);
    let order = shuffled_with_repeats(11, history.len(), 0.05);
    let answers = cluster.send(&history, &order).await;
    assert_eq!(answers.get("200 OK"), Some(&order.len()), "{answers:?}");
    cluster.settled(history.len()).await;
    let applied = "SELECT count(*) FROM jodo_events WHERE outcome = 'applied'";
    assert_eq!(cluster.ask(applied).await, Some(history.len().to_string()));
    assert_eq!(shown(&cluster.database).await.expect("the views"), expected("jodo", &history).expect("rows"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_is_answered_200_and_applied() {
    let cluster = Cluster::start(1).await;
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/events");
    let files = std::fs::read_dir(samples).expect("the samples").map(|entry| entry.expect("an entry").path());
    let history: Vec<Sent> = files
        .map(|path| std::fs::read_to_string(path).expect("a sample"))
        .map(|bytes| Sent { bytes })
        .collect();
    assert_eq!(history.len(), 36);
    let order: Vec<_> = (0..history.len()).collect();
    let answers = cluster.send(&history, &order).await;
    assert_eq!(answers.get("200 OK"), Some(&36), "{answers:?}");
    cluster.settled(36).await;
    assert_eq!(
        cluster.ask("SELECT count(*) FROM jodo_events WHERE outcome = 'applied'").await.as_deref(),
        Some("36")
    );
    assert_eq!(shown(&cluster.database).await.expect("the views"), expected("jodo", &history).expect("rows"));
}

/// Nine pages of the sender's documentation show examples that share one `event_id` and `timestamp` (contract
/// section 1).
#[tokio::test(flavor = "multi_thread")]
async fn nine_bodies_that_share_one_event_id_are_nine_rows_and_listed_as_a_reused_id() {
    let cluster = Cluster::start(2).await;
    let body = |n: usize| {
        json!({
            "event": "direct.payment.added", "event_id": "5d0cb0a6-0000-4000-8000-000000000009",
            "version": "1.0", "timestamp": 1_780_000_000,
            "payload": { "payment": { "id": format!("shared_{n}"), "amount": n }, "student": { "identifier": "S/9" } },
        })
    };
    let history: Vec<Sent> = (1..=9).map(|n| Sent::from(body(n))).collect();
    let answers = cluster.send(&history, &[0, 1, 2, 3, 4, 5, 6, 7, 8]).await;
    assert_eq!(answers.get("200 OK"), Some(&9), "{answers:?}");
    cluster.settled(9).await;
    let payments = "SELECT count(*) || ' of ' || sum(amount_paise) FROM jodo_manual_payments";
    assert_eq!(cluster.ask(payments).await.as_deref(), Some("9 of 4500"));
    let reused = "SELECT count(*) FROM jodo_anomalies WHERE kind = 'event_id_reused'";
    assert_eq!(cluster.ask(reused).await.as_deref(), Some("9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_program_sends_one_event_and_follows_it_to_its_rows() {
    let cluster = Cluster::start(1).await;
    let operator = |arguments: &[&str]| {
        let mut command = cluster.operator();
        command.args(arguments);
        async move {
            let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
            let output = output.expect("jodo-sync runs");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
            said
        }
    };
    let set = "payload.payment.amount=\"12.5\"";
    let said = operator(&["send", "direct.payment.added", "--set", set, "--follow"]).await;
    assert!(said.contains("applied"), "{said}");
    assert_eq!(cluster.ask("SELECT amount FROM jodo_manual_payments").await.as_deref(), Some("12.50"));

    let listed: Value = serde_json::from_str(&operator(&["events", "list", "--json"]).await).expect("JSON");
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    let key = cluster.ask("SELECT delivery_key FROM jodo_events").await.expect("a key");
    let shown = operator(&["events", "show", &key[..12]]).await;
    assert!(shown.contains(&key) && shown.contains("recorded"), "{shown}");
    assert_eq!(operator(&["dump", "--canonical"]).await, format!("{}\n", cluster.dump().await.join("\n")));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_target_has_a_queue_a_database_and_a_pause_of_its_own() {
    use jodo_test_support::{fresh_database, unique_name};
    let other = fresh_database().await;
    let other_target = unique_name("other");
    let erp = format!("ERP__{}__URL", other_target.to_uppercase());
    // The second target's tables are not there yet: it pauses, the first does not.
    let settings = [
        (erp.as_str(), other.url.as_str()),
        ("SOURCES__BRANCH__SECRETS", crate::cluster::SECRET),
        ("SOURCES__BRANCH__TARGET", &other_target),
        ("SOURCES__BRANCH__ENVIRONMENT", "test"),
        ("SOURCES__BRANCH__TENANT", "branch"),
    ];
    let mut cluster = Cluster::start_with(1, &settings).await;
    let history = history(12, 40);
    let order: Vec<_> = (0..history.len()).collect();
    cluster.send(&history, &order).await;
    cluster.settled(history.len()).await;

    let first_database = std::mem::replace(&mut cluster.database, other.url.clone());
    cluster.url = cluster.url.replace("/webhooks/jodo", "/webhooks/branch");
    let answers = cluster.send(&history, &order).await;
    assert_eq!(answers.get("200 OK"), Some(&order.len()), "{answers:?}");
    jodo_worker::store::postgres::migrate(&other.url.clone().into()).await.expect("migrated");
    cluster.settled(history.len()).await;
    assert_eq!(cluster.ask("SELECT min(tenant) FROM jodo_students").await.as_deref(), Some("branch"));
    assert_eq!(shown(&first_database).await.expect("the views"), expected("jodo", &history).expect("rows"));
    until("its worker is ready again", async || {
        cluster.workers[0].lines().iter().filter(|line| line.contains("open: taking work")).count() == 2
    })
    .await;
}
