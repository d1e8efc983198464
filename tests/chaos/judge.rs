//! The judge: is everything that was accepted there, and are the rows those of a run in which nothing happened?

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use jodo_shared::ids::DeliveryKey;
use jodo_worker::store::StoreError;
use jodo_worker::store::inspect::AnyRow;
use jodo_worker::store::maintain::Maintain;
use tokio::time::{Instant, sleep_until};

use crate::number;

/// How many seconds after the fault everything may take to be settled, unless JODO_CHAOS_PATIENCE says otherwise.
/// Reached only when something is lost.
const PATIENCE: u64 = 180;

/// The inbox in the end.
pub(crate) struct Inbox {
    /// Accepted deliveries that are in no outcome and not held.
    pub(crate) lost: usize,
    /// Events that are neither applied nor ignored.
    pub(crate) not_settled: usize,
    /// Longest time from being accepted to being in the database.
    pub(crate) longest_stall: Duration,
}

/// Waits until all of these are settled, for as long as there is hope.
pub(crate) async fn inbox(store: &dyn Maintain, owed: &HashSet<DeliveryKey>) -> Inbox {
    let patience = number("JODO_CHAOS_PATIENCE").unwrap_or(PATIENCE);
    let deadline = Instant::now() + Duration::from_secs(patience);
    loop {
        let next = Instant::now() + Duration::from_millis(200);
        match look(store, owed).await {
            Ok(inbox) if (inbox.lost == 0 && inbox.not_settled == 0) || next > deadline => return inbox,
            Err(error) if next > deadline => panic!("the inbox cannot be read: {error}"),
            Ok(_) | Err(_) => sleep_until(next).await,
        }
    }
}

async fn look(store: &dyn Maintain, owed: &HashSet<DeliveryKey>) -> Result<Inbox, StoreError> {
    let rows = store.rows_where("jodo_events", "source", &["jodo".to_owned()]).await?;
    let held = store.rows_where("jodo_unverified", "source", &["jodo".to_owned()]).await?;
    let keys: HashSet<DeliveryKey> =
        rows.iter().chain(&held).filter_map(|row| text(row, "delivery_key").parse().ok()).collect();
    let settled = |row: &&AnyRow| !["applied", "ignored"].contains(&text(row, "outcome"));
    Ok(Inbox {
        lost: owed.difference(&keys).count(),
        not_settled: rows.iter().filter(settled).count(),
        longest_stall: rows.iter().map(waited).max().unwrap_or_default(),
    })
}

fn text<'r>(row: &'r AnyRow, column: &str) -> &'r str {
    row.get(column).and_then(Option::as_deref).unwrap_or_default()
}

/// From the ingress' acceptance to the row.
fn waited(row: &AnyRow) -> Duration {
    let at = |column| text(row, column).parse::<Timestamp>().expect("an instant");
    at("recorded_at").duration_since(at("received_at")).try_into().unwrap_or_default()
}

/// How many lines are in one dump more often than in the other.
pub(crate) fn differing_rows(one: &[String], other: &[String]) -> usize {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for line in one {
        *counts.entry(line).or_default() += 1;
    }
    for line in other {
        *counts.entry(line).or_default() -= 1;
    }
    counts.values().map(|count| count.unsigned_abs() as usize).sum()
}
