//! Ends of a span of time, as people give them.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// An instant, or a whole day on the wall of the institute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// RFC 3339.
    Instant(Timestamp),
    /// `2026-06-02`.
    Date(Date),
}

impl FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A date and time without an offset would be read as a date.
        if let (10, Ok(date)) = (text.len(), text.parse()) {
            return Ok(Self::Date(date));
        }
        let instant = text.parse().map(Self::Instant);
        instant.map_err(|_| "must be a date such as 2026-06-02, or a time such as 2026-06-02T10:30:00+05:30")
    }
}

impl Day {
    /// When it begins.
    pub(super) fn begin(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Instant(instant) => instant,
            Self::Date(date) => midnight(date, zone).unwrap_or(Timestamp::MAX),
        }
    }

    /// When it is over.
    pub(super) fn end(self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Instant(instant) => instant,
            Self::Date(date) => {
                let next = date.checked_add(1.day()).ok();
                next.and_then(|next| midnight(next, zone)).unwrap_or(Timestamp::MAX)
            }
        }
    }
}

/// `None` beyond the calendar.
fn midnight(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    date.to_zoned_datetime(zone.clone()).ok().map(|midnight| midnight.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_the_whole_day_at_the_institute() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let day: Day = "2026-06-02".parse().unwrap();
        assert_eq!(day.begin(&zone).to_string(), "2026-06-01T18:30:00Z");
        assert_eq!(day.end(&zone).to_string(), "2026-06-02T18:30:00Z");
    }

    #[test]
    fn a_time_needs_its_offset() {
        let instant: Day = "2026-06-02T10:30:00+05:30".parse().unwrap();
        assert_eq!(instant.begin(&TimeZone::UTC).to_string(), "2026-06-02T05:00:00Z");
        for bad in ["2026-06-02T10:30:00", "yesterday", "2026-13-01", ""] {
            assert!(bad.parse::<Day>().is_err(), "{bad}");
        }
    }
}
