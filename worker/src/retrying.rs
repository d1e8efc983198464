//! Rows that the inbox alone owns: crash suspects, timeouts, and what the brake kept. Taken one by one, on lease.

use std::sync::Arc;
use std::time::Instant;

use backon::{ExponentialBuilder, Retryable as _};
use jiff::Timestamp;
use jodo_shared::clock::now;
use jodo_shared::ids::DeliveryKey;
use jodo_shared::message::{Message, Peeked};
use jodo_shared::outcome::Reason;
use tokio_util::sync::CancellationToken;

use crate::commit::{AFTER_TIMEOUT, Tried, store_endings, try_once};
use crate::decide::decide;
use crate::event::Event;
use crate::store::{Due, EventRow, StoreError};
use crate::target::{Interrupted, Pause, Target};

/// Tries after which the event is taken to kill workers.
const MOST_ATTEMPTS: i32 = 5;

/// Takes due rows until shutdown. One task per target and process.
pub async fn work_off_due_rows(target: Arc<Target>, shutdown: CancellationToken) {
    while let Some(()) = shutdown.run_until_cancelled(until_turn(&target)).await {
        match one_turn(&target, &shutdown).await {
            Ok(true) => {}
            Ok(false) => {
                shutdown.run_until_cancelled(tokio::time::sleep(target.timing.due_poll)).await;
            }
            Err(error) => {
                tracing::debug!(target.name = %target.name, %error, "due rows could not be read");
                // The probe pauses the target if the database is away; otherwise the next turn tries again.
                if target.probe().await.is_ok() {
                    shutdown.run_until_cancelled(tokio::time::sleep(target.timing.due_poll)).await;
                }
            }
        }
    }
}

/// Waits until the target is open or, with the brake on, until a trial is due.
async fn until_turn(target: &Target) {
    while target.paused() == Some(Pause::Brake) {
        let next_trial = target.brake().next_trial();
        let Some(at) = next_trial else { break };
        if tokio::time::timeout_at(at.into(), target.until_open()).await.is_err() {
            return;
        }
    }
    target.until_open().await;
}

/// One turn: takes a row, if one is due, and gives it an ending. False when there was none.
async fn one_turn(target: &Target, shutdown: &CancellationToken) -> Result<bool, StoreError> {
    if let Some(since) = braked_since(target) {
        if target.store.applied_since(since).await? {
            tracing::info!(target.name = %target.name, "another worker commits events: the brake is lifted");
            target.lift_brake();
        } else {
            target.brake().begin_trial(Instant::now());
        }
    }
    let Some(due) = target.store.take_due(now()).await? else { return Ok(false) };
    let (key, reason) = (due.row.key, due.row.reason.unwrap_or(Reason::CrashSuspect));
    match end(target, due).await {
        Ok(Ending::Done) => {}
        Ok(Ending::Again(at, reason)) => target.store.put_back(key, at, reason).await?,
        Err(Interrupted) => {
            shutdown.run_until_cancelled(put_back_when_possible(target, key, reason)).await;
        }
    }
    Ok(true)
}

fn braked_since(target: &Target) -> Option<Timestamp> {
    target.brake().on_since()
}

/// What became of a due row.
enum Ending {
    /// Its row is written.
    Done,
    /// To be tried again then, for this reason; the try does not count.
    Again(Timestamp, Reason),
}

async fn end(target: &Target, due: Due) -> Result<Ending, Interrupted> {
    let message = message_of(target, &due.row);
    if due.attempts > MOST_ATTEMPTS {
        let unparsed = Event { row: due.row, changes: Vec::new() };
        store_endings(target, &[unparsed.quarantined(Reason::CrashesWorker, None)]).await?;
        return Ok(Ending::Done);
    }
    let event = Event::decided(&message, decide(&message, target.rules.get(&message.source)));
    let braked = braked_since(target).is_some();
    match tries(target, &event, braked).await? {
        Tried::Committed => {
            if braked && !event.changes.is_empty() {
                tracing::info!(target.name = %target.name, delivery.key = %message.key, "a trial succeeded: the brake is lifted");
                target.lift_brake();
            }
            Ok(Ending::Done)
        }
        Tried::TimedOut => Ok(Ending::Again(now() + AFTER_TIMEOUT, Reason::DatabaseTimeout)),
        Tried::Refused(_) if braked => Ok(Ending::Again(now(), Reason::Brake)),
        Tried::Refused(what) => {
            store_endings(target, &[event.quarantined(Reason::RefusedByDatabase, Some(what))]).await?;
            Ok(Ending::Done)
        }
    }
}

/// With the brake on a single try; otherwise three, as for an event that fails alone in a batch.
async fn tries(target: &Target, event: &Event, braked: bool) -> Result<Tried, Interrupted> {
    let mut tried = try_once(target, &[event]).await?;
    let pauses = if braked { &[][..] } else { &target.timing.alone_again[..] };
    for pause in pauses {
        if matches!(tried, Tried::Refused(_)) {
            tokio::time::sleep(*pause).await;
            tried = try_once(target, &[event]).await?;
        }
    }
    Ok(tried)
}

/// A try that the database's absence cut short costs nothing, as soon as that can be written.
async fn put_back_when_possible(target: &Target, key: DeliveryKey, reason: Reason) {
    let (shortest, longest) = target.timing.probe;
    let back_off =
        ExponentialBuilder::default().with_min_delay(shortest).with_max_delay(longest).without_max_times();
    let put_back = || target.store.put_back(key, now(), reason);
    if let Err(error) = put_back.retry(back_off).await {
        tracing::warn!(delivery.key = %key, %error, "a try that was cut short counts");
    }
}

/// The message that the row was made from.
fn message_of(target: &Target, row: &EventRow) -> Message {
    Message {
        key: row.key,
        source: row.source.clone(),
        tenant: row.tenant.clone(),
        target: target.name.clone(),
        received_at: row.received_at,
        peeked: Peeked { event_id: row.event_id.clone(), code: row.code.clone(), time: row.time },
        verified: true,
        redrive: row.redrive,
        trace: row.trace.clone(),
        body: row.body.clone(),
    }
}
