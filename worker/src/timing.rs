//! How long a worker waits before it tries or asks again.

use std::time::Duration;

use backon::ExponentialBuilder;
use jiff::SignedDuration;

use crate::brake::Trials;

/// How long to wait before trying again. Parameters, so that tests need not wait.
#[derive(Debug, Clone)]
pub struct Timing {
    /// About how long before a failed batch is tried as a whole once more.
    pub batch_again: Duration,
    /// Pauses before the second and the third try of an event that fails alone.
    pub alone_again: [Duration; 2],
    /// Shortest and longest pause between probes of a database that is away, and wherever else the same is tried again
    /// until it succeeds.
    pub probe: (Duration, Duration),
    /// How often a database that seems well is probed.
    pub heartbeat: Duration,
    /// How long to wait for due rows when there were none.
    pub due_poll: Duration,
    /// How often the database is asked what people have ordered.
    pub orders: Duration,
    /// Trials while the brake is on.
    pub trials: Trials,
    /// When a row that the brake keeps is tried again.
    pub braked_again: SignedDuration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            batch_again: Duration::from_millis(50),
            alone_again: [Duration::from_secs(1), Duration::from_secs(5)],
            // Chance makes a pause up to twice as long, and work shall go on within ten seconds of the database's return.
            probe: (Duration::from_millis(200), Duration::from_secs(4)),
            heartbeat: Duration::from_secs(10),
            due_poll: Duration::from_secs(1),
            orders: Duration::from_secs(1),
            trials: Trials::default(),
            braked_again: SignedDuration::from_secs(30),
        }
    }
}

impl Timing {
    /// Growing pauses without end, from the shortest of `probe` to the longest.
    pub(crate) fn back_off(&self) -> ExponentialBuilder {
        let (shortest, longest) = self.probe;
        ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(shortest)
            .with_max_delay(longest)
            .without_max_times()
    }
}

#[cfg(test)]
mod tests {
    use backon::BackoffBuilder as _;

    use super::*;

    #[test]
    fn no_pause_between_two_probes_is_longer_than_ten_seconds() {
        let pauses: Vec<_> = Timing::default().back_off().build().take(1_000).collect();
        assert_eq!(pauses.len(), 1_000);
        assert!(pauses.iter().all(|pause| *pause < Duration::from_secs(10)), "{:?}", pauses.iter().max());
    }
}
