//! Steps 5 to 10 of an event's journey, in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use backon::BackoffBuilder as _;
use jiff::Timestamp;
use jodo_shared::broker::{BatchLimits, Consumer, Delivery, Receipt};
use jodo_shared::clock::{now, precise};
use jodo_shared::ids::DeliveryKey;
use jodo_shared::message::Message;
use jodo_shared::metrics as names;
use tokio_util::sync::CancellationToken;

use crate::commit::{commit_batch, commit_held};
use crate::decide::decide;
use crate::event::{Event, held};
use crate::repeats::look_up_repeats;
use crate::store::UnverifiedRow;
use crate::target::{Interrupted, Target};

/// A message handed out this often may be what its earlier holders died of. Too low: what was only prefetched by workers
/// that stopped or lost their connection is suspected too, and taken one by one. Too high: so many workers die of it.
pub const SUSPECT_HAND_OUTS: u32 = 6;

/// Runs one pipeline until shutdown. A batch at hand is finished first; what was only prefetched goes back.
pub async fn run_pipeline(
    target: Arc<Target>,
    mut consumer: Box<dyn Consumer>,
    limits: BatchLimits,
    shutdown: CancellationToken,
) {
    let mut pauses = target.timing.back_off().build();
    while let Some(batch) =
        shutdown.run_until_cancelled(next_batch(&target, consumer.as_mut(), &limits)).await
    {
        target.pace.take(batch.len());
        let (messages, receipts) = split(batch);
        match work(&target, messages).await {
            Ok(()) => {
                settle(consumer.as_mut(), receipts).await;
                pauses = target.timing.back_off().build();
            }
            // Also where the target is not paused: the probe is good, and what was asked is refused all the same.
            Err(Interrupted) => {
                consumer.give_back(receipts).await;
                if let Some(pause) = pauses.next() {
                    shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
                }
            }
        }
    }
    consumer.give_back(Vec::new()).await;
}

/// Step 5: waits for messages while the target is open; hands prefetched ones back when it is paused.
async fn next_batch(target: &Target, consumer: &mut dyn Consumer, limits: &BatchLimits) -> Vec<Delivery> {
    loop {
        target.until_open().await;
        tokio::select! {
            biased;
            () = target.until_paused() => {}
            batch = paced(target, consumer, limits) => return batch,
        }
        consumer.give_back(Vec::new()).await;
    }
}

async fn paced(target: &Target, consumer: &mut dyn Consumer, limits: &BatchLimits) -> Vec<Delivery> {
    target.pace.until_paid().await;
    consumer.next_batch(limits).await
}

/// Steps 6 to 9. Returns once every message has its row, or is a repeat of one that has.
async fn work(target: &Target, deliveries: Vec<(Message, u32)>) -> Result<(), Interrupted> {
    let taken_at = precise();
    metrics::histogram!(names::BATCH_EVENTS, "target" => target.name.to_string())
        .record(deliveries.len() as f64);
    let (messages, hand_outs): (Vec<_>, Vec<_>) = deliveries.into_iter().unzip();
    let repeats = look_up_repeats(target, &messages).await;
    let (events, held) = decide_all(target, messages.iter().zip(hand_outs), &repeats, taken_at);
    let settled = commit_batch(target, &events).await?;
    note_arrivals(target, &messages);
    mark(target, &settled).await;
    commit_held(target, &held).await
}

/// Step 7 for a batch: each message that is no repeat becomes an event once, in its own way.
fn decide_all<'m>(
    target: &Target,
    messages: impl Iterator<Item = (&'m Message, u32)>,
    repeats: &std::collections::HashSet<DeliveryKey>,
    taken_at: Timestamp,
) -> (Vec<Event>, Vec<UnverifiedRow>) {
    let mut events = BTreeMap::new();
    let mut aside = BTreeMap::new();
    for (message, hand_outs) in messages {
        if !message.verified {
            aside.entry(message.key).or_insert_with(|| held(message));
        } else if !repeats.contains(&message.key) {
            events.entry(message.key).or_insert_with(|| {
                let event = match hand_outs {
                    SUSPECT_HAND_OUTS.. => Event::crash_suspect(message, now()),
                    _ => Event::decided(message, decide(message, target.rules.get(&message.source))),
                };
                event.taken_at(taken_at)
            });
        }
    }
    (events.into_values().collect(), aside.into_values().collect())
}

/// Remembers when each source last delivered something that is proved to be its own.
fn note_arrivals(target: &Target, messages: &[Message]) {
    let proved = messages.iter().filter(|message| message.verified);
    // What an unknown source sends has no series: their number must be bounded.
    let known = proved.filter(|message| target.rules.contains_key(&message.source));
    target.last.note(known.map(|message| (&message.source, message.received_at)));
}

/// Step 9: tells Redis, only after the commit and only of settled outcomes. It may fail; nothing rests on it.
async fn mark(target: &Target, settled: &[DeliveryKey]) {
    if let Err(error) = target.seen.mark(settled).await {
        metrics::counter!(names::REDIS_ERRORS, "operation" => "mark").increment(1);
        tracing::debug!(%error, "the ids seen were not marked");
    }
}

/// Step 10: acknowledges. A lost connection means that they come again and are found to be repeats.
async fn settle(consumer: &mut dyn Consumer, receipts: Vec<Receipt>) {
    if let Err(error) = consumer.settle(receipts).await {
        tracing::warn!(%error, "a committed batch was not acknowledged");
    }
}

fn split(batch: Vec<Delivery>) -> (Vec<(Message, u32)>, Vec<Receipt>) {
    batch.into_iter().map(|delivery| ((delivery.message, delivery.hand_outs), delivery.receipt)).unzip()
}
