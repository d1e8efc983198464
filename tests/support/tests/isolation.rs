//! What keeps tests apart on shared services.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how a test reports, in its helpers too"
)]

use std::collections::HashSet;

use jodo_test_support::{Services, TestDatabase, free_port, fresh_database};
use tokio_postgres::{Client, NoTls};

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let (first, second) = tokio::join!(fresh_database(), fresh_database());
    assert_ne!(first.url, second.url);
    connect(&first.url).await.batch_execute("CREATE TABLE t ()").await.unwrap();
    connect(&second.url).await.batch_execute("CREATE TABLE t ()").await.unwrap();
}

#[tokio::test]
async fn a_database_is_dropped_with_its_connections() {
    let database = fresh_database().await;
    let client = connect(&database.url).await;
    assert!(exists(&database.name).await);
    let TestDatabase { ref name, .. } = database;
    let name = name.clone();
    drop(database);
    assert!(client.query_one("SELECT 1", &[]).await.is_err());
    assert!(!exists(&name).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_databases_can_be_made_at_once() {
    let made: Vec<_> = (0..8).map(|_| tokio::spawn(fresh_database())).collect();
    let mut urls = HashSet::new();
    for database in made {
        urls.insert(database.await.unwrap().url.clone());
    }
    assert_eq!(urls.len(), 8);
}

#[test]
fn shared_services_outlive_the_test_that_asked_first() {
    let ask = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let database = fresh_database().await;
            connect(&database.url).await.batch_execute("SELECT 1").await.unwrap();
        });
    };
    std::thread::scope(|scope| {
        scope.spawn(ask).join().unwrap();
        scope.spawn(ask).join().unwrap();
    });
}

#[test]
fn ports_are_given_once_and_are_free() {
    let ports: Vec<_> = (0..50).map(|_| free_port()).collect();
    assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 50);
    for port in ports {
        std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    }
}

async fn exists(name: &str) -> bool {
    let client = connect(Services::from_env().postgres_url().await).await;
    let query = "SELECT count(*) FROM pg_database WHERE datname = $1";
    let count: i64 = client.query_one(query, &[&name]).await.expect("a count").get(0);
    count == 1
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connect");
    tokio::spawn(connection);
    client
}
