//! The commands that read, on a real PostgreSQL with events in it, and where nothing can be reached.

#![expect(clippy::expect_used, reason = "a panic is the report")]

use std::io::Write as _;

use bytes::Bytes;
use clap::Parser as _;
use jiff::Timestamp;
use jodo_shared::clock::now;
use jodo_shared::config::{Config, Needs};
use jodo_shared::contract::peek;
use jodo_shared::ids::{DeliveryKey, SourceName};
use jodo_shared::message::Message;
use jodo_sync::cli::Cli;
use jodo_sync::{Exit, run};
use jodo_test_support::{Services, TestDatabase, free_port, fresh_database, unique_name};
use jodo_worker::decide::{SourceRules, decide};
use jodo_worker::event::{Event, held};
use jodo_worker::fold::fold;
use jodo_worker::store::postgres::{PgStore, WorkerName};
use jodo_worker::store::{Store as _, Write, Written};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

const REGISTERED: &str = include_str!("fixtures/events/masterdata.student.registered.json");
const PAID: &str = include_str!("fixtures/events/direct.payment.added.json");

/// A migrated database, and the configuration that names it.
struct School {
    database: TestDatabase,
    config: NamedTempFile,
    store: PgStore,
}

impl School {
    async fn new() -> Self {
        Self::with("").await
    }

    /// `more` goes into the configuration.
    async fn with(more: &str) -> Self {
        let database = fresh_database().await;
        let mut config = NamedTempFile::new().expect("a file");
        write!(config, "[erp.main]\nurl = '{}'\n[sources.jodo]\nsecrets = ['hush']\n{more}", database.url)
            .expect("written");
        let url = SecretString::from(database.url.clone());
        let store = PgStore::new(&url, 2, PgStore::STATEMENT_TIMEOUT, WorkerName::of_this_process());
        let school = Self { database, config, store: store.expect("a store") };
        assert_eq!(school.run(&["migrate"]).await.0, Exit::Well);
        school
    }

    async fn run(&self, args: &[&str]) -> (Exit, String) {
        run_with(self.config.path(), args).await.expect("no error")
    }

    async fn json(&self, args: &[&str]) -> Value {
        let (_, text) = self.run(args).await;
        serde_json::from_str(&text).expect("JSON")
    }

    /// Applies a delivery as a worker does.
    async fn apply(&self, body: &str) -> DeliveryKey {
        let message = message(body);
        let config = Config::load_from(Some(self.config.path()), Needs::Nothing).expect("a configuration");
        let rules = SourceRules::from(&config.sources[&message.source]);
        let event = Event::decided(&message, decide(&message, Some(&rules)));
        let write = Write { projections: fold(&event.changes), events: vec![&event.row], unverified: &[] };
        assert_eq!(self.store.write(&write).await, Ok(Written::Committed));
        message.key
    }

    async fn hold(&self, body: &str) {
        let held = [held(&message(body))];
        let write = Write { unverified: &held, ..Write::default() };
        assert_eq!(self.store.write(&write).await, Ok(Written::Committed));
    }
}

async fn run_with(config: &std::path::Path, args: &[&str]) -> anyhow::Result<(Exit, String)> {
    let config = config.to_str().expect("a path in UTF-8");
    let line = ["jodo-sync", "--config", config].into_iter().chain(args.iter().copied());
    let cli = Cli::try_parse_from(line).expect("a good command line");
    let mut out = Vec::new();
    let exit = run(&cli, &mut out).await.expect("a command")?;
    Ok((exit, String::from_utf8(out).expect("UTF-8")))
}

fn message(body: &str) -> Message {
    let source: SourceName = "jodo".parse().expect("a name");
    let body = Bytes::copy_from_slice(body.as_bytes());
    Message {
        key: DeliveryKey::of(&source, &body),
        source,
        tenant: "main".parse().expect("a tenant"),
        target: "main".parse().expect("a name"),
        received_at: now(),
        peeked: peek(&body),
        verified: true,
        redrive: false,
        trace: None,
        body,
    }
}

/// A fixture with members replaced.
fn changed(fixture: &str, changes: &[(&str, Value)]) -> String {
    let mut body: Value = serde_json::from_str(fixture).expect("JSON");
    for (pointer, value) in changes {
        *body.pointer_mut(pointer).expect("a member") = value.clone();
    }
    body.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_migrated_once() {
    let school = School::new().await;
    let (exit, text) = school.run(&["migrate"]).await;
    assert_eq!(exit, Exit::Well);
    assert!(text.starts_with("main: nothing to do"), "{text}");
    let error =
        run_with(school.config.path(), &["migrate", "--target", "other"]).await.expect_err("no such target");
    assert!(error.to_string().contains("erp.other is not configured; there is: main"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_the_newest_first_by_outcome_code_and_student() {
    let school = School::new().await;
    let registered = school.apply(REGISTERED).await;
    let paid = school.apply(PAID).await;
    let broken = school.apply(&changed(PAID, &[("/payload/payment/amount", json!("12.345"))])).await;
    let keys = async |args: &[&str]| -> Vec<String> {
        let listed = school.json(&[&["events", "list", "--json"], args].concat()).await;
        let events = listed.as_array().expect("a list").iter();
        events.map(|event| event["delivery_key"].as_str().expect("a key").to_owned()).collect()
    };
    let all = keys(&[]).await;
    assert_eq!(all.len(), 3);
    assert_eq!(keys(&["--limit", "1"]).await, all[..1]);
    assert_eq!(keys(&["--outcome", "quarantined"]).await, [broken.to_string()]);
    assert_eq!(keys(&["--outcome", "ignored", "--outcome", "retrying"]).await, [""; 0]);
    assert_eq!(keys(&["--code", "masterdata.student.registered"]).await, [registered.to_string()]);
    assert_eq!(keys(&["--student", "SRB/A/1190"]).await, [paid.to_string()]);
    let by_jodos_id = keys(&["--student", "student_20311"]).await;
    assert_eq!(by_jodos_id, [registered.to_string()], "the ERP's number was seen beside it");

    let (exit, text) = school.run(&["events", "list"]).await;
    assert_eq!(exit, Exit::Well);
    for words in
        ["applied – recorded", "quarantined – needs a person", &paid.short(), "2026-06-02 10:50:31 IST"]
    {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(text.contains("an amount of money cannot be read exactly (payload.payment.amount)"), "{text}");
    assert!(!text.contains("12.345"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_shown_with_what_it_wrote_and_what_still_counts() {
    let school = School::new().await;
    let older = school.apply(REGISTERED).await;
    let newer = [
        ("/timestamp", json!(1_779_084_730)),
        ("/payload/student/grade/name", json!("Grade 7")),
        ("/payload/student/custom_identifier", Value::Null),
    ];
    let newer = school.apply(&changed(REGISTERED, &newer)).await;

    let (exit, text) = school.run(&["events", "show", &older.to_string()]).await;
    assert_eq!(exit, Exit::Well);
    let line = |name: &str| {
        let mut lines = text.lines().map(str::trim);
        lines.find(|line| line.split_whitespace().next() == Some(name)).map(str::to_owned).unwrap_or_default()
    };
    assert!(line("grade_name").ends_with(&format!("replaced by {}", newer.short())), "{text}");
    assert!(line("custom_identifier").ends_with("current"), "{text}");
    assert!(text.contains("jodo_r_students (main, erp:NVK-2026-0731)"), "{text}");
    assert!(text.contains("jodo_s_student_ids (main, student_20311, NVK-2026-0731): line kept"), "{text}");
    assert!(!text.contains("parents.example"), "the body is personal data:\n{text}");

    let by_clock = school.json(&["events", "show", &newer.short(), "--json"]).await;
    assert_eq!(by_clock.as_array().map(Vec::len), Some(1));
    let values = by_clock[0]["effects"][0]["values"].as_array().expect("values");
    assert!(values.iter().all(|value| value["state"] == "current"), "{values:?}");
    assert!(values.iter().any(|value| value["name"] == "registered"), "{values:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_id_that_was_used_twice_shows_both_and_an_unknown_one_none() {
    let school = School::new().await;
    school.apply(PAID).await;
    school.apply(&changed(PAID, &[("/payload/payment/mode", json!("cash"))])).await;
    let (exit, text) = school.run(&["events", "show", "afbb1451-f01d-402a-a01a-3af939fe884d"]).await;
    assert_eq!(exit, Exit::Well);
    assert!(text.starts_with("2 events fit:"), "{text}");
    let (exit, text) = school.run(&["events", "show", "0123456"]).await;
    assert_eq!(exit, Exit::Wrong);
    assert!(text.starts_with("No event has this key"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_shown_only_when_it_is_asked_for_and_cannot_steer_the_terminal() {
    let school = School::new().await;
    let body = "{\"event\":\"x\u{9b}2J\",\"timestamp\":5e0}";
    let key = school.apply(body).await.to_string();
    let (_, text) = school.run(&["events", "show", &key, "--body"]).await;
    assert!(text.contains("\"event\": \"x\\u{9b}2J\",\n  \"timestamp\": 5e0\n"), "{text}");
    assert!(!text.contains('\u{9b}'), "{text}");
    let shown = school.json(&["events", "show", &key, "--json", "--body"]).await;
    assert_eq!(shown[0]["body"], body);
    let shown = school.json(&["events", "show", &key, "--json"]).await;
    assert_eq!((shown[0].get("body"), &shown[0]["body_bytes"]), (None, &json!(body.len())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_is_the_stores_own() {
    let school = School::new().await;
    school.apply(PAID).await;
    let (exit, text) = school.run(&["dump", "--canonical"]).await;
    assert_eq!(exit, Exit::Well);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines, school.store.dump().await.expect("a dump"));
    assert!(lines.iter().any(|line| line.starts_with("jodo_manual_payments\t")));
}

/// Makes the queues that ingress and worker would.
async fn declare_queues(url: &str, target: &str) {
    let connection =
        lapin::Connection::connect(url, lapin::ConnectionProperties::default()).await.expect("connected");
    let channel = connection.create_channel().await.expect("a channel");
    for queue in [format!("jodo.events.apply.{target}"), format!("jodo.events.dead.{target}")] {
        let options = lapin::options::QueueDeclareOptions::durable();
        channel.queue_declare(queue.into(), options, Default::default()).await.expect("declared");
    }
    let to = format!("jodo.events.apply.{target}");
    channel.confirm_select(Default::default()).await.expect("confirms");
    let publish = channel.basic_publish("".into(), to.into(), Default::default(), b"", Default::default());
    publish.await.expect("published").await.expect("confirmed");
    connection.close(200, "OK".into()).await.expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_is_well_while_workers_work_and_wrong_when_somebody_is_needed() {
    let amqp = Services::from_env().amqp_url().await;
    let target = unique_name("t");
    let database = fresh_database().await;
    let mut config = NamedTempFile::new().expect("a file");
    let text = format!(
        "[broker]\nurl = '{amqp}'\n[erp.{target}]\nurl = '{}'\n[sources.jodo]\ntarget = '{target}'\n",
        database.url
    );
    config.write_all(text.as_bytes()).expect("written");
    let url = SecretString::from(database.url.clone());
    let store =
        PgStore::new(&url, 2, PgStore::STATEMENT_TIMEOUT, WorkerName::of_this_process()).expect("a store");
    let school = School { database, config, store };
    school.run(&["migrate"]).await;
    declare_queues(amqp, &target).await;

    let (exit, text) = school.run(&["status"]).await;
    assert_eq!(exit, Exit::Wrong, "no worker has been seen:\n{text}");
    assert!(text.contains("✗ no worker has ever worked for this database"), "{text}");

    school.store.probe().await.expect("well");
    school.apply(PAID).await;
    let (exit, text) = school.run(&["status"]).await;
    assert_eq!(exit, Exit::Well, "{text}");
    for words in ["last delivery ", "1 event accepted today", "1 event, 0 dead letters", "1 at work"] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }

    school.apply(&changed(PAID, &[("/payload/payment/amount", json!("12.345"))])).await;
    school.hold(PAID).await;
    let (exit, text) = school.run(&["status"]).await;
    assert_eq!(exit, Exit::Wrong, "{text}");
    assert!(text.contains("1: an amount of money cannot be read exactly"), "{text}");
    assert!(
        text.contains("✗ 1 event needs a person: `jodo-sync events list --outcome quarantined`"),
        "{text}"
    );
    assert!(text.contains("✗ 1 delivery is held"), "{text}");
    let status = school.json(&["status", "--json"]).await;
    assert_eq!(status["verdict"], "needs_a_person");
    assert_eq!(status["targets"][0]["queues"]["waiting"], 1);
    let oldest = status["targets"][0]["database"]["oldest_unsettled"].as_str().expect("a time");
    assert!(oldest.parse::<Timestamp>().expect("a time") <= now());

    let (exit, text) = school.run(&["check"]).await;
    assert_eq!(exit, Exit::Well, "the ingress would not start, but the worker would:\n{text}");
    assert!(text.contains("✓ RabbitMQ: connected"), "{text}");
    assert!(text.contains("there, with 1 waiting"), "{text}");
    assert!(text.contains(": connected, schema version 2"), "{text}");
    assert!(text.contains("sources.jodo"), "{text}");
    drop(school.database);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_cannot_tell_where_nothing_answers_and_check_says_what_to_do() {
    let nowhere = format!("127.0.0.1:{}", free_port());
    let more =
        format!("[broker]\nurl = 'amqp://u:hush@{nowhere}/%2f'\n[redis]\nurl = 'redis://:hush@{nowhere}'\n");
    let school = School::with(&more).await;
    let (exit, text) = school.run(&["status"]).await;
    assert_eq!(exit, Exit::CannotTell, "{text}");
    assert!(text.contains("? RabbitMQ cannot be asked"), "{text}");
    let (exit, text) = school.run(&["check"]).await;
    assert_eq!(exit, Exit::Wrong, "{text}");
    for words in ["✗ RabbitMQ: ", "✗ Redis: ", "✓ erp.main: connected", "✓ jodo-ingress can start"] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(!text.contains("hush"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_never_migrated_is_said_to_be_so() {
    let database = fresh_database().await;
    let mut config = NamedTempFile::new().expect("a file");
    write!(config, "[erp.main]\nurl = '{}'\n", database.url).expect("written");
    let (exit, text) = run_with(config.path(), &["check"]).await.expect("no error");
    assert_eq!(exit, Exit::Wrong);
    assert!(text.contains("has schema version none") && text.contains("`jodo-sync migrate`"), "{text}");
    let (exit, text) = run_with(config.path(), &["status"]).await.expect("no error");
    assert_eq!(exit, Exit::CannotTell, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_names_its_key() {
    let mut config = NamedTempFile::new().expect("a file");
    config.write_all(b"[ingress]\nlisten = 'hush'\n").expect("written");
    for args in [&["check"][..], &["status"], &["events", "list"], &["sign", "-"]] {
        let error = run_with(config.path(), args).await.expect_err("a wrong configuration");
        let error = format!("{error:#}");
        assert!(error.starts_with("--config "), "{error}");
        assert!(error.contains("ingress.listen") && !error.contains("hush"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_comes_with_the_curl_line_that_uses_it() {
    let school = School::with("header = { name = 'X-School', value = 'whisper' }").await;
    let file = NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "{}").expect("written");
    let name = file.path().to_str().expect("a path in UTF-8");
    let (exit, text) = school.run(&["sign", name]).await;
    assert_eq!(exit, Exit::Well);
    // printf '{}' | openssl dgst -sha256 -hmac hush
    let signature = "505c20ac604f662945b662a1f13a9ca2f03bf0b1986f505d5aef48e10da8c918";
    assert_eq!(text.lines().next(), Some(signature));
    for words in
        [signature, "'http://127.0.0.1:8080/webhooks/jodo'", &format!("'@{name}'"), "'x-school: <its value>'"]
    {
        assert!(text.lines().skip(1).any(|line| line.contains(words)), "{words} is not in\n{text}");
    }
    assert!(!text.contains("whisper"), "{text}");
}
