//! Empties a spool into the broker.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use jodo_shared::broker::spool::{Spool, SpoolConsumer};
use jodo_shared::broker::{BatchLimits, Consumer as _, Delivery, Publisher, Receipt};
use jodo_shared::ids::TargetName;
use jodo_shared::metrics::RELAYED;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::breaker::Breaker;
use super::refused::Refused;

/// How often a broker that is away is looked at.
const GLANCE: Duration = Duration::from_millis(200);
/// First pause after a failure, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What it takes to empty spools.
#[derive(Clone)]
pub(super) struct Relay {
    pub(super) broker: Arc<dyn Publisher>,
    pub(super) breaker: Arc<Breaker>,
    /// Folder for messages that the broker refuses for good.
    pub(super) refused: PathBuf,
    pub(super) stop: CancellationToken,
}

impl Relay {
    /// Takes `target`'s messages from the spool to the broker until it is told to stop. A row goes only by its own
    /// confirm.
    pub(super) async fn run(self, spool: Spool, target: TargetName) {
        let mut consumer = spool.consumer(target);
        let mut refused = Refused::new(self.refused.clone());
        let mut pause = FIRST_PAUSE;
        // A broker that failed is asked with one message first, not with a flood of them that it may have already.
        let mut is_cautious = true;
        while let Some(mut batch) = self.stop.run_until_cancelled(self.next_batch(&mut consumer)).await {
            let takes = !is_cautious || self.asks_with_one(&mut batch, &mut consumer, &mut refused).await;
            let all_taken = if takes {
                self.pass(batch, &mut consumer, &mut refused).await
            } else {
                consumer.give_back(batch.into_iter().map(|delivery| delivery.receipt).collect()).await;
                false
            };
            is_cautious = !all_taken;
            if all_taken {
                pause = FIRST_PAUSE;
                if spool.unsettled() == 0 {
                    self.breaker.drained();
                }
            } else {
                self.stop.run_until_cancelled(sleep(pause)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        consumer.give_back(Vec::new()).await;
    }

    /// A batch, when there is a broker to take it.
    async fn next_batch(&self, consumer: &mut SpoolConsumer) -> Vec<Delivery> {
        while !self.broker.is_ready() {
            sleep(GLANCE).await;
        }
        consumer.next_batch(&BatchLimits::default()).await
    }

    /// Whether the broker confirms one of these, which is then settled: another each time, as it may be the message's
    /// fault.
    async fn asks_with_one(
        &self,
        batch: &mut Vec<Delivery>,
        consumer: &mut SpoolConsumer,
        refused: &mut Refused,
    ) -> bool {
        let other = batch.iter().position(|delivery| !refused.was_asked_with(&delivery.message.key));
        let asked = batch.remove(other.unwrap_or(0));
        match self.broker.publish(&asked.message).await {
            Ok(()) => {
                self.breaker.relayed(1);
                metrics::counter!(RELAYED, "result" => "confirmed").increment(1);
                // What could not be settled comes again, and is absorbed as a repeat.
                consumer.settle(vec![asked.receipt]).await.is_ok()
            }
            Err(error) => {
                refused.asked_with(asked.message.key);
                self.breaker.trip(error);
                batch.push(asked);
                false
            }
        }
    }

    /// Publishes a batch and settles what was confirmed; the rest waits again. True when nothing is left.
    async fn pass(&self, batch: Vec<Delivery>, consumer: &mut SpoolConsumer, refused: &mut Refused) -> bool {
        let (suspects, fresh): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|delivery| refused.suspects(&delivery.message.key));
        let published = join_all(fresh.iter().map(|delivery| self.broker.publish(&delivery.message))).await;
        let mut done = Vec::new();
        let mut failed = Vec::new();
        for (delivery, result) in fresh.into_iter().zip(published) {
            match result {
                Ok(()) => done.push(delivery.receipt),
                Err(_) => failed.push(delivery),
            }
        }
        if failed.is_empty() {
            self.breaker.relayed(done.len());
        }
        // What failed in company may have been pulled down by one of them.
        let mut left = Vec::new();
        for delivery in failed.into_iter().chain(suspects) {
            if left.is_empty() {
                self.alone(delivery, refused, &mut done, &mut left).await;
            } else {
                left.push(delivery.receipt);
            }
        }
        metrics::counter!(RELAYED, "result" => "confirmed").increment(done.len() as u64);
        metrics::counter!(RELAYED, "result" => "failed").increment(left.len() as u64);
        let settled = consumer.settle(done).await.is_ok();
        let all = left.is_empty() && settled;
        if !all {
            consumer.give_back(left).await;
        }
        all
    }

    /// Publishes one message with nothing beside it.
    async fn alone(
        &self,
        delivery: Delivery,
        refused: &mut Refused,
        done: &mut Vec<Receipt>,
        left: &mut Vec<Receipt>,
    ) {
        let Delivery { message, receipt, .. } = delivery;
        match self.broker.publish(&message).await {
            Ok(()) => {
                refused.forget(&message.key);
                self.breaker.relayed(1);
                done.push(receipt);
            }
            Err(error) => {
                // Nothing goes to a broker directly that refuses what the spool holds.
                self.breaker.trip(error);
                let is_hopeless = refused.again(message.key, self.breaker.confirms());
                if is_hopeless && refused.set_aside(&message, error).await {
                    done.push(receipt);
                } else {
                    left.push(receipt);
                }
            }
        }
    }
}
