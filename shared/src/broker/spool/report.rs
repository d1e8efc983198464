//! The spool's gauges.

use std::collections::BTreeMap;

use super::queues::Queues;
use super::sessions::Sessions;
use crate::clock;
use crate::ids::TargetName;
use crate::metrics::{SPOOL_BYTES, SPOOL_WAITING, SPOOL_WAITING_SECONDS};

/// How many messages of each target are unsettled.
pub(super) fn waiting(queues: &Queues, sessions: &Sessions) {
    for (target, (count, _)) in unsettled(queues, sessions) {
        metrics::gauge!(SPOOL_WAITING, "target" => String::from(target)).set(count as f64);
    }
}

/// How long the oldest of each target has waited.
pub(super) fn ages(queues: &Queues, sessions: &Sessions) {
    let now = clock::now().as_millisecond();
    for (target, (_, oldest)) in unsettled(queues, sessions) {
        let milliseconds = oldest.map_or(0, |oldest| now.saturating_sub(oldest).max(0));
        let seconds = milliseconds as f64 / 1_000.0;
        metrics::gauge!(SPOOL_WAITING_SECONDS, "target" => String::from(target)).set(seconds);
    }
}

/// Size of the folder.
pub(super) fn bytes(bytes: u64) {
    metrics::gauge!(SPOOL_BYTES).set(bytes as f64);
}

/// Count and oldest arrival of what waits or is handed out.
fn unsettled(queues: &Queues, sessions: &Sessions) -> BTreeMap<TargetName, (usize, Option<i64>)> {
    let mut all = BTreeMap::new();
    for (target, count, oldest) in queues.waiting() {
        all.insert(target, (count, oldest));
    }
    for (target, count, oldest) in sessions.held() {
        let (sum, first) = all.entry(target.clone()).or_insert((0, None));
        *sum += count;
        *first = first.iter().copied().chain(oldest).min();
    }
    all
}
