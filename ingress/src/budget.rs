//! The budget of body bytes in memory: what keeps many large or slow bodies from using up the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jodo_shared::metrics::BODY_BYTES_IN_FLIGHT;
use metrics::gauge;

/// How many body bytes all deliveries together may hold at once. Clones share one budget.
#[derive(Debug, Clone)]
pub struct Budget {
    free: Arc<AtomicUsize>,
}

impl Budget {
    /// A budget of `bytes`.
    pub fn new(bytes: usize) -> Self {
        Self { free: Arc::new(AtomicUsize::new(bytes)) }
    }

    /// Bytes not reserved at the moment.
    pub fn free(&self) -> usize {
        self.free.load(Ordering::Relaxed)
    }

    /// A reservation of nothing, to grow as the body arrives.
    pub fn reserve(&self) -> Reservation {
        Reservation { budget: self.clone(), bytes: 0 }
    }
}

/// The bytes that one delivery holds; given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: Budget,
    bytes: usize,
}

impl Reservation {
    /// Reserves `more` bytes on top.
    ///
    /// # Errors
    /// [`OverBudget`] when so many are not free; what was reserved before stays reserved.
    pub fn grow(&mut self, more: usize) -> Result<(), OverBudget> {
        self.budget
            .free
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(more))
            .map_err(|_| OverBudget)?;
        self.bytes += more;
        gauge!(BODY_BYTES_IN_FLIGHT).increment(more as f64);
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.free.fetch_add(self.bytes, Ordering::Relaxed);
        gauge!(BODY_BYTES_IN_FLIGHT).decrement(self.bytes as f64);
    }
}

/// The bodies in flight leave no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bodies in flight use up the memory budget")]
pub struct OverBudget;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reservations_grow_up_to_the_budget_and_come_back_when_dropped() {
        let budget = Budget::new(10);
        let mut one = budget.reserve();
        let mut two = budget.reserve();
        assert_eq!(one.grow(4), Ok(()));
        assert_eq!(two.grow(6), Ok(()));
        assert_eq!(one.grow(1), Err(OverBudget));
        assert_eq!(budget.free(), 0);
        drop(two);
        assert_eq!(one.grow(6), Ok(()));
        drop(one);
        assert_eq!(budget.free(), 10);
    }
}
