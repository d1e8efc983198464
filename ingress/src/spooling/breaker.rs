//! Whether deliveries go to the broker directly.

use std::sync::atomic::{AtomicU64, Ordering};

use jodo_shared::broker::PublishError;
use jodo_shared::metrics::SPOOLING;
use tokio::sync::watch;
use tracing::{info, warn};

/// Confirms in a row after which the broker is trusted again. Too high: deliveries take the way over the disk for
/// longer. Too low: a broker that flaps makes deliveries wait for it again and again.
const CONFIRMS_TO_CLOSE: u64 = 100;

/// Direct, or spooling after a failure.
pub(super) struct Breaker {
    spooling: watch::Sender<bool>,
    in_a_row: AtomicU64,
    ever: AtomicU64,
}

impl Breaker {
    /// Direct: a broker that is not there shows at the first delivery.
    pub(super) fn new() -> Self {
        metrics::gauge!(SPOOLING).set(0.0);
        Self { spooling: watch::Sender::new(false), in_a_row: AtomicU64::new(0), ever: AtomicU64::new(0) }
    }

    pub(super) fn is_spooling(&self) -> bool {
        *self.spooling.borrow()
    }

    /// Waits until it is spooling.
    pub(super) async fn until_spooling(&self) {
        // The sender is here, so waiting cannot fail.
        self.spooling.subscribe().wait_for(|spooling| *spooling).await.ok();
    }

    /// The broker failed: from now on, spool.
    pub(super) fn trip(&self, error: PublishError) {
        self.in_a_row.store(0, Ordering::Relaxed);
        if self.spooling.send_if_modified(|spooling| !std::mem::replace(spooling, true)) {
            metrics::gauge!(SPOOLING).set(1.0);
            warn!(%error, "deliveries go to the spool from now on");
        }
    }

    /// The broker confirmed a delivery that came directly.
    pub(super) fn confirmed_directly(&self) {
        self.ever.fetch_add(1, Ordering::Relaxed);
    }

    /// The broker confirmed `count` messages of a spool, and failed at none.
    pub(super) fn relayed(&self, count: usize) {
        let count = count as u64;
        self.ever.fetch_add(count, Ordering::Relaxed);
        if self.in_a_row.fetch_add(count, Ordering::Relaxed) + count >= CONFIRMS_TO_CLOSE {
            self.close("the broker confirms");
        }
    }

    /// Nothing waits in the spool any more. That is a reason to trust the broker if it confirmed the last of it.
    pub(super) fn drained(&self) {
        if self.in_a_row.load(Ordering::Relaxed) > 0 {
            self.close("the spool is empty");
        }
    }

    /// The broker is to be trusted again.
    pub(super) fn close(&self, because: &str) {
        if self.spooling.send_if_modified(|spooling| std::mem::replace(spooling, false)) {
            metrics::gauge!(SPOOLING).set(0.0);
            info!(because, "deliveries go to the broker again");
        }
    }

    /// How many confirms there have been: when this has risen, the broker works.
    pub(super) fn confirms(&self) -> u64 {
        self.ever.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_trips_it_and_a_hundred_confirms_in_a_row_close_it() {
        let breaker = Breaker::new();
        assert!(!breaker.is_spooling());
        breaker.trip(PublishError::Timeout);
        assert!(breaker.is_spooling());
        breaker.relayed(99);
        assert!(breaker.is_spooling());
        breaker.trip(PublishError::Nacked);
        breaker.relayed(99);
        assert!(breaker.is_spooling());
        breaker.relayed(1);
        assert!(!breaker.is_spooling());
    }

    #[test]
    fn an_empty_spool_closes_it_only_after_a_confirm() {
        let breaker = Breaker::new();
        breaker.trip(PublishError::Timeout);
        breaker.drained();
        assert!(breaker.is_spooling());
        breaker.relayed(1);
        breaker.drained();
        assert!(!breaker.is_spooling());
    }
}
