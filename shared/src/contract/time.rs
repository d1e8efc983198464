//! Times: the envelope's seconds, and the datetimes of payloads.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::object::{Member, Token};
use super::reading::{Problem, Reading};
use crate::outcome::Reason;

/// 2000-01-01T00:00:00Z, the first plausible event time in Unix seconds.
pub const EARLIEST: i64 = 946_684_800;
/// 2100-01-01T00:00:00Z, the first event time in Unix seconds that is no longer plausible.
pub const LATEST: i64 = 4_102_444_800;

/// A datetime of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// As the sender wrote it.
    pub text: String,
    /// The instant and the day it fell on; `None` when the text does not say in which zone it is meant.
    pub instant: Option<Instant>,
}

/// A known instant, in the forms in which it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instant {
    /// RFC 3339 in UTC with whole seconds, fractions cut: `2026-06-02T05:00:00Z`.
    pub utc: String,
    /// The calendar day at the institute: `2026-06-02`.
    pub local_date: String,
}

impl Member<'_> {
    /// The envelope's `timestamp` (C§1): whole Unix seconds, as a number or as numeric text, within
    /// [`EARLIEST`]..[`LATEST`], which also tells seconds from milliseconds.
    ///
    /// # Errors
    /// [`Reason::MissingTimestamp`] when the member is absent, [`Reason::ImplausibleTimestamp`] when it is anything
    /// else.
    pub fn timestamp(self) -> Result<i64, Reason> {
        match self.integer() {
            Reading::Absent => Err(Reason::MissingTimestamp),
            Reading::Clean(seconds) if (EARLIEST..LATEST).contains(&seconds) => Ok(seconds),
            _ => Err(Reason::ImplausibleTimestamp),
        }
    }

    /// A datetime with any offset and any fraction (C§7 row 10), in the years 1 to 9999 both in UTC and in `zone`, the
    /// institute's. One without an offset is kept as text with a warning: whether UTC or local time is meant is not
    /// documented. Anything else is unreadable.
    pub fn datetime(self, zone: &TimeZone) -> Reading<Moment> {
        match self.token() {
            Token::Number(_) => Reading::Unreadable(Problem::WrongType),
            _ => self.text().and_then(|text| moment(text, zone)),
        }
    }
}

impl Member<'_> {
    /// A calendar day in the years 1 to 9999, as `YYYY-MM-DD` (C§7 row 11). Of a datetime, its day in `zone`.
    pub fn date(self, zone: &TimeZone) -> Reading<String> {
        match self.token() {
            Token::Number(_) => Reading::Unreadable(Problem::WrongType),
            _ => self.text().and_then(|text| day(text.trim_ascii(), zone)),
        }
    }
}

fn day(text: &str, zone: &TimeZone) -> Reading<String> {
    let instant = text.parse::<Timestamp>().map(|instant| zone.to_datetime(instant).date());
    match instant.or_else(|_| text.parse::<Date>()) {
        Ok(date) if date.year() < 1 => Reading::Unreadable(Problem::OutOfRange),
        Ok(date) => Reading::Clean(date.to_string()),
        Err(_) => Reading::Unreadable(Problem::WrongType),
    }
}

fn moment(text: String, zone: &TimeZone) -> Reading<Moment> {
    let trimmed = text.trim_ascii();
    if let Ok(instant) = trimmed.parse::<Timestamp>() {
        let utc = TimeZone::UTC.to_datetime(instant);
        let local = zone.to_datetime(instant);
        if utc.year() < 1 || local.year() < 1 {
            return Reading::Mended(Moment { text, instant: None }, Problem::OutOfRange);
        }
        let utc = utc.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let local_date = local.date().to_string();
        return Reading::Clean(Moment { text, instant: Some(Instant { utc, local_date }) });
    }
    if trimmed.parse::<DateTime>().is_ok() || trimmed.parse::<Date>().is_ok() {
        return Reading::Mended(Moment { text, instant: None }, Problem::NoOffset);
    }
    Reading::Unreadable(Problem::WrongType)
}

#[cfg(test)]
mod tests {
    use super::super::object::Object;
    use super::*;

    fn datetime(value: &str) -> Reading<Moment> {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        Object::parse(&format!(r#"{{"m":{value}}}"#)).unwrap().member("m").datetime(&zone)
    }

    fn timestamp(value: &str) -> Result<i64, Reason> {
        Object::parse(&format!(r#"{{"m":{value}}}"#)).unwrap().member("m").timestamp()
    }

    #[test]
    fn any_offset_and_fraction_becomes_one_utc_text_and_the_day_at_the_institute() {
        for (text, utc, local_date) in [
            ("2026-06-02T05:00:00Z", "2026-06-02T05:00:00Z", "2026-06-02"),
            ("2026-06-02T18:29:59.999999Z", "2026-06-02T18:29:59Z", "2026-06-02"),
            ("2026-06-02T18:30:00Z", "2026-06-02T18:30:00Z", "2026-06-03"),
            ("2026-06-02T10:30:00+05:30", "2026-06-02T05:00:00Z", "2026-06-02"),
            ("2026-06-02t05:00:00.5z", "2026-06-02T05:00:00Z", "2026-06-02"),
            ("2026-06-02 05:00:00-0700", "2026-06-02T12:00:00Z", "2026-06-02"),
            ("2026-06-02T05:00Z", "2026-06-02T05:00:00Z", "2026-06-02"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59Z", "1970-01-01"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01"),
        ] {
            let instant = Some(Instant { utc: utc.to_owned(), local_date: local_date.to_owned() });
            assert_eq!(
                datetime(&format!("\"{text}\"")),
                Reading::Clean(Moment { text: text.to_owned(), instant })
            );
        }
    }

    #[test]
    fn without_an_offset_or_before_year_1_only_the_text_is_kept() {
        for (text, problem) in [
            ("2026-06-02T05:00:00", Problem::NoOffset),
            ("2026-06-02 05:00:00.25", Problem::NoOffset),
            ("2026-06-02", Problem::NoOffset),
            ("0000-12-31T00:00:00Z", Problem::OutOfRange),
            ("0001-01-01T00:00:00+05:30", Problem::OutOfRange),
        ] {
            let kept = Moment { text: text.to_owned(), instant: None };
            assert_eq!(datetime(&format!("\"{text}\"")), Reading::Mended(kept, problem));
        }
    }

    #[test]
    fn what_is_no_datetime_is_unreadable() {
        for value in
            [r#""yesterday""#, r#""02/06/2026""#, r#""2026-13-01T00:00:00Z""#, "1780377631", "true", "[1]"]
        {
            assert_eq!(datetime(value), Reading::Unreadable(Problem::WrongType), "{value}");
        }
        assert_eq!(datetime("null"), Reading::Absent);
    }

    #[test]
    fn a_date_is_a_calendar_day_or_the_day_of_a_datetime_at_the_institute() {
        let date = |value: &str| {
            let zone = TimeZone::get("Asia/Kolkata").unwrap();
            Object::parse(&format!(r#"{{"m":{value}}}"#)).unwrap().member("m").date(&zone)
        };
        for (value, day) in [
            (r#""2026-07-05""#, "2026-07-05"),
            (r#"" 2026-07-05 ""#, "2026-07-05"),
            (r#""2026-07-05T18:30:00Z""#, "2026-07-06"),
            (r#""2026-07-05T23:00:00""#, "2026-07-05"),
        ] {
            assert_eq!(date(value), Reading::Clean(day.to_owned()), "{value}");
        }
        for value in [r#""05/07/2026""#, r#""2026-02-30""#, "20260705", "true", r#"{"a":1}"#] {
            assert_eq!(date(value), Reading::Unreadable(Problem::WrongType), "{value}");
        }
        assert_eq!(date(r#""0000-01-01""#), Reading::Unreadable(Problem::OutOfRange));
        assert_eq!(date("null"), Reading::Absent);
    }

    #[test]
    fn an_event_time_is_whole_seconds_between_2000_and_2100() {
        for (value, seconds) in [
            ("1780377631", 1_780_377_631),
            (r#""1780377631""#, 1_780_377_631),
            ("1780377631.0", 1_780_377_631),
            ("946684800", EARLIEST),
            ("4102444799", LATEST - 1),
        ] {
            assert_eq!(timestamp(value), Ok(seconds), "{value}");
        }
        for value in
            ["1780377631000", "946684799", "4102444800", "0", "-1", "1780377631.5", "1e99999", "true", "[1]"]
        {
            assert_eq!(timestamp(value), Err(Reason::ImplausibleTimestamp), "{value}");
        }
        for value in [r#""2026-06-02T05:00:00Z""#, r#""\ud800""#, r#"{"a":1}"#] {
            assert_eq!(timestamp(value), Err(Reason::ImplausibleTimestamp), "{value}");
        }
        for value in ["null", r#""""#, "[]", "{}"] {
            assert_eq!(timestamp(value), Err(Reason::MissingTimestamp), "{value}");
        }
        assert_eq!("2000-01-01T00:00:00Z".parse::<Timestamp>().unwrap().as_second(), EARLIEST);
        assert_eq!("2100-01-01T00:00:00Z".parse::<Timestamp>().unwrap().as_second(), LATEST);
    }
}
