//! How things are said to people: times, counts, tables, and texts that somebody else wrote.

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A text from outside for a terminal: control characters, which could move the cursor or hide what follows, and
/// marks that turn the direction of writing, are shown as escapes.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if is_tricky(c) { plain.extend(c.escape_unicode()) } else { plain.push(c) }
    }
    plain
}

/// Whether a terminal would act on the character instead of showing it.
pub(crate) fn is_tricky(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// An instant on the wall of the institute: `2026-06-02 10:30:00 IST`.
pub(crate) fn when(instant: Timestamp, zone: &TimeZone) -> String {
    instant.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// A stored instant as [`when`] says it; as it stands, where it is none.
pub(crate) fn when_stored(text: &str, zone: &TimeZone) -> String {
    text.parse().map_or_else(|_| plain(text), |instant| when(instant, zone))
}

/// An event's time as [`when`] says it; as it stands, where it is beyond the calendar.
pub(crate) fn when_seconds(seconds: i64, zone: &TimeZone) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |instant| when(instant, zone))
}

/// How long ago, in its largest unit. Another machine's clock may be ahead: what has not come yet is `just now`.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> String {
    match now.duration_since(then).as_secs() {
        ..1 => "just now".to_owned(),
        seconds @ 1..120 => format!("{seconds} s ago"),
        seconds @ 120..7_200 => format!("{} min ago", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

/// `1 event`, `2 events`.
pub(crate) fn count(number: impl TryInto<i64>, one: &str, many: &str) -> String {
    match number.try_into().unwrap_or(i64::MAX) {
        1 => format!("1 {one}"),
        number => format!("{} {many}", grouped(number)),
    }
}

/// A number with its thousands apart: `4,980`.
pub(crate) fn grouped(number: impl TryInto<i64>) -> String {
    let number = number.try_into().unwrap_or(i64::MAX);
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A table that wraps its cells to the terminal's width, and not at all where there is no terminal.
pub(crate) fn table<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_shown_as_an_escape() {
        assert_eq!(plain("Term 1 \u{1b}[2Jé\n\u{202e}"), "Term 1 \\u{1b}[2Jé\\u{a}\\u{202e}");
    }

    #[test]
    fn a_time_is_said_in_the_zone_and_a_text_that_is_none_stays() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        assert_eq!(when_stored("2026-06-02T05:00:00.000Z", &zone), "2026-06-02 10:30:00 IST");
        assert_eq!(when_stored("soon", &zone), "soon");
        assert_eq!(when_seconds(i64::MAX, &zone), i64::MAX.to_string());
    }

    #[test]
    fn long_numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (4_980, "4,980"), (1_000_000, "1,000,000")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn ages_come_in_their_largest_unit() {
        let then = Timestamp::UNIX_EPOCH;
        let cases = [
            (0, "just now"),
            (119, "119 s ago"),
            (120, "2 min ago"),
            (7_200, "2 h ago"),
            (172_800, "2 days ago"),
        ];
        for (seconds, words) in cases {
            assert_eq!(ago(then, Timestamp::from_second(seconds).unwrap()), words);
        }
        assert_eq!(ago(Timestamp::from_second(60).unwrap(), then), "just now");
    }
}
