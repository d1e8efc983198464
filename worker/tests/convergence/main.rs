//! Order does not matter: any permutation of the same deliveries, with any repetition, cut into any batches, committed
//! by two workers at once, ends in the same rows; and they are the rows of a naive model that reads the whole history
//! in order.

#![expect(clippy::expect_used, reason = "a panic is the report")]

mod history;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use history::{History, SOURCE, histories, message};
use jiff::tz::TimeZone;
use jodo_test_support::school::{replay, world_of};
use jodo_test_support::{TestDatabase, fresh_database};
use jodo_worker::commit::commit_batch;
use jodo_worker::decide::{SourceRules, decide};
use jodo_worker::event::Event;
use jodo_worker::seen::NoSeenIds;
use jodo_worker::store::postgres::{PgStore, WorkerName, migrate};
use jodo_worker::target::{Target, Timing};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use secrecy::SecretString;
use tokio_postgres::NoTls;

/// One database for all cases: a case begins by emptying it, which is quicker than a new one.
struct Place {
    database: TestDatabase,
    client: tokio_postgres::Client,
    target: Arc<Target>,
}

impl Place {
    async fn new() -> Self {
        let database = fresh_database().await;
        let url = SecretString::from(database.url.clone());
        migrate(&url).await.expect("migrated");
        let name = WorkerName::of_this_process();
        let store = PgStore::new(&url, 4, Duration::from_secs(20), name).expect("a store");
        let rules = SourceRules { time_zone: TimeZone::UTC, ignore: Default::default() };
        let rules = HashMap::from([(SOURCE.parse().expect("a name"), rules)]);
        let name = "main".parse().expect("a name");
        let target = Target::new(name, Arc::new(store), Arc::new(NoSeenIds), rules, Timing::default());
        let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("connected");
        tokio::spawn(connection);
        Self { database, client, target: Arc::new(target) }
    }

    /// Commits the arrivals with two workers, who take the batches in turn, and returns the dump.
    async fn commit(&self, history: &History, arrivals: &[usize], batches: &[usize]) -> Vec<String> {
        let tables = "jodo_events, jodo_r_students, jodo_r_manual_payments, jodo_s_student_ids";
        self.client.batch_execute(&format!("TRUNCATE {tables}")).await.expect("emptied");
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

#[test]
fn any_order_any_repetition_any_cut_ends_in_the_rows_of_the_naive_model() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let place = runtime.block_on(Place::new());
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&histories(), |history| {
        runtime.block_on(async {
            let in_order: Vec<_> = (0..history.sent.len()).collect();
            let all_at_once = [history.sent.len()];
            let straight = place.commit(&history, &in_order, &all_at_once).await;
            let world = world_of(&place.database.url).await.expect("the views");
            let shuffled = place.commit(&history, &history.arrivals, &history.batches).await;
            prop_assert_eq!(straight, shuffled);
            prop_assert_eq!(world, replay(SOURCE, &history.sent));
            Ok(())
        })
    });
    if let Err(failure) = outcome {
        panic!("{failure}\n{}", place.database.name);
    }
    drop(runtime.enter());
}
