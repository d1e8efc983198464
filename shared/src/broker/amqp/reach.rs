//! How long to wait between attempts to connect, and what to say of an outage.

use std::fmt;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::{Instant, sleep_until};

/// First pause between attempts. Too low: a restarting broker is flooded. Too high: a blink takes long to pass.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Longest pause before jitter, which adds up to as much again: at most 10 s.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Whether the broker can be reached: one log line when that ends and one when it is back, however many attempts lie
/// between them.
#[derive(Debug)]
pub(super) struct Reach {
    role: &'static str,
    connected_before: bool,
    down_since: Option<Instant>,
    pauses: ExponentialBackoff,
    next_attempt: Option<Instant>,
}

impl Reach {
    /// `role` says in the log what the connection is for.
    pub(super) fn new(role: &'static str) -> Self {
        Self { role, connected_before: false, down_since: None, pauses: pauses(), next_attempt: None }
    }

    /// An attempt failed, or the connection is gone.
    pub(super) fn lost(&mut self, why: &dyn fmt::Display) {
        if self.down_since.is_none() {
            self.down_since = Some(Instant::now());
            tracing::warn!(
                broker.role = self.role,
                error = %why,
                "the broker is unreachable; trying again until it answers"
            );
        }
        self.next_attempt = Some(Instant::now() + self.pauses.next().unwrap_or(LONGEST_PAUSE));
    }

    /// Waits until the next attempt is due; not at all after [`Reach::regained`]. Cancel safe.
    pub(super) async fn next_attempt(&self) {
        if let Some(due) = self.next_attempt {
            sleep_until(due).await;
        }
    }

    /// A connection stands.
    pub(super) fn regained(&mut self) {
        let outage = self.down_since.take().map(|since| since.elapsed());
        self.pauses = pauses();
        self.next_attempt = None;
        match outage {
            Some(outage) if self.connected_before => {
                let outage_ms = u64::try_from(outage.as_millis()).unwrap_or(u64::MAX);
                tracing::info!(broker.role = self.role, outage_ms, "the broker is back");
            }
            None if self.connected_before => {}
            _ => tracing::info!(broker.role = self.role, "connected to the broker"),
        }
        self.connected_before = true;
    }
}

fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_from_a_fifth_of_a_second_to_ten_seconds_at_most() {
        let mut reach = Reach::new("test");
        let mut pauses = Vec::new();
        for _ in 0..20 {
            let before = Instant::now();
            reach.lost(&"gone");
            reach.next_attempt().await;
            pauses.push(before.elapsed());
        }
        assert!((200..=401).contains(&pauses[0].as_millis()), "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_millis(10_001)), "{pauses:?}");
        assert!(pauses[10..].iter().all(|pause| *pause >= LONGEST_PAUSE), "{pauses:?}");
        let before = Instant::now();
        reach.regained();
        reach.next_attempt().await;
        assert_eq!(before.elapsed(), Duration::ZERO);
    }
}
