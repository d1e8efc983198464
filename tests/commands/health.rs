//! `status` and `check`.

use std::io::Write as _;

use jiff::Timestamp;
use jodo_shared::clock::now;
use jodo_sync::Exit;
use jodo_test_support::{Services, free_port, fresh_database, unique_name};
use jodo_worker::store::Store as _;
use jodo_worker::store::WorkerName;
use jodo_worker::store::postgres::PgStore;
use secrecy::SecretString;
use serde_json::json;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::school::{PAID, School, changed, run_with};

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

/// Answers every request with this page of metrics.
async fn ingress_that_says(page: &'static str) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut head = [0; 4096];
            assert!(stream.read(&mut head).await.expect("a request") > 0);
            let answer = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{page}",
                page.len()
            );
            stream.write_all(answer.as_bytes()).await.expect("sent");
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn status_says_when_the_senders_deliveries_fail_in_a_row_and_when_that_is_unknown() {
    let private =
        ingress_that_says("jodo_sync_strikes{source=\"jodo\",code=\"direct.payment.added\"} 10\n").await;
    let school = School::with(&format!("[ingress]\nprivate_listen = '{private}'\n")).await;
    let (_, text) = school.run(&["status"]).await;
    assert!(text.contains("10 deliveries failed in a row (direct.payment.added)"), "{text}");
    assert!(
        text.contains("✗ 10 deliveries of direct.payment.added from source jodo were answered"),
        "{text}"
    );
    let status = school.json(&["status", "--json"]).await;
    assert_eq!(status["targets"][0]["database"]["sources"][0]["strikes"]["in_a_row"], 10);

    let nowhere = format!("[ingress]\nprivate_listen = '127.0.0.1:{}'\n", free_port());
    let school = School::with(&nowhere).await;
    let (_, text) = school.run(&["status"]).await;
    assert!(text.contains("how many deliveries failed in a row is unknown"), "{text}");
}
