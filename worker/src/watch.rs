//! Watches what no worker does by itself: what waits in the database for a person, silence, and whether Redis answers.
//!
//! Every worker reports the same of a database; whoever reads it takes the largest.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jodo_shared::clock::now;
use jodo_shared::ids::SourceName;
use jodo_shared::metrics as names;
use jodo_shared::outcome::Outcome;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::seen::RedisSeenIds;
use crate::store::StoreError;
use crate::store::inspect::{Inspect, OutcomeCounts, Unfinished};
use crate::target::Target;

/// How often.
const EVERY: Duration = Duration::from_secs(30);
/// How far back a source's last delivery is looked for. There is no index by source, so for a silent one everything that
/// others have sent since is read: once in a process, and not without end.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The outcomes that are counted.
const UNSETTLED: [Outcome; 2] = [Outcome::Retrying, Outcome::Quarantined];

/// Counts what is unfinished in the target's database until shutdown. A failure costs a count, never the worker.
/// `sources` are those that deliver to it; `store` is its database.
pub async fn watch_database(
    target: Arc<Target>,
    store: Arc<dyn Inspect>,
    mut sources: Vec<SourceName>,
    shutdown: CancellationToken,
) {
    let watching = async {
        let mut turns = turns();
        loop {
            turns.tick().await;
            let Err(error) = look(&target, store.as_ref(), &mut sources).await else { continue };
            let what = "what waits in the database was not counted";
            match target.paused() {
                // The pause has been told louder.
                Some(_) => tracing::debug!(target.name = %target.name, %error, "{what}"),
                None => tracing::warn!(target.name = %target.name, %error, "{what}"),
            }
        }
    };
    shutdown.run_until_cancelled(watching).await;
}

/// One look. Sources leave the list when their last delivery has been found out; from then on the pipelines tell.
async fn look(target: &Target, store: &dyn Inspect, sources: &mut Vec<SourceName>) -> Result<(), StoreError> {
    report(target, &store.unfinished().await?);
    while let Some(source) = sources.last() {
        let found = store.newest_of(source, now() - LOOK_BACK).await?;
        match found.and_then(|at| at.parse().ok()) {
            Some(at) => target.last.note(std::iter::once((source, at))),
            None => target.last.note_none(source),
        }
        sources.pop();
    }
    Ok(())
}

fn report(target: &Target, found: &Unfinished) {
    let name = target.name.to_string();
    metrics::gauge!(names::HELD_DELIVERIES, "target" => name.clone()).set(found.held as f64);
    for outcome in UNSETTLED {
        let (events, seconds) = totals(&found.unsettled, outcome, now());
        let labels = [("target", name.clone()), ("outcome", outcome.as_str().to_owned())];
        metrics::gauge!(names::UNSETTLED_EVENTS, &labels).set(events as f64);
        metrics::gauge!(names::UNSETTLED_SECONDS, &labels).set(seconds);
    }
}

/// How many events ended so, whatever the reason, and for how long the oldest has been there.
fn totals(counts: &[OutcomeCounts], outcome: Outcome, now: Timestamp) -> (i64, f64) {
    let ours = || counts.iter().filter(|counts| counts.outcome == outcome.as_str());
    let received = ours().filter_map(|counts| counts.oldest_received_at.as_deref()?.parse().ok());
    let age = received.min().map_or(0.0, |oldest: Timestamp| now.duration_since(oldest).as_secs_f64());
    // The clock of the ingress that received it may be ahead.
    (ours().map(|counts| counts.events).sum(), age.max(0.0))
}

/// Asks Redis until shutdown whether it answers.
pub async fn watch_redis(seen: Arc<RedisSeenIds>, shutdown: CancellationToken) {
    let asking = async {
        let mut turns = turns();
        loop {
            turns.tick().await;
            let answer = seen.ping().await;
            metrics::gauge!(names::REDIS_UP).set(if answer.is_ok() { 1.0 } else { 0.0 });
            if let Err(error) = answer {
                tracing::debug!(%error, "Redis does not answer");
            }
        }
    };
    shutdown.run_until_cancelled(asking).await;
}

fn turns() -> Interval {
    let mut turns = tokio::time::interval(EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_added_over_reasons_and_the_oldest_counts() {
        let counts = |outcome: Outcome, events, second| OutcomeCounts {
            outcome: outcome.as_str().to_owned(),
            reason: None,
            events,
            oldest_received_at: Some(jodo_shared::clock::stored(Timestamp::from_second(second).unwrap())),
        };
        let all = [
            counts(Outcome::Retrying, 3, 70),
            counts(Outcome::Quarantined, 1, 10),
            counts(Outcome::Retrying, 2, 40),
        ];
        let now = Timestamp::from_second(100).unwrap();
        assert_eq!(totals(&all, Outcome::Retrying, now), (5, 60.0));
        assert_eq!(totals(&all, Outcome::Quarantined, now), (1, 90.0));
        assert_eq!(totals(&[], Outcome::Retrying, now), (0, 0.0));
        assert_eq!(totals(&all, Outcome::Quarantined, Timestamp::UNIX_EPOCH), (1, 0.0));
    }
}
