//! What a worker does beside its work: it looks after the database, says how it is, and hears what people want.

use std::sync::Arc;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::target::{Interrupted, Pause, Target};

/// Probes a database that seems well, so that a failover to a read-only standby is noticed without an event, until
/// shutdown. One task per target and process.
pub async fn heartbeat(target: Arc<Target>, shutdown: CancellationToken) {
    let beating = async {
        let mut beats = tokio::time::interval(target.timing.heartbeat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            beat(&target).await;
        }
    };
    shutdown.run_until_cancelled(beating).await;
}

/// Probes; while the target is paused it says so in the worker's own row instead, if the database can be written at all.
async fn beat(target: &Target) {
    match target.paused() {
        None => {
            if let Err(Interrupted) = target.probe().await {
                tracing::debug!(target.name = %target.name, "the heartbeat found the database away");
            }
        }
        // The first probe is under way, and writes the row itself.
        Some(Pause::Starting) => {}
        Some(pause) => {
            if let Err(error) = target.store.report_pause(&pause.to_string()).await {
                tracing::debug!(target.name = %target.name, %error, "the pause could not be reported");
            }
        }
    }
}

/// Asks the database again and again what people have ordered, until shutdown. One task per target and process: the
/// pipelines only look at what it has found.
pub async fn follow_orders(target: Arc<Target>, shutdown: CancellationToken) {
    let following = async {
        let mut turns = tokio::time::interval(target.timing.orders);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            match target.follow_orders().await {
                // Whoever ordered it wants to see that it is followed.
                Ok(true) => beat(&target).await,
                Ok(false) => {}
                Err(error) => tracing::debug!(target.name = %target.name, %error, "no word on pauses"),
            }
        }
    };
    shutdown.run_until_cancelled(following).await;
}
