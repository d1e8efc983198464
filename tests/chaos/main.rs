//! Chaos: faults are inflicted on everything while deliveries come in, and a judge says what is left of them.
//!
//! In `make test` a cut of some minutes; `make chaos RUNS=200 SEED=7` runs as many as it is told, and writes their table
//! into docs/RELIABILITY.md. Each run has a seed, which decides when the fault begins, how long it lasts, whom it hits,
//! and in which order deliveries come; how the machine's threads run is beyond it.
//!
//! What is owed is what was answered 2xx, and nothing else. The judge shares no code with what it judges but the reading
//! of rows: it compares keys, and dumps with the dump of a run in which nothing happened.

#![expect(clippy::expect_used, reason = "a panic in a test is the report")]
#![expect(clippy::print_stderr, reason = "whoever waits for an hour wants to see how far it is")]

mod dice;
mod faults;
mod inflict;
mod judge;
mod outages;
mod run;
mod sender;
mod stage;
mod table;

use std::path::Path;
use std::time::{Duration, Instant};

use faults::{FAULTS, Fault};
use stage::Services;
use table::Table;

/// What of it is in `make test`.
const CUT: usize = 16;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// The faults that this call is about: all, or those whose name contains JODO_CHAOS_FAULT.
fn chosen() -> Vec<Fault> {
    let wanted = std::env::var("JODO_CHAOS_FAULT").unwrap_or_default();
    FAULTS.iter().copied().filter(|fault| fault.name.contains(&wanted)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_nothing_is_lost_and_the_rows_are_the_same() {
    let runs = number("JODO_CHAOS_RUNS");
    let seed = number("JODO_CHAOS_SEED").unwrap_or(1);
    let services = Services::start().await;
    let undisturbed = run::undisturbed(&services).await;
    let faults = chosen();
    let began = Instant::now();
    let mut table = Table::default();
    for turn in 0..runs.map_or(CUT, |runs| runs as usize) {
        let fault = faults[turn % faults.len()];
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(turn as u64);
        let before = Instant::now();
        let ended = run::run(&services, fault, seed, &undisturbed).await;
        let took = before.elapsed().as_secs();
        eprintln!("{turn}: {:?}, {}: {ended:?} in {took} s", fault.shape, fault.name);
        table.add(fault, ended);
    }
    eprintln!("\n{}", table.in_words());
    if let Some(document) = std::env::var_os("JODO_CHAOS_WRITE") {
        table.write_into(Path::new(&document), &heading(table.runs(), seed, began.elapsed()));
    }
    assert_eq!(
        table.failures(),
        0,
        "lost deliveries, unsettled events or differing rows; the table says where"
    );
}

fn heading(runs: usize, seed: u64, took: Duration) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{runs} runs that count, seed {seed}, in {} minutes, on a machine with {cores} cores.",
        took.as_secs() / 60
    )
}
