//! How one JSON value is read. What cannot be read is as good as not there.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

/// Text as it is, or a number as spelled.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What names a thing: text as it is, or a whole number in decimal.
pub(super) fn key(value: &Value) -> Option<String> {
    text(value).filter(|_| !value.is_f64())
}

/// A whole number, also as text.
pub(super) fn whole(value: &Value) -> Option<String> {
    let number: i64 = text(value)?.parse().ok()?;
    Some(number.to_string())
}

/// `true` or `false`.
pub(super) fn flag(value: &Value) -> Option<String> {
    value.as_bool().map(|flag| flag.to_string())
}

/// An amount with two places.
pub(super) fn amount(value: &Value) -> Option<String> {
    let text = text(value)?;
    let (whole, places) = text.split_once('.').unwrap_or((&text, "0"));
    let places = places.trim_end_matches('0');
    let sound = places.len() <= 2 && places.bytes().all(|digit| digit.is_ascii_digit());
    // As paise and back, so that one amount has one spelling.
    sound.then(|| paise(&format!("{whole}.{places:0<2}"))).flatten().map(money)
}

/// The paise of an amount with two places.
pub(super) fn paise(amount: &str) -> Option<i64> {
    amount.replace('.', "").parse().ok()
}

/// Paise as an amount with two places.
pub(super) fn money(paise: i64) -> String {
    let sign = if paise < 0 { "-" } else { "" };
    let size = paise.unsigned_abs();
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

/// A calendar day, `YYYY-MM-DD`.
pub(super) fn date(value: &Value) -> Option<String> {
    let text = text(value)?;
    let day: Date = text.parse().ok()?;
    (day.to_string() == text).then_some(text)
}

/// The text of a date and time, with or without its distance from UTC.
pub(super) fn datetime(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let readable = text.parse::<Timestamp>().is_ok() || text.parse::<DateTime>().is_ok();
    readable.then(|| text.to_owned())
}

/// The instant (in whole seconds) and the local day of a date and time, if it says its distance from UTC.
pub(super) fn instant_and_day(datetime: &str, zone: &TimeZone) -> Option<(String, String)> {
    let read: Timestamp = datetime.parse().ok()?;
    let instant = Timestamp::from_second(read.as_second()).ok()?;
    Some((instant.to_string(), zone.to_datetime(instant).date().to_string()))
}

/// Notes: plain text, or the canonical JSON of a list that is not empty.
pub(super) fn notes(value: &Value) -> Option<String> {
    match value {
        Value::Array(list) if !list.is_empty() => Some(canonical(value)),
        other => text(other),
    }
}

/// JSON with sorted members, no spaces, and one spelling for a number (`2.50` is `2.5`, `1000.0` is `1000`).
pub(super) fn canonical(value: &Value) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members =
                members.iter().map(|(name, value)| format!("{}:{}", quoted(name), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(list) => {
            format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Value::Number(number) => {
            let text = number.to_string();
            text.strip_suffix(".0").unwrap_or(&text).to_owned()
        }
        other => other.to_string(),
    }
}
