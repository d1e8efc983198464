//! A real database, emptied for each case, which is quicker than a new one.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use jodo_test_support::{TestDatabase, fresh_database};
use jodo_worker::commit::commit_batch;
use jodo_worker::decide::decide;
use jodo_worker::entities::{ENTITIES, SETS};
use jodo_worker::event::Event;
use jodo_worker::store::inspect::Inspect;
use jodo_worker::target::Target;
use jodo_worker::testing::target;
use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::history::{SOURCE, message};

/// A database, and a target that commits to it.
pub(crate) struct Place {
    pub(crate) store: Arc<dyn Inspect>,
    target: Arc<Target>,
    /// Statements without an answer, as the owner of the tables.
    execute: Box<dyn AsyncExecute>,
}

#[async_trait]
trait AsyncExecute {
    async fn execute(&mut self, statements: &str);
}

#[async_trait]
impl AsyncExecute for (TestDatabase, tokio_postgres::Client) {
    async fn execute(&mut self, statements: &str) {
        self.1.batch_execute(statements).await.expect("executed");
    }
}

#[async_trait]
impl AsyncExecute for (TempDir, SqliteConnection) {
    async fn execute(&mut self, statements: &str) {
        self.1.batch_execute(statements).expect("executed");
    }
}

impl Place {
    pub(crate) async fn on_postgres() -> Self {
        let database = fresh_database().await;
        let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("connected");
        tokio::spawn(connection);
        let url = database.url.clone();
        Self::at(&url, Box::new((database, client))).await
    }

    pub(crate) async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("erp.db").display().to_string();
        let mut owner = SqliteConnection::establish(&file).expect("opened");
        owner.batch_execute("PRAGMA busy_timeout = 20000").expect("set");
        Self::at(&format!("sqlite:{file}"), Box::new((folder, owner))).await
    }

    async fn at(url: &str, execute: Box<dyn AsyncExecute>) -> Self {
        let (store, target) = target(url, &[SOURCE]).await;
        Self { store, execute, target: Arc::new(target) }
    }

    /// Empties the database and commits batches of bodies, which two workers take in turn.
    pub(crate) async fn commit(&mut self, bodies: &[String], batches: &[Vec<usize>]) {
        let entities = ENTITIES.iter().map(|entity| format!("jodo_r_{}", entity.name));
        let tables = entities.chain(SETS.iter().map(|set| format!("jodo_s_{}", set.name)));
        let tables = tables.chain(["jodo_events".to_owned()]);
        let emptied: String = tables.map(|table| format!("DELETE FROM {table};")).collect();
        self.execute.execute(&emptied).await;
        let events = |batch: &Vec<usize>| {
            let mut events = BTreeMap::new();
            for &index in batch {
                let message = message(&bodies[index]);
                let rules = self.target.rules.get(&message.source);
                events.insert(message.key, Event::decided(&message, decide(&message, rules)));
            }
            events.into_values().collect::<Vec<_>>()
        };
        let worker = |first: usize| {
            let target = self.target.clone();
            let batches: Vec<_> = batches.iter().skip(first).step_by(2).map(events).collect();
            tokio::spawn(async move {
                for batch in batches {
                    commit_batch(&target, &batch).await.expect("not interrupted");
                }
            })
        };
        let (first, second) = (worker(0), worker(1));
        first.await.expect("no panic");
        second.await.expect("no panic");
    }
}
