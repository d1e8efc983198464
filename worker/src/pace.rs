//! How fast a process works off a target: at most so many events a second, over all of its pipelines.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Bounds the events of one target in this process. What was taken is paid for afterwards, by waiting before anything
/// more is taken: so nobody waits with events or a transaction in hand.
#[derive(Debug)]
pub struct Pace {
    /// None means that there is no bound.
    per_second: u32,
    paid_at: Mutex<Option<Instant>>,
}

impl Pace {
    /// A pace of so many events a second; 0 is no bound.
    pub fn new(per_second: u32) -> Self {
        Self { per_second, paid_at: Mutex::default() }
    }

    /// The most events to take at once, where the configuration allows `most`: those of one second.
    pub fn at_once(&self, most: usize) -> usize {
        match self.per_second {
            0 => most,
            per_second => most.min(usize::try_from(per_second).unwrap_or(usize::MAX)),
        }
    }

    /// Waits until what was taken is paid for. May be dropped at any time.
    pub async fn until_paid(&self) {
        // Another pipeline may have taken something while this one waited.
        while let Some(at) = self.paid_at().filter(|at| *at > Instant::now()) {
            tokio::time::sleep_until(at).await;
        }
    }

    /// These events were taken.
    pub fn take(&self, events: usize) {
        if self.per_second == 0 {
            return;
        }
        let cost = Duration::from_secs_f64(events as f64 / f64::from(self.per_second));
        let now = Instant::now();
        let mut paid_at = self.paid_at.lock().unwrap_or_else(PoisonError::into_inner);
        // A time in which nothing came is not saved up.
        let from = paid_at.map_or(now, |at| at.max(now));
        *paid_at = Some(from + cost);
    }

    fn paid_at(&self) -> Option<Instant> {
        *self.paid_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long it takes until everything taken so far is paid for. Time is the runtime's own: nobody waits.
    async fn until_paid(pace: &Pace) -> Duration {
        let started = Instant::now();
        pace.until_paid().await;
        started.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn what_several_take_is_paid_for_by_all() {
        let pace = Pace::new(100);
        assert_eq!(until_paid(&pace).await, Duration::ZERO);
        pace.take(100);
        pace.take(50);
        assert_eq!(until_paid(&pace).await, Duration::from_millis(1_500));
        pace.take(1);
        assert_eq!(until_paid(&pace).await, Duration::from_millis(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_in_which_nothing_came_is_not_saved_up() {
        let pace = Pace::new(10);
        pace.take(1);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        pace.take(10);
        assert_eq!(until_paid(&pace).await, Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_bound_nobody_waits_and_with_one_a_batch_is_a_seconds_worth() {
        let pace = Pace::new(0);
        pace.take(1_000_000);
        assert_eq!((until_paid(&pace).await, pace.at_once(500)), (Duration::ZERO, 500));
        assert_eq!((Pace::new(20).at_once(500), Pace::new(1_000).at_once(500)), (20, 500));
    }
}
