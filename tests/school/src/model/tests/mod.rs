//! Hand-written histories, and what the judge must say of them.

mod anomalies_of_agreements;
mod anomalies_of_payments;
mod fixtures;
mod keys;
mod loans;
mod manual;
mod orders;
mod payments;
mod plans;
mod pupils;
mod reading;
mod settlements;

use serde_json::{Value, json};

use super::event::Event;
use super::{Setting, Views, replay};

fn setting() -> Setting {
    Setting {
        source: "main".to_owned(),
        tenant: "school".to_owned(),
        time_zone: jiff::tz::TimeZone::get("Asia/Kolkata").unwrap(),
    }
}

/// An event's body. Other content, another id.
fn said(code: &str, second: i64, payload: Value) -> String {
    let event_id = format!("{code} {second} {payload}");
    said_as(&event_id, code, second, payload)
}

#[expect(clippy::needless_pass_by_value, reason = "so that a test can write the payload in the call")]
fn said_as(event_id: &str, code: &str, second: i64, payload: Value) -> String {
    json!({ "event_id": event_id, "event": code, "timestamp": second, "version": "1.0", "payload": payload })
        .to_string()
}

/// The judge's word, which must be the same for the bodies backwards and repeated.
fn judged(bodies: &[String]) -> Views {
    let views = replay(&setting(), bodies);
    let backwards: Vec<_> = bodies.iter().rev().chain(bodies).collect();
    assert_eq!(replay(&setting(), &backwards), views);
    views
}

/// Some cells of one row; a column without a value reads as nothing.
fn cells<'a, const N: usize>(views: &'a Views, view: &str, key: &str, columns: [&str; N]) -> [&'a str; N] {
    let rows = &views[view];
    let row = rows.get(key).unwrap_or_else(|| panic!("no {key:?} in {view}, only {:?}", rows.keys()));
    columns.map(|column| row.get(column).map_or("", String::as_str))
}

/// The keys of a view's rows.
fn keys<'a>(views: &'a Views, view: &str) -> Vec<&'a str> {
    views[view].keys().map(String::as_str).collect()
}

fn digits(body: &str) -> String {
    Event::parse("main", body).unwrap().digits.to_string()
}

/// The two bodies, the one with the greater digits last.
fn by_digits(one: String, other: String) -> (String, String) {
    if digits(&one) < digits(&other) { (one, other) } else { (other, one) }
}

/// The only anomaly: kind, subject, detail, time, and which bodies it names as the later and the earlier.
fn only_anomaly(views: &Views) -> [String; 6] {
    let rows: Vec<_> = views["jodo_anomalies"].values().collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
    ["kind", "subject", "detail", "event_time", "clock_key", "earlier_clock_key"]
        .map(|column| rows[0].get(column).cloned().unwrap_or_default())
}

/// That this is the only anomaly, with the second of the later body.
fn assert_only_anomaly(bodies: &[String], what: [&str; 3], second: &str, later: &str, earlier: &str) {
    let named = |body: &str| if body.is_empty() { String::new() } else { digits(body) };
    let [kind, subject, detail] = what.map(str::to_owned);
    let expected = [kind, subject, detail, second.to_owned(), named(later), named(earlier)];
    assert_eq!(only_anomaly(&judged(bodies)), expected);
}

fn assert_no_anomaly(bodies: &[String]) {
    assert_eq!(keys(&judged(bodies), "jodo_anomalies"), [""; 0]);
}
