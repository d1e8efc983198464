//! The bound on what is held: how many deliveries of unproved origin one source may put aside in a day.

use jiff::civil::Date;
use jodo_shared::config::HoldLimit;

/// What one source has had held today, in this process.
///
/// What is counted stays counted: when publishing fails afterwards the delivery may still arrive (a late confirm), so
/// giving its place back could exceed the bound.
#[derive(Debug, Default)]
pub struct HoldCount {
    day: Option<Date>,
    deliveries: u64,
    bytes: u64,
}

impl HoldCount {
    /// Counts one more delivery of `bytes` on the UTC day `day`, and says whether there was room for it; without room
    /// nothing is counted.
    ///
    /// A later day starts afresh. An earlier one does not: a clock that is set back must not open the door again.
    pub fn take(&mut self, day: Date, bytes: u64, limit: HoldLimit) -> bool {
        if self.day.is_none_or(|counted| day > counted) {
            *self = Self { day: Some(day), deliveries: 0, bytes: 0 };
        }
        let deliveries = self.deliveries + 1;
        let total = self.bytes.saturating_add(bytes);
        let room = deliveries <= limit.deliveries && total <= limit.bytes;
        if room {
            self.deliveries = deliveries;
            self.bytes = total;
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const LIMIT: HoldLimit = HoldLimit { deliveries: 3, bytes: 100 };

    #[test]
    fn deliveries_are_held_up_to_the_count() {
        let mut count = HoldCount::default();
        let day = date(2026, 8, 3);
        let room: Vec<bool> = (0..5).map(|_| count.take(day, 1, LIMIT)).collect();
        assert_eq!(room, [true, true, true, false, false]);
    }

    #[test]
    fn bytes_are_held_up_to_the_sum_and_a_smaller_delivery_may_still_fit() {
        let mut count = HoldCount::default();
        let day = date(2026, 8, 3);
        assert!(count.take(day, 60, LIMIT));
        assert!(!count.take(day, 41, LIMIT));
        assert!(count.take(day, 40, LIMIT));
        assert!(!count.take(day, 1, LIMIT));
        assert!(count.take(day, 0, LIMIT));
    }

    #[test]
    fn a_new_day_starts_afresh_and_a_day_before_does_not() {
        let mut count = HoldCount::default();
        for _ in 0..3 {
            assert!(count.take(date(2026, 8, 3), 1, LIMIT));
        }
        assert!(!count.take(date(2026, 8, 2), 1, LIMIT));
        assert!(!count.take(date(2026, 8, 3), 1, LIMIT));
        assert!(count.take(date(2026, 8, 4), 1, LIMIT));
    }

    #[test]
    fn a_limit_of_nothing_holds_nothing() {
        let mut count = HoldCount::default();
        assert!(!count.take(date(2026, 8, 3), 0, HoldLimit { deliveries: 0, bytes: 100 }));
    }
}
