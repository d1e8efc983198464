//! The days of the school year, which begins on 1 April 2026 in India.

use fastrand::Rng;
use jiff::Timestamp;

use crate::spelling::{one_in, quoted};

/// Midnight of the first day in India.
pub(super) const START: i64 = 1_774_981_800;
/// Midnight after the last day.
pub(super) const END: i64 = START + 365 * DAY;
pub(super) const DAY: i64 = 86_400;
pub(super) const HOUR: i64 = 3_600;
pub(super) const MINUTE: i64 = 60;

const INDIA_SECONDS: i64 = 19_800;
/// Of the months from April on.
const DAYS: [i64; 12] = [30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28, 31];

/// Midnight in India of a day of a month; April is month 0, and after March comes April again.
pub(super) fn day_of_month(month: i64, day: i64) -> i64 {
    let before: i64 = DAYS.iter().cycle().take(month.unsigned_abs() as usize).sum();
    START + (before + day - 1) * DAY
}

/// Midnight in India of the day on which a second lies.
pub(super) fn midnight(second: i64) -> i64 {
    second - (second - START).rem_euclid(DAY)
}

/// A moment of a day at which parents pay: mostly by day, often in the evening, and sometimes after midnight, when it
/// is still yesterday in UTC.
pub(super) fn parents_hour(rng: &mut Rng, midnight: i64) -> i64 {
    let hours = match rng.u8(..8) {
        0 => 0..4,
        1..4 => 19..24,
        _ => 8..19,
    };
    midnight + rng.i64(hours.start * HOUR..hours.end * HOUR)
}

/// A moment of a day at which offices and banks work.
pub(super) fn office_hour(rng: &mut Rng, midnight: i64) -> i64 {
    midnight + rng.i64(9 * HOUR..18 * HOUR)
}

/// The calendar day in India, as JSON.
pub(super) fn date(second: i64) -> String {
    quoted(&india(second).strftime("%Y-%m-%d").to_string())
}

/// The calendar day in India without anything between.
pub(super) fn short_date(second: i64) -> String {
    india(second).strftime("%y%m%d").to_string()
}

/// A datetime as JSON, in UTC or with India's offset (C§7 row 10).
pub(super) fn datetime(rng: &mut Rng, second: i64) -> String {
    let (instant, format) = match one_in(rng, 4) {
        true => (india(second), "%Y-%m-%dT%H:%M:%S+05:30"),
        false => (utc(second), "%Y-%m-%dT%H:%M:%SZ"),
    };
    quoted(&instant.strftime(format).to_string())
}

/// India's wall clock, told as if it were UTC.
fn india(second: i64) -> Timestamp {
    utc(second + INDIA_SECONDS)
}

fn utc(second: i64) -> Timestamp {
    // All our seconds lie within this century.
    Timestamp::from_second(second).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_begins_on_the_first_of_april_in_india() {
        assert_eq!(
            (date(START), date(START - 1)),
            ("\"2026-04-01\"".to_owned(), "\"2026-03-31\"".to_owned())
        );
        assert_eq!((date(END - 1), date(END)), ("\"2027-03-31\"".to_owned(), "\"2027-04-01\"".to_owned()));
        for (month, day, text) in [(0, 1, "2026-04-01"), (3, 5, "2026-07-05"), (11, 31, "2027-03-31")] {
            assert_eq!(date(day_of_month(month, day)), format!("\"{text}\""));
        }
        assert_eq!(date(day_of_month(14, 10)), "\"2027-06-10\"");
        assert_eq!(midnight(day_of_month(3, 5) + 7), day_of_month(3, 5));
        assert_eq!(short_date(day_of_month(3, 5)), "260705");
    }

    #[test]
    fn a_datetime_says_the_same_moment_in_either_zone() {
        let mut rng = Rng::with_seed(1);
        let spelled: Vec<_> = (0..50).map(|_| datetime(&mut rng, START)).collect();
        for text in ["\"2026-03-31T18:30:00Z\"", "\"2026-04-01T00:00:00+05:30\""] {
            assert!(spelled.iter().any(|spelled| spelled == text), "{text}");
        }
    }
}
