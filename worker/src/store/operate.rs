//! What operators do to single events.

use std::collections::HashSet;

use async_trait::async_trait;
use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};
use jodo_shared::ids::DeliveryKey;
use jodo_shared::outcome::{Outcome, Reason};

use super::inspect::Inspect;
use super::reads::{ListedEvent, StoredHeld};
use super::{EventRow, StoreError};

/// Most rows that one call writes: more in one transaction would keep the workers waiting.
pub const ROWS_AT_ONCE: i64 = 1_000;

/// Which events an operator means.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only these outcomes.
    pub outcomes: Vec<Outcome>,
    /// Only these reasons; any when empty.
    pub reasons: Vec<Reason>,
    /// Only this code.
    pub code: Option<String>,
    /// Only what was received at this instant or later.
    pub since: Option<Timestamp>,
    /// Only what was received before this instant.
    pub until: Option<Timestamp>,
    /// Only these delivery keys.
    pub keys: Option<Vec<String>>,
}

/// Where a page of a selection ended: pages go by arrival, then by delivery key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    received_at: String,
    delivery_key: String,
}

impl Place {
    /// The place of an event.
    pub fn of(event: &ListedEvent) -> Self {
        Self { received_at: event.received_at.clone(), delivery_key: event.delivery_key.clone() }
    }

    pub(super) fn parts(&self) -> (String, String) {
        (self.received_at.clone(), self.delivery_key.clone())
    }
}

/// An event of a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// What a list shows of it.
    pub event: ListedEvent,
    /// False when retention has removed its body: it can never be tried again.
    pub has_body: bool,
}

/// How many events of a selection are alike.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Total {
    /// Word of the outcome.
    pub outcome: String,
    /// Word of the reason.
    pub reason: Option<String>,
    /// The sender's code.
    pub code: Option<String>,
    /// Events.
    pub events: i64,
    /// Those of them whose body is still there.
    pub with_body: i64,
}

/// When the events of a long list are due, so that they do not starve what comes in meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// When the first one is due.
    pub first: Timestamp,
    /// How many are due in each second.
    pub per_second: u32,
    /// How many went before the first of this call.
    pub before: usize,
}

impl Pace {
    /// When the event in this place of the call's list is due.
    pub fn due(&self, place: usize) -> Timestamp {
        let place = i64::try_from(self.before + place).unwrap_or(i64::MAX);
        let after = place.saturating_mul(1_000) / i64::from(self.per_second.max(1));
        // Only a list of billions ends beyond the calendar.
        self.first.checked_add(SignedDuration::from_millis(after)).unwrap_or(self.first)
    }
}

/// Who does it, and why: what the history keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The person.
    pub who: String,
    /// When.
    pub at: Timestamp,
    /// Why, in the person's words.
    pub reason: Option<String>,
}

/// Writes for people. Each is one transaction, and leaves a line in `jodo_history` for each event that it touched. An
/// event that a worker has given another outcome since it was read is left alone and not counted.
#[async_trait]
pub trait Operate: Inspect {
    /// A page of a selection: what comes after a place, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn selected(
        &self,
        selection: &Selection,
        after: Option<&Place>,
        limit: i64,
    ) -> Result<Vec<Selected>, StoreError>;

    /// How many events a selection has, by outcome, reason and code.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn totals(&self, selection: &Selection) -> Result<Vec<Total>, StoreError>;

    /// Has events tried again, whatever their outcome; the workers do it when they are due. Those without a body are
    /// left alone. Returns how many will be.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn retry(&self, events: &[ListedEvent], pace: &Pace, deed: &Deed) -> Result<usize, StoreError>;

    /// Throws events away: they keep their rows and their bodies, and neither a repeat nor a worker applies them.
    /// Returns how many were.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn discard(&self, events: &[ListedEvent], deed: &Deed) -> Result<usize, StoreError>;

    /// Stores events that nobody delivered. One that is known already is left alone. Returns the keys of the others.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn import(&self, events: &[EventRow], deed: &Deed) -> Result<HashSet<DeliveryKey>, StoreError>;

    /// Held deliveries in the order of their keys, after one of them.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn held(&self, after: Option<&str>, limit: i64) -> Result<Vec<StoredHeld>, StoreError>;

    /// Makes held deliveries events: their sender is proved now. One that is held no longer is left alone. Returns how
    /// many are held no longer because of this.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn release(&self, events: &[EventRow], deed: &Deed) -> Result<usize, StoreError>;

    /// Throws held deliveries away, for good. Returns how many were.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn discard_held(&self, keys: &[String], deed: &Deed) -> Result<usize, StoreError>;

    /// Only adds to the history of these keys what was done to them elsewhere, and what they were.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn note(
        &self,
        action: &str,
        keys: &[String],
        was: &'static str,
        deed: &Deed,
    ) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_spread_over_time_from_page_to_page() {
        let first = Timestamp::UNIX_EPOCH;
        let pace = Pace { first, per_second: 50, before: 1_000 };
        assert_eq!(pace.due(0), Timestamp::from_second(20).unwrap());
        assert_eq!(pace.due(1), Timestamp::from_millisecond(20_020).unwrap());
        assert_eq!(Pace { first, per_second: 50, before: 0 }.due(0), first);
    }
}
