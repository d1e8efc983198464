//! Watches the dead letters: nobody takes them but a person.

use std::time::Duration;

use jodo_shared::broker::amqp::QueueDepths;
use jodo_shared::broker::amqp::topology::dead_letter_queue_name;
use jodo_shared::ids::TargetName;
use jodo_shared::metrics as names;
use secrecy::SecretString;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often they are counted.
const EVERY: Duration = Duration::from_secs(30);

/// Counts the dead letters of these targets until shutdown, and warns whenever there are more than before.
pub async fn watch_dead_letters(url: SecretString, targets: Vec<TargetName>, shutdown: CancellationToken) {
    let watching = async {
        let mut queues = QueueDepths::new(url);
        let mut before = vec![0; targets.len()];
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for (target, before) in targets.iter().zip(&mut before) {
                match queues.of(&dead_letter_queue_name(target)).await {
                    Ok(now) => report(target, before, now.unwrap_or_default()),
                    // The consumers say so louder when the broker is away.
                    Err(error) => {
                        tracing::debug!(target.name = %target, %error, "dead letters were not counted");
                    }
                }
            }
        }
    };
    shutdown.run_until_cancelled(watching).await;
}

fn report(target: &TargetName, before: &mut u32, now: u32) {
    metrics::gauge!(names::DEAD_LETTERS, "target" => target.to_string()).set(now);
    if now > std::mem::replace(before, now) {
        tracing::warn!(
            target.name = %target, dead_letters = now,
            "RabbitMQ holds events that no worker could take; `jodo-sync dead list` shows them"
        );
    }
}
