//! `retry` and `discard`.

use std::path::Path;
use std::sync::Arc;

use jodo_shared::config::{Config, Needs};
use jodo_shared::outcome::{Outcome, Reason};
use jodo_sync::Exit;
use jodo_worker::decide::{SourceRules, decide};
use jodo_worker::event::Event;
use jodo_worker::retrying::work_off_due_rows;
use jodo_worker::seen::NoSeenIds;
use jodo_worker::store::maintain::Maintain;
use jodo_worker::store::postgres::PgStore;
use jodo_worker::store::{self, Store, WorkerName, Write, Written};
use jodo_worker::target::{Target, Timing};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;

use crate::school::{PAID, REGISTERED, School, apply_to, changed, message, run_with};

/// Stores a delivery as a worker that did not know its source yet.
async fn unknown(store: &dyn Store, body: &str) -> String {
    let message = message(body);
    let event = Event::decided(&message, decide(&message, None));
    let write = Write { events: vec![&event.row], ..Write::default() };
    assert_eq!(store.write(&write).await, Ok(Written::Committed));
    message.key.to_string()
}

/// Has a worker of this configuration work off what is due, until `key` is applied.
pub(crate) async fn until_applied(store: Arc<dyn Maintain>, config: &Path, key: &str) {
    let config = Config::load_from(Some(config), Needs::Nothing).expect("a configuration");
    let rules =
        config.sources.iter().map(|(name, source)| (name.clone(), SourceRules::from(source))).collect();
    let name = "main".parse().expect("a name");
    let target = Target::new(name, store.clone(), Arc::new(NoSeenIds), rules, Timing::default());
    let shutdown = CancellationToken::new();
    let worker = tokio::spawn(work_off_due_rows(Arc::new(target), shutdown.clone()));
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let found = store.event(key).await.expect("an answer").remove(0);
        if found.outcome == Outcome::Applied.as_str() {
            break;
        }
        assert_eq!(found.outcome, Outcome::Retrying.as_str());
    }
    shutdown.cancel();
    worker.await.expect("no panic");
}

/// A SQLite database and the configuration that names it.
pub(crate) async fn small_school() -> (TempDir, std::path::PathBuf, Arc<dyn Maintain>) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("erp.sqlite3").display());
    let config = folder.path().join("jodo-sync.toml");
    std::fs::write(&config, format!("[erp.main]\nurl = '{url}'\n[sources.jodo]\nsecrets = ['hush']\n"))
        .expect("written");
    run_with(&config, &["migrate"]).await.expect("migrated");
    let url = SecretString::from(url);
    let store = store::open(&url, 1, PgStore::STATEMENT_TIMEOUT, WorkerName::of_this_process());
    (folder, config, store.expect("a store"))
}

async fn a_retried_event_is_applied(store: Arc<dyn Maintain>, config: &Path) {
    let key = unknown(store.as_ref(), PAID).await;
    let args = ["retry", "--because", "unknown_source", "--by", "Asha", "--reason", "source added"];
    let (exit, text) = run_with(config, &args).await.expect("no error");
    assert_eq!(exit, Exit::Well, "{text}");
    assert!(text.starts_with("main: 1 event is tried again from now on, the last at "), "{text}");
    until_applied(store.clone(), config, &key).await;
    let (_, text) = run_with(config, &["events", "show", &key]).await.expect("no error");
    for words in [
        "applied – recorded",
        "yes, by an operator",
        " by Asha: “source added”; it was quarantined – needs a person: the worker's configuration does not name",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    // Applied a second time, it leaves no second trace.
    let dump = store.dump().await.expect("a dump");
    let (exit, _) = run_with(config, &["retry", &key, "--outcome", "applied"]).await.expect("no error");
    assert_eq!(exit, Exit::Well);
    until_applied(store.clone(), config, &key).await;
    assert_eq!(store.dump().await.expect("a dump"), dump);
    assert_eq!(store.history(&key).await.expect("an answer").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_event_is_applied_on_postgresql() {
    let school = School::new().await;
    a_retried_event_is_applied(school.again(), school.config.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_event_is_applied_on_sqlite() {
    let (_folder, config, store) = small_school().await;
    a_retried_event_is_applied(store, &config).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_lists_and_changes_nothing() {
    let (_folder, config, store) = small_school().await;
    let key = unknown(store.as_ref(), PAID).await;
    let before = store.event(&key).await.expect("an answer");
    for args in [&["retry", "--all", "--dry-run"][..], &["discard", "--all", "--dry-run"]] {
        let (exit, text) = run_with(&config, args).await.expect("no error");
        assert_eq!(exit, Exit::Well);
        for words in ["main: 1 event would be ", "direct.payment.added", &key[..16], "nothing has changed."] {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
    }
    let after = store.event(&key).await.expect("an answer");
    assert_eq!(format!("{after:?}"), format!("{before:?}"));
    assert_eq!(store.history(&key).await.expect("an answer"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_chosen_by_code_time_and_id_and_what_is_left_out_is_named() {
    let (_folder, config, store) = small_school().await;
    let paid = unknown(store.as_ref(), PAID).await;
    let registered = unknown(store.as_ref(), REGISTERED).await;
    let in_cash = changed(PAID, &[("/payload/payment/mode", json!("cash"))]);
    let applied = apply_to(store.as_ref(), &config, &in_cash).await.to_string();
    let would = async |args: &[&str]| -> String {
        let all = [&["retry", "--dry-run"], args].concat();
        let (_, text) = run_with(&config, &all).await.expect("no error");
        text
    };
    assert!(would(&["--all"]).await.starts_with("main: 2 events would"));
    assert!(would(&["--code", "direct.payment.added"]).await.contains(&paid[..16]));
    assert!(would(&["--since", "2999-01-01"]).await.starts_with("main: 0 events would"));
    assert!(would(&["--until", "2999-01-01", "--since", "2020-01-01"]).await.starts_with("main: 2 events"));
    assert!(would(&["--all", "--outcome", "applied"]).await.contains(&applied[..16]));
    let text = would(&[&registered[..8], &applied, "no-such-id"]).await;
    assert!(
        text.contains(&format!("{applied}: left alone, for it is applied – recorded; `--outcome applied`"))
    );
    assert!(text.contains("no-such-id: no event has this key"), "{text}");
    assert!(text.contains("main: 1 event would"), "{text}");
    let by_event_id = would(&["afbb1451-f01d-402a-a01a-3af939fe884d"]).await;
    assert!(by_event_id.contains(&paid[..16]) && by_event_id.contains("left alone"), "{by_event_id}");
    let (exit, _) = run_with(&config, &["retry", "no-such-id"]).await.expect("no error");
    assert_eq!(exit, Exit::Wrong);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_its_body_is_named_and_left_alone() {
    let school = School::new().await;
    let key = unknown(&school.store, PAID).await;
    let (client, connection) = tokio_postgres::connect(&school.database.url, NoTls).await.expect("connected");
    tokio::spawn(connection);
    client.batch_execute("UPDATE jodo_events SET body = NULL").await.expect("updated");
    for more in [&["--dry-run"][..], &[]] {
        let (exit, text) = school.run(&[&["retry", "--all"], more].concat()).await;
        assert_eq!(exit, Exit::Wrong);
        assert!(text.contains(&format!("cannot be tried again:\n  {}", &key[..16])), "{text}");
    }
    assert_eq!(school.again().event(&key).await.expect("an answer")[0].outcome, "quarantined");
    let (exit, text) = school.run(&["discard", &key, "--reason", "nothing left of it"]).await;
    assert_eq!((exit, text.as_str()), (Exit::Well, "main: 1 event was thrown away.\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_discarded_for_a_reason_and_comes_back_only_by_retry() {
    let (_folder, config, store) = small_school().await;
    let key = unknown(store.as_ref(), PAID).await;
    let discard = ["discard", &key, "--reason", "a trial of \u{9b}2Jours", "--by", "Ravi"];
    let (exit, text) = run_with(&config, &discard).await.expect("no error");
    assert_eq!((exit, text.as_str()), (Exit::Well, "main: 1 event was thrown away.\n"));
    let (_, text) = run_with(&config, &["events", "show", &key]).await.expect("no error");
    for words in ["discarded – thrown away by a person", "by Ravi: “a trial of \\u{9b}2Jours”"] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    let (_, text) = run_with(&config, &["explain", &key]).await.expect("no error");
    assert!(text.contains("  jodo-sync discard: ") && text.contains("; it was quarantined"), "{text}");
    let (_, shown) = run_with(&config, &["events", "show", &key, "--json"]).await.expect("no error");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown[0]["history"][0]["action"], "discard");
    assert_eq!(shown[0]["history"][0]["was"], "quarantined unknown_source");
    let (_, text) = run_with(&config, &["retry", &key]).await.expect("no error");
    assert!(text.contains("left alone, for it is discarded"), "{text}");
    run_with(&config, &["retry", &key, "--outcome", "discarded"]).await.expect("no error");
    let found = store.event(&key).await.expect("an answer").remove(0);
    assert_eq!((found.outcome.as_str(), found.reason), ("retrying", Some(Reason::AskedAgain.to_string())));
    until_applied(store.clone(), &config, &key).await;
    let words = ["discard", &key, "--outcome", "applied", "--reason", "x"];
    let error = run_with(&config, &words).await.expect_err("settled");
    assert!(error.to_string().contains("quarantined or retrying"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_big_retry_is_paced() {
    let (_folder, config, store) = small_school().await;
    let bodies: Vec<_> =
        (0..1_100).map(|n| changed(PAID, &[("/payload/payment/mode", json!(format!("mode {n}")))])).collect();
    let messages: Vec<_> = bodies.iter().map(|body| message(body)).collect();
    let events: Vec<_> =
        messages.iter().map(|message| Event::decided(message, decide(message, None))).collect();
    let write = Write { events: events.iter().map(|event| &event.row).collect(), ..Write::default() };
    assert_eq!(store.write(&write).await, Ok(Written::Committed));
    let (_, text) = run_with(&config, &["retry", "--all", "--rate", "100"]).await.expect("no error");
    assert!(text.starts_with("main: 1,100 events are tried again"), "{text}");
    let mut due = Vec::new();
    for message in &messages {
        due.push(store.event(&message.key.to_string()).await.expect("an answer").remove(0).due_at);
    }
    due.sort();
    let instant = |place: usize| -> jiff::Timestamp {
        due.get(place).and_then(|at| at.as_ref()).expect("an instant").parse().expect("an instant")
    };
    assert_eq!(instant(1_099).duration_since(instant(0)).as_millis(), 10_990);
}
