//! Rows that the inbox alone owns: crash suspects, timeouts, what the brake kept, and what people want tried again. Taken
//! one by one, on lease.

use std::sync::Arc;
use std::time::Duration;

use backon::Retryable as _;
use jiff::{SignedDuration, Timestamp};
use jodo_shared::clock::{now, precise};
use jodo_shared::ids::DeliveryKey;
use jodo_shared::outcome::{Outcome, Reason};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::brake::Verdict;
use crate::commit::{AFTER_TIMEOUT, Tried, store_endings, try_once};
use crate::decide::decide;
use crate::event::Event;
use crate::store::{Due, StoreError};
use crate::target::{Interrupted, Pause, Target};

/// Tries after which the event is taken to kill workers.
const MOST_ATTEMPTS: i32 = 5;
/// When a row is tried again whose try was cut short.
const AFTER_INTERRUPTION: SignedDuration = SignedDuration::from_secs(5);
/// How long the database has, at shutdown, to take a try back.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Takes due rows until shutdown. One task per target and process.
pub async fn work_off_due_rows(target: Arc<Target>, shutdown: CancellationToken) {
    while let Some(()) = shutdown.run_until_cancelled(until_turn(&target)).await {
        let turn = one_turn(&target, &shutdown).await;
        if let Err(error) = &turn {
            tracing::debug!(target.name = %target.name, %error, "due rows could not be read");
            // Pauses the target if it is the database.
            if let Err(Interrupted) = target.probe().await {
                tracing::debug!(target.name = %target.name, "and the probe failed");
            }
        }
        if !matches!(turn, Ok(true)) {
            shutdown.run_until_cancelled(tokio::time::sleep(target.timing.due_poll)).await;
        }
    }
}

/// Waits until the target is open or, with the brake on, until a trial is due.
async fn until_turn(target: &Target) {
    loop {
        match target.paused() {
            None => {
                target.pace.until_paid().await;
                if target.paused().is_none() {
                    return;
                }
            }
            Some(Pause::Brake) => {
                // Without a trial to wait for it has just been lifted.
                let Some(at) = target.next_trial() else { continue };
                if tokio::time::timeout_at(at.into(), target.until_not_braked()).await.is_err() {
                    return;
                }
            }
            Some(_) => target.until_open_or_braked().await,
        }
    }
}

/// One turn: takes a row, if one is due, and gives it an ending. False when there was none.
async fn one_turn(target: &Target, shutdown: &CancellationToken) -> Result<bool, StoreError> {
    if let Some((since, spell)) = target.begin_trial() {
        target.store.return_to_retrying(&spell, since).await?;
        if !target.store.brake_holds(since).await? {
            target.lift_brake("events are applied again, or none is left to try it with");
        }
    }
    let taken_at = precise();
    let Some(due) = target.store.take_due(now()).await? else { return Ok(false) };
    target.pace.take(1);
    let (key, reason) = (due.row.key, due.row.reason.unwrap_or(Reason::CrashSuspect));
    let (due_at, reason) = match end(target, due, taken_at).await {
        Ok(Ending::Done) => return Ok(true),
        Ok(Ending::Again(pause, reason)) => (now() + pause, reason),
        Err(Interrupted) => (now() + AFTER_INTERRUPTION, reason),
    };
    put_back(target, key, due_at, reason, shutdown).await;
    Ok(true)
}

/// What became of a due row.
enum Ending {
    /// Its row is written.
    Done,
    /// To be tried again after this, for this reason; the try does not count.
    Again(SignedDuration, Reason),
}

async fn end(target: &Target, due: Due, taken_at: Timestamp) -> Result<Ending, Interrupted> {
    if due.attempts > MOST_ATTEMPTS {
        let unparsed = Event { row: due.row, changes: Vec::new(), taken_at: Some(taken_at) };
        store_endings(target, &[unparsed.quarantined(Reason::CrashesWorker, None)]).await?;
        return Ok(Ending::Done);
    }
    // Rows that a brake kept are under it wherever it came on, until an event is applied anywhere.
    let under_brake = due.row.reason == Some(Reason::Brake);
    let by_hand = matches!(due.row.reason, Some(Reason::AskedAgain | Reason::Imported));
    let braked = under_brake && target.store.brake_holds(due.recorded_at).await.map_err(|_| Interrupted)?;
    let message = due.row.message(&target.name);
    let event =
        Event::decided(&message, decide(&message, target.rules.get(&message.source))).taken_at(taken_at);
    // A brake that comes on during the tries is another pipeline's word, and later than what began them.
    let was_on = target.next_trial().is_some();
    match tries(target, &event, braked).await? {
        Tried::Committed => {
            let applied = event.row.outcome == Outcome::Applied;
            target.judge(usize::from(applied), &[]);
            if applied && was_on {
                target.lift_brake("a trial succeeded");
            }
            Ok(Ending::Done)
        }
        Tried::TimedOut => Ok(Ending::Again(AFTER_TIMEOUT, Reason::DatabaseTimeout)),
        Tried::Refused(_) if braked => Ok(Ending::Again(target.timing.braked_again, Reason::Brake)),
        Tried::Refused(what) => {
            // An event failure that outlives a lifted brake is the event's own. So is that of an event which a person
            // chose: it has failed before, and says nothing new about the deployment. Any other is judged like one in
            // a batch.
            let its_own = under_brake || by_hand && !was_on;
            if !its_own && target.judge(0, &[message.key]) == Verdict::Brake {
                return Ok(Ending::Again(target.timing.braked_again, Reason::Brake));
            }
            store_endings(target, &[event.quarantined(Reason::RefusedByDatabase, Some(what))]).await?;
            Ok(Ending::Done)
        }
    }
}

/// Under the brake a single try; otherwise three, as for an event that fails alone in a batch.
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

/// A try that ended in no verdict costs nothing, as soon as that can be written; at shutdown it is tried once more.
async fn put_back(
    target: &Target,
    key: DeliveryKey,
    due_at: Timestamp,
    reason: Reason,
    shutdown: &CancellationToken,
) {
    let done = match shutdown.run_until_cancelled(put_back_at_last(target, key, due_at, reason)).await {
        Some(done) => done,
        None => timeout(LAST_WORD, target.store.put_back(key, due_at, reason))
            .await
            .unwrap_or(Err(StoreError::TimedOut)),
    };
    if let Err(error) = done {
        tracing::warn!(delivery.key = %key, %error, "a try that was cut short counts");
    }
}

async fn put_back_at_last(
    target: &Target,
    key: DeliveryKey,
    due_at: Timestamp,
    reason: Reason,
) -> Result<(), StoreError> {
    let put_back = || target.store.put_back(key, due_at, reason);
    put_back.retry(target.timing.back_off()).await
}
