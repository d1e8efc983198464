//! A database for one test.

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::timeout;
use tokio_postgres::NoTls;
use url::Url;

use crate::names::unique_name;
use crate::services::Services;

/// How long making or dropping a database may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// An empty database that is dropped, with whatever is connected to it, when this goes out of scope.
pub struct TestDatabase {
    /// Where to reach it.
    pub url: String,
    /// What it is called.
    pub name: String,
    admin_url: String,
}

/// An empty database on the PostgreSQL that tests share.
///
/// # Panics
///
/// If it cannot be made.
pub async fn fresh_database() -> TestDatabase {
    fresh_database_on(Services::from_env().postgres_url().await).await
}

/// An empty database on the PostgreSQL at `admin_url`, whose user may make databases.
///
/// # Panics
///
/// If it cannot be made.
pub async fn fresh_database_on(admin_url: &str) -> TestDatabase {
    let name = unique_name("test");
    let create = format!("CREATE DATABASE {name} TEMPLATE template0");
    if let Err(error) = execute(admin_url, &create).await {
        panic!("cannot make a database: {error:#}");
    }
    let url = match Url::parse(admin_url) {
        Ok(mut url) => {
            url.set_path(&name);
            url.to_string()
        }
        Err(error) => panic!("the URL of PostgreSQL: {error}"),
    };
    TestDatabase { url, name, admin_url: admin_url.to_owned() }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A thread of its own: within tokio's one may neither block on a future nor start a runtime.
        let dropped =
            std::thread::scope(|scope| scope.spawn(|| execute_blocking(&self.admin_url, &drop)).join());
        // Not a failure: a test may leave its own PostgreSQL stopped, and a shared one goes away after the run.
        match dropped {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("database {} stays: {error:#}", self.name),
            Err(_) => eprintln!("database {} stays: its thread panicked", self.name),
        }
    }
}

fn execute_blocking(url: &str, sql: &str) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(execute(url, sql))
}

async fn execute(url: &str, sql: &str) -> anyhow::Result<()> {
    let run = async {
        let (client, connection) =
            tokio_postgres::connect(url, NoTls).await.context("connect to PostgreSQL")?;
        tokio::select! {
            answer = client.batch_execute(sql) => answer.context("PostgreSQL's answer"),
            ended = connection => ended.context("the connection to PostgreSQL"),
        }
    };
    timeout(DEADLINE, run).await.context("no answer in time")?
}
