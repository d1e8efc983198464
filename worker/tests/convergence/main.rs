//! Order does not matter: any permutation of the same deliveries, with any repetition, cut into any batches, committed
//! by two workers at once, ends in the same rows; and they are the rows of a naive model that reads the whole history
//! in order.
//!
//! `JODO_TEST_CASES` says how many histories are tried on the databases, `JODO_TEST_MEMORY_CASES` how many in memory.

#![expect(clippy::expect_used, reason = "a panic is the report")]

mod history;
mod memory;
mod payloads;
mod place;

use history::{SOURCE, histories, message};
use jodo_school::model::{Setting, VIEWS, owned, replay, rows_by_key};
use jodo_worker::decide::{Decision, decide};
use jodo_worker::fold::fold;
use jodo_worker::testing::rules;
use memory::Memory;
use place::Place;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};

/// A runner for as many cases as the environment asks for. Histories that failed once are tried first, for ever.
fn runner(variable: &str, usual: u32) -> TestRunner {
    let cases = std::env::var(variable).ok().and_then(|cases| cases.parse().ok()).unwrap_or(usual);
    let kept =
        FileFailurePersistence::Direct(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/convergence/failed.txt"));
    TestRunner::new(Config {
        cases,
        max_shrink_iters: 300,
        failure_persistence: Some(Box::new(kept)),
        ..Config::default()
    })
}

/// Where the rows of the views differ from the naive model's, as text; nothing where they do not.
async fn differences(place: &Place, bodies: &[String]) -> Vec<String> {
    let setting =
        Setting { source: SOURCE.to_owned(), tenant: "main".to_owned(), time_zone: rules().time_zone };
    let mut wanted = replay(&setting, bodies);
    let mut found_differences = Vec::new();
    for (view, _) in VIEWS {
        let found = rows_by_key(view, place.store.view(view).await.expect("the view"));
        let wanted = owned(wanted.remove(view).unwrap_or_default());
        for key in wanted.keys().chain(found.keys().filter(|key| !wanted.contains_key(*key))) {
            let (wanted, found) = (wanted.get(key), found.get(key));
            if wanted != found {
                found_differences.push(format!("{view} {key}\n  wanted {wanted:?}\n  found  {found:?}"));
            }
        }
    }
    found_differences
}

#[test]
fn any_order_any_repetition_any_cut_ends_in_the_rows_of_the_naive_model_on_every_database() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (postgres, sqlite) =
        runtime.block_on(async { (Place::on_postgres().await, Place::on_sqlite().await) });
    let places = tokio::sync::Mutex::new((postgres, sqlite));
    let outcome = runner("JODO_TEST_CASES", 256).run(&histories(), |history| {
        runtime.block_on(async {
            let (postgres, sqlite) = &mut *places.lock().await;
            let in_order = [(0..history.bodies.len()).collect()];
            sqlite.commit(&history.bodies, &in_order).await;
            let differences = differences(sqlite, &history.bodies).await;
            prop_assert!(differences.is_empty(), "{}", differences.join("\n"));
            let plain = sqlite.store.dump().await.expect("a dump");
            for place in [sqlite, postgres] {
                place.commit(&history.bodies, &history.cut()).await;
                prop_assert_eq!(&place.store.dump().await.expect("a dump"), &plain);
            }
            Ok(())
        })
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    drop(runtime.enter());
}

#[test]
fn any_order_any_repetition_any_cut_ends_in_the_same_rows_in_memory() {
    let rules = rules();
    let outcome = runner("JODO_TEST_MEMORY_CASES", 1_000).run(&histories(), |history| {
        let decided: Vec<Decision> =
            history.bodies.iter().map(|body| decide(&message(body), Some(&rules))).collect();
        let changes = |places: &[usize]| fold(places.iter().flat_map(|place| &decided[*place].changes));
        let mut plain = Memory::default();
        plain.write(&changes(&(0..decided.len()).collect::<Vec<_>>()));
        let mut shuffled = Memory::default();
        for batch in history.cut() {
            shuffled.write(&changes(&batch));
        }
        prop_assert_eq!(shuffled, plain);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
