//! The throwaway servers: they keep their data, can be broken in every way, and leave nothing behind.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how a test reports, in its helpers too"
)]

use std::net::SocketAddr;
use std::time::Duration;

use jodo_test_support::{Postgres, RabbitMq, Redis, Server};
use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

/// How long a suspended server is given to show that it does not answer.
const SILENCE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn redis_keeps_its_data_and_can_be_broken() {
    let redis = Redis::start().await;
    assert_eq!(redis_says(redis.addr(), "SET key one").await, "+OK");
    redis.stop().await;
    assert_refused(&redis).await;
    redis.start_again().await;
    assert_eq!(redis_says(redis.addr(), "GETSET key two").await, "$3");
    redis.kill();
    assert_refused(&redis).await;
    redis.start_again().await;
    redis.suspend();
    assert!(timeout(SILENCE, redis_says(redis.addr(), "PING")).await.is_err());
    redis.resume();
    assert_eq!(redis_says(redis.addr(), "GETSET key three").await, "$3");
}

#[tokio::test]
async fn postgres_keeps_its_data_and_can_be_broken() {
    let postgres = Postgres::start().await;
    let client = postgres_client(&postgres).await;
    client.batch_execute("CREATE TABLE t (n int); INSERT INTO t VALUES (1)").await.unwrap();
    postgres.stop().await;
    assert_refused(&postgres).await;
    postgres.start_again().await;
    let client = postgres_client(&postgres).await;
    client.batch_execute("INSERT INTO t VALUES (2)").await.unwrap();
    postgres.kill();
    assert_refused(&postgres).await;
    postgres.start_again().await;
    let client = postgres_client(&postgres).await;
    postgres.suspend();
    assert!(timeout(SILENCE, client.query_one("SELECT 1", &[])).await.is_err());
    postgres.resume();
    let sum: i64 = client.query_one("SELECT sum(n) FROM t", &[]).await.unwrap().get(0);
    assert_eq!(sum, 3);
}

#[tokio::test]
async fn postgres_promises_what_a_real_one_does_but_for_fsync() {
    let postgres = Postgres::start().await;
    let client = postgres_client(&postgres).await;
    for (setting, wanted) in [("synchronous_commit", "on"), ("max_connections", "300"), ("fsync", "off")] {
        let value: String = client.query_one(&format!("SHOW {setting}"), &[]).await.unwrap().get(0);
        assert_eq!(value, wanted, "{setting}");
    }
}

#[tokio::test]
async fn postgres_killed_in_the_midst_of_a_transaction_does_not_commit_it() {
    let postgres = Postgres::start().await;
    let client = postgres_client(&postgres).await;
    client.batch_execute("CREATE TABLE t (n int)").await.unwrap();
    client.batch_execute("BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
    postgres.kill();
    postgres.start_again().await;
    let client = postgres_client(&postgres).await;
    let count: i64 = client.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get(0);
    assert_eq!(count, 0);
}

#[tokio::test]
async fn rabbitmq_keeps_its_data_and_can_be_broken() {
    let rabbitmq = RabbitMq::start().await;
    publish(&rabbitmq, b"one").await;
    rabbitmq.stop().await;
    assert_refused(&rabbitmq).await;
    rabbitmq.start_again().await;
    publish(&rabbitmq, b"two").await;
    rabbitmq.kill();
    assert_refused(&rabbitmq).await;
    rabbitmq.start_again().await;
    rabbitmq.suspend();
    assert!(timeout(SILENCE, amqp_channel(&rabbitmq)).await.is_err());
    rabbitmq.resume();
    let (_connection, channel) = amqp_channel(&rabbitmq).await;
    for wanted in [b"one", b"two"] {
        let got = channel.basic_get("kept".into(), BasicGetOptions { no_ack: true }).await.unwrap();
        assert_eq!(got.expect("a message").data, wanted);
    }
    let queues = rabbitmq.ctl(&["list_queues", "--quiet", "--no-table-headers", "name"]).await;
    assert_eq!(queues.trim(), "kept");
}

#[tokio::test]
async fn servers_of_one_kind_do_not_meet() {
    let (first, second) = tokio::join!(RabbitMq::start(), RabbitMq::start());
    publish(&first, b"for the first").await;
    assert_eq!(second.ctl(&["list_queues", "--quiet", "--no-table-headers", "name"]).await.trim(), "");
    let (first, second, third) = tokio::join!(Postgres::start(), Postgres::start(), Redis::start());
    assert_ne!(first.addr(), second.addr());
    assert_ne!(first.addr(), third.addr());
}

#[tokio::test]
async fn a_dropped_server_is_gone_even_when_suspended() {
    let postgres = Postgres::start().await;
    let addr = postgres.addr();
    postgres.suspend();
    drop(postgres);
    assert!(TcpStream::connect(addr).await.is_err());
    assert_eq!(processes_with(&format!("port={}", addr.port())), 0);
}

/// How many processes have `word` among their arguments.
fn processes_with(word: &str) -> usize {
    let arguments = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|process| {
        let arguments = std::fs::read(process.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&arguments).into_owned())
    });
    arguments.filter(|arguments| arguments.split('\0').any(|argument| argument == word)).count()
}

async fn assert_refused(server: &Server) {
    let error = TcpStream::connect(server.addr()).await.expect_err("nobody listens");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

/// The first line of Redis's answer.
async fn redis_says(addr: SocketAddr, command: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.expect("connect to Redis");
    stream.write_all(format!("{command}\r\n").as_bytes()).await.expect("write to Redis");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n") {
        answer.push(stream.read_u8().await.expect("Redis answers"));
    }
    String::from_utf8_lossy(&answer).trim_end().to_owned()
}

async fn postgres_client(postgres: &Postgres) -> Client {
    let (client, connection) =
        tokio_postgres::connect(postgres.url(), NoTls).await.expect("connect to PostgreSQL");
    tokio::spawn(connection);
    client
}

async fn amqp_channel(rabbitmq: &RabbitMq) -> (Connection, Channel) {
    let connection = Connection::connect(rabbitmq.url(), ConnectionProperties::default()).await;
    let connection = connection.expect("connect to RabbitMQ");
    let channel = connection.create_channel().await.expect("a channel");
    (connection, channel)
}

/// Publishes a persistent message to the durable queue `kept` and waits for the confirm.
async fn publish(rabbitmq: &RabbitMq, body: &[u8]) {
    let (_connection, channel) = amqp_channel(rabbitmq).await;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("kept".into(), durable, FieldTable::default()).await.expect("declare");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    let persistent = BasicProperties::default().with_delivery_mode(2);
    let sent = channel
        .basic_publish("".into(), "kept".into(), BasicPublishOptions::default(), body, persistent)
        .await
        .expect("publish");
    assert!(sent.await.expect("a confirm").is_ack());
}
