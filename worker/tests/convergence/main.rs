//! Order does not matter: any permutation of the same deliveries, with any repetition, cut into any batches, committed
//! by two workers at once, ends in the same rows; and they are the rows of a naive model that reads the whole history
//! in order.

#![expect(clippy::expect_used, reason = "a panic is the report")]

mod history;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use history::{History, SOURCE, histories, message};
use jiff::tz::TimeZone;
use jodo_test_support::school::{World, replay, world_in};
use jodo_test_support::{TestDatabase, fresh_database};
use jodo_worker::commit::commit_batch;
use jodo_worker::decide::{SourceRules, decide};
use jodo_worker::event::Event;
use jodo_worker::seen::NoSeenIds;
use jodo_worker::store::inspect::Inspect;
use jodo_worker::store::{WorkerName, migrate, open};
use jodo_worker::target::{Target, Timing};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// One database for all cases: a case begins by emptying it, which is quicker than a new one.
struct Place {
    store: Arc<dyn Inspect>,
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
    async fn on_postgres() -> Self {
        let database = fresh_database().await;
        let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("connected");
        tokio::spawn(connection);
        let url = database.url.clone();
        Self::at(&url, Box::new((database, client))).await
    }

    async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("erp.db").display().to_string();
        let mut owner = SqliteConnection::establish(&file).expect("opened");
        owner.batch_execute("PRAGMA busy_timeout = 20000").expect("set");
        Self::at(&format!("sqlite:{file}"), Box::new((folder, owner))).await
    }

    async fn at(url: &str, execute: Box<dyn AsyncExecute>) -> Self {
        let url = SecretString::from(url.to_owned());
        migrate(&url).await.expect("migrated");
        let name = WorkerName::of_this_process();
        let store = open(&url, 4, Duration::from_secs(20), name).expect("a store");
        let rules = SourceRules { time_zone: TimeZone::UTC, ignore: Default::default() };
        let rules = HashMap::from([(SOURCE.parse().expect("a name"), rules)]);
        let name = "main".parse().expect("a name");
        let target = Target::new(name, store.clone(), Arc::new(NoSeenIds), rules, Timing::default());
        Self { store, execute, target: Arc::new(target) }
    }

    async fn world(&self) -> World {
        let view = async |name| self.store.view(name).await.expect("the view");
        world_in(&view("jodo_students").await, &view("jodo_manual_payments").await)
    }

    /// Commits the arrivals with two workers, who take the batches in turn, and returns the dump.
    async fn commit(&mut self, history: &History, arrivals: &[usize], batches: &[usize]) -> Vec<String> {
        let tables = ["jodo_events", "jodo_r_students", "jodo_r_manual_payments", "jodo_s_student_ids"];
        let emptied: String = tables.iter().map(|table| format!("DELETE FROM {table};")).collect();
        self.execute.execute(&emptied).await;
        let events = |arrivals: &[usize]| {
            let mut batch = BTreeMap::new();
            for &index in arrivals {
                let message = message(&history.sent[index]);
                let rules = self.target.rules.get(&message.source);
                batch.insert(message.key, Event::decided(&message, decide(&message, rules)));
            }
            batch.into_values().collect::<Vec<_>>()
        };
        let (mut first, mut second) = (Vec::new(), Vec::new());
        let mut rest = arrivals;
        for size in batches.iter().chain(std::iter::repeat(&batches[batches.len() - 1])) {
            if rest.is_empty() {
                break;
            }
            let (batch, after) = rest.split_at((*size).min(rest.len()));
            if first.len() > second.len() { &mut second } else { &mut first }.push(events(batch));
            rest = after;
        }
        let worker = |batches: Vec<Vec<Event>>| {
            let target = self.target.clone();
            tokio::spawn(async move {
                for batch in batches {
                    commit_batch(&target, &batch).await.expect("not interrupted");
                }
            })
        };
        let (first, second) = (worker(first), worker(second));
        first.await.expect("no panic");
        second.await.expect("no panic");
        self.target.store.dump().await.expect("a dump")
    }
}

/// Commits each history in two ways on both databases: equal dumps, and the rows of the naive model.
#[test]
fn any_order_any_repetition_any_cut_ends_in_the_rows_of_the_naive_model_on_every_database() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let places = [runtime.block_on(Place::on_postgres()), runtime.block_on(Place::on_sqlite())];
    let places = tokio::sync::Mutex::new(places);
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&histories(), |history| {
        runtime.block_on(async {
            let in_order: Vec<_> = (0..history.sent.len()).collect();
            let all_at_once = [history.sent.len()];
            let mut dumps = Vec::new();
            for place in places.lock().await.iter_mut() {
                dumps.push(place.commit(&history, &in_order, &all_at_once).await);
                prop_assert_eq!(place.world().await, replay(SOURCE, &history.sent));
                dumps.push(place.commit(&history, &history.arrivals, &history.batches).await);
            }
            prop_assert!(dumps.windows(2).all(|pair| pair[0] == pair[1]), "{dumps:#?}");
            Ok(())
        })
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    drop(runtime.enter());
}
