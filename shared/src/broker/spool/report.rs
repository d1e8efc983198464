//! The spool's gauges.

use std::collections::BTreeMap;
use std::time::Instant;

use super::chain::Space;
use super::queues::Queues;
use super::sessions::Sessions;
use crate::clock;
use crate::ids::TargetName;
use crate::metrics::{
    SPOOL_BYTES, SPOOL_LEFT_BYTES, SPOOL_TIME_TO_FULL, SPOOL_WAITING, SPOOL_WAITING_SECONDS,
};

/// Says how one spool is. A process may have several: its own, and those that it empties for others.
pub(super) struct Report {
    folder: String,
    last: Option<(Instant, Space)>,
}

impl Report {
    pub(super) fn new(folder: String) -> Self {
        Self { folder, last: None }
    }

    /// How many messages of each target are unsettled.
    pub(super) fn waiting(&self, queues: &Queues, sessions: &Sessions) {
        for (target, (count, _)) in unsettled(queues, sessions) {
            self.gauge(SPOOL_WAITING, &target).set(count as f64);
        }
    }

    /// How long the oldest of each target has waited.
    pub(super) fn ages(&self, queues: &Queues, sessions: &Sessions) {
        let now = clock::now().as_millisecond();
        for (target, (_, oldest)) in unsettled(queues, sessions) {
            let milliseconds = oldest.map_or(0, |oldest| now.saturating_sub(oldest).max(0));
            self.gauge(SPOOL_WAITING_SECONDS, &target).set(milliseconds as f64 / 1_000.0);
        }
    }

    /// Size, what is left, and how long that lasts at the pace since the last call.
    pub(super) fn space(&mut self, space: Space) {
        let label = || self.folder.clone();
        metrics::gauge!(SPOOL_BYTES, "folder" => label()).set(space.bytes as f64);
        metrics::gauge!(SPOOL_LEFT_BYTES, "folder" => label()).set(space.left as f64);
        if let Some((at, before)) = self.last {
            let seconds = time_to_full(before.left, space.left, at.elapsed().as_secs_f64());
            metrics::gauge!(SPOOL_TIME_TO_FULL, "folder" => label()).set(seconds);
        }
        self.last = Some((Instant::now(), space));
    }

    fn gauge(&self, name: &'static str, target: &TargetName) -> metrics::Gauge {
        metrics::gauge!(name, "folder" => self.folder.clone(), "target" => target.to_string())
    }
}

/// Seconds until nothing is left, if as much goes on being used as between two measurements; infinite if less was used.
fn time_to_full(before: u64, left: u64, elapsed: f64) -> f64 {
    let used = before.saturating_sub(left) as f64;
    if used > 0.0 { left as f64 * elapsed / used } else { f64::INFINITY }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_lasts_as_long_as_it_is_used_up_at_the_same_pace() {
        assert_eq!(time_to_full(1_000, 900, 60.0), 540.0);
        assert_eq!(time_to_full(1_000, 0, 60.0), 0.0);
        assert_eq!(time_to_full(900, 900, 60.0), f64::INFINITY);
        assert_eq!(time_to_full(900, 1_000, 60.0), f64::INFINITY);
    }
}
