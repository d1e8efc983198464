//! Step 8: commit a batch, and find out what to do when that fails.
//!
//! A database error decides nothing: deadlock, timeout, missing right and bad value look alike. So after each failure
//! the store is probed. A failed probe means infrastructure: the target pauses and the batch goes back. A good probe
//! means that something in the batch is at fault: it is halved until the event stands alone, and tried alone three
//! times before it is called an event failure, which the brake then judges.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use jiff::SignedDuration;
use jodo_shared::clock::{now, precise};
use jodo_shared::ids::DeliveryKey;
use jodo_shared::metrics as names;
use jodo_shared::outcome::{Outcome, Reason};

use crate::brake::Verdict;
use crate::event::Event;
use crate::fold::fold;
use crate::store::{StoreError, UnverifiedRow, Write, Written};
use crate::target::{Interrupted, Target};
use crate::trace::{Commit, trace};

/// How long a failed batch is taken apart while parts of it time out.
const PATIENCE: Duration = Duration::from_secs(60);
/// When an event that the database took too long over is tried again.
pub(crate) const AFTER_TIMEOUT: SignedDuration = SignedDuration::from_secs(60);

/// How one try ended, the store being well afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tried {
    /// Committed.
    Committed,
    /// Refused; what the database named.
    Refused(String),
    /// Cancelled because it took too long, or its connection was cut.
    TimedOut,
}

/// Commits the events and their effect, or, for those that cannot be committed, a row that says why. Keys are
/// distinct. Afterwards every event has its row; returns the keys of those that are settled.
///
/// # Errors
/// [`Interrupted`] when the target was paused, or a row that says why was refused: some may be committed, and all of
/// them must go back to the queue.
pub async fn commit_batch(target: &Target, events: &[Event]) -> Result<Vec<DeliveryKey>, Interrupted> {
    let mut alone = Vec::new();
    if !events.is_empty() && !whole(target, events).await? {
        alone = bisect(target, events).await?;
        for pause in target.timing.alone_again {
            alone = again(target, alone, pause).await?;
        }
    }
    let failed: HashSet<_> = alone.iter().map(|(event, _)| event.row.key).collect();
    let committed = || events.iter().map(|event| &event.row).filter(|row| !failed.contains(&row.key));
    // What `decide` quarantined is no success of the database's.
    let applied = committed().filter(|row| row.outcome == Outcome::Applied).count();
    conclude(target, applied, &alone).await?;
    Ok(committed().filter(|row| row.outcome.is_settled()).map(|row| row.key).collect())
}

/// Commits held deliveries: stored aside, never decided.
///
/// # Errors
/// [`Interrupted`], as for [`commit_batch`].
pub async fn commit_held(target: &Target, held: &[UnverifiedRow]) -> Result<(), Interrupted> {
    if held.is_empty() {
        return Ok(());
    }
    let write = Write { unverified: held, ..Write::default() };
    for pause in target.timing.alone_again {
        // Nothing in such a row can be at fault, so there is nothing to bisect.
        let Err(error) = target.store.write(&write).await else { return Ok(()) };
        tracing::warn!(target.name = %target.name, %error, "held deliveries were not stored; trying again");
        target.probe().await?;
        tokio::time::sleep(pause).await;
    }
    target.store.write(&write).await.map(drop).map_err(|_| Interrupted)
}

/// The batch as a whole, and once more after a jitter: two workers in each other's way are not an event's fault.
async fn whole(target: &Target, events: &[Event]) -> Result<bool, Interrupted> {
    if try_once(target, &refs(events)).await? == Tried::Committed {
        return Ok(true);
    }
    tokio::time::sleep(jittered(target.timing.batch_again)).await;
    let tried = try_once(target, &refs(events)).await?;
    if let Tried::Refused(what) = &tried {
        tracing::warn!(target.name = %target.name, events = events.len(), %what, "a batch is refused; looking for the events at fault");
    }
    Ok(tried == Tried::Committed)
}

/// Halves a failed batch until only events that fail alone are left; commits the rest. When locks have cost more than
/// [`PATIENCE`], what is in a part that timed out is put off as it is: the broker takes back a batch that takes long.
async fn bisect<'e>(target: &Target, events: &'e [Event]) -> Result<Vec<(&'e Event, Tried)>, Interrupted> {
    let started = Instant::now();
    let mut alone = Vec::new();
    let mut parts = halves(events);
    while let Some(part) = parts.pop() {
        match (try_once(target, &refs(part)).await?, part) {
            (Tried::Committed, _) => {}
            (tried, [event]) => alone.push((event, tried)),
            (Tried::TimedOut, part) if started.elapsed() > PATIENCE => {
                alone.extend(part.iter().map(|event| (event, Tried::TimedOut)));
            }
            (_, part) => parts.extend(halves(part)),
        }
    }
    Ok(alone)
}

fn halves(events: &[Event]) -> Vec<&[Event]> {
    let (front, back) = events.split_at(events.len() / 2);
    // The last one is taken first, so the front comes last; an empty half is no part.
    [back, front].into_iter().filter(|half| !half.is_empty()).collect()
}

/// Tries once more, after a pause, what was refused alone. What timed out is not tried again: it waits for a lock, and
/// others wait for it.
async fn again<'e>(
    target: &Target,
    failed: Vec<(&'e Event, Tried)>,
    pause: Duration,
) -> Result<Vec<(&'e Event, Tried)>, Interrupted> {
    let (refused, mut still): (Vec<_>, Vec<_>) =
        failed.into_iter().partition(|(_, tried)| matches!(tried, Tried::Refused(_)));
    if !refused.is_empty() {
        tokio::time::sleep(pause).await;
    }
    for (event, _) in refused {
        match try_once(target, &[event]).await? {
            Tried::Committed => {}
            tried => still.push((event, tried)),
        }
    }
    Ok(still)
}

/// One try; after a failure, the probe.
pub(crate) async fn try_once(target: &Target, events: &[&Event]) -> Result<Tried, Interrupted> {
    let Err(error) = write(target, events).await else { return Ok(Tried::Committed) };
    tracing::debug!(target.name = %target.name, events = events.len(), %error, "a commit failed");
    target.probe().await?;
    Ok(match error {
        // A database that fails over between two connections is no word on the event.
        StoreError::TimedOut | StoreError::Unreachable(_) => Tried::TimedOut,
        StoreError::Refused(_) | StoreError::Schema { .. } => Tried::Refused(error.to_string()),
    })
}

/// One transaction; repeated without the events that turn out to be `ignored` or `discarded` in the database.
async fn write(target: &Target, events: &[&Event]) -> Result<(), StoreError> {
    let mut open = events.to_vec();
    loop {
        let projections = fold(open.iter().flat_map(|event| &event.changes));
        let rows = open.iter().map(|event| &event.row).collect();
        let (started, began) = (Instant::now(), precise());
        let written = target.store.write(&Write { projections, events: rows, unverified: &[] }).await;
        let result = if written == Ok(Written::Committed) { "committed" } else { "rolled_back" };
        let labels = [("target", target.name.to_string()), ("result", result.to_owned())];
        metrics::counter!(names::BATCHES, &labels).increment(1);
        metrics::histogram!(names::COMMIT_SECONDS, &labels).record(started.elapsed());
        match written? {
            Written::Committed => {
                let commit = Commit { began, ended: precise(), events: open.len() };
                for event in open {
                    report(target, event);
                    trace(target, event, &commit);
                }
                return Ok(());
            }
            Written::Closed(keys) => open.retain(|event| !keys.contains(&event.row.key)),
        }
    }
}

/// Gives those that failed alone three times their ending: to be tried again, or for a person.
async fn conclude(target: &Target, applied: usize, alone: &[(&Event, Tried)]) -> Result<(), Interrupted> {
    let refused =
        |(event, tried): &(&Event, Tried)| matches!(tried, Tried::Refused(_)).then_some(event.row.key);
    let failed: Vec<_> = alone.iter().filter_map(refused).collect();
    let verdict = target.judge(applied, &failed);
    let now = now();
    let endings: Vec<Event> = alone
        .iter()
        .map(|(event, tried)| match (tried, &verdict) {
            (Tried::Refused(what), Verdict::Quarantine) => {
                event.quarantined(Reason::RefusedByDatabase, Some(what.clone()))
            }
            (Tried::Refused(_), Verdict::Brake) => event.retrying(Reason::Brake, now),
            _ => event.retrying(Reason::DatabaseTimeout, now + AFTER_TIMEOUT),
        })
        .collect();
    store_endings(target, &endings).await
}

/// Commits rows without effect. They hold cleaned values only, so a refusal is the deployment's fault.
pub(crate) async fn store_endings(target: &Target, endings: &[Event]) -> Result<(), Interrupted> {
    if endings.is_empty() || try_once(target, &refs(endings)).await? == Tried::Committed {
        return Ok(());
    }
    Err(Interrupted)
}

fn refs(events: &[Event]) -> Vec<&Event> {
    events.iter().collect()
}

/// A pause of about this length, so that workers in each other's way come apart.
fn jittered(about: Duration) -> Duration {
    let mut pauses = ExponentialBuilder::default().with_jitter().with_min_delay(about).build();
    pauses.next().unwrap_or(about)
}

/// Says how an event ended, once per commit of its row.
fn report(target: &Target, event: &Event) {
    let row = &event.row;
    let code = jodo_shared::contract::metric_label(row.code.as_ref());
    let reason = row.reason.map_or("none", Reason::as_str);
    let target = target.name.to_string();
    metrics::counter!(
        names::EVENTS, "target" => target, "outcome" => row.outcome.as_str(), "reason" => reason, "code" => code
    )
    .increment(1);
    if row.outcome == Outcome::Quarantined {
        tracing::warn!(
            delivery.key = %row.key, event.code = code, reason, detail = row.detail.as_deref(),
            "an event needs a person"
        );
    } else {
        tracing::debug!(delivery.key = %row.key, event.code = code, outcome = row.outcome.as_str(), reason, "committed");
    }
}
