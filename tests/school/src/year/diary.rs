//! What happens in the school, noted in any order and told in order of time.

use super::calendar::{END, START};
use crate::run::Run;
use crate::spelling::Members;

/// What happened, and what the sender says of it.
pub(super) struct Entry {
    at: i64,
    code: &'static str,
    payload: String,
}

/// An event of the year.
pub struct Event {
    /// When it happened, in Unix seconds. Each event has its own second.
    pub time: i64,
    /// What the sender says.
    pub body: String,
}

/// The happenings of a year.
#[derive(Default)]
pub(super) struct Diary(Vec<Entry>);

impl Diary {
    /// Notes an event. What happens after the year is not told.
    pub(super) fn note(&mut self, at: i64, code: &'static str, payload: String) {
        if at < END {
            self.0.push(Entry { at, code, payload });
        }
    }

    /// The events in order of time, each with its own second.
    pub(super) fn told(mut self, run: Run) -> impl Iterator<Item = Event> {
        // Of two in one second, that which was noted first happens first.
        self.0.sort_by_key(|entry| entry.at);
        let mut latest = START;
        self.0.into_iter().zip(0..).map(move |(entry, n)| {
            latest = entry.at.max(latest + 1);
            Event { time: latest, body: body(&entry, &run.event_id(n), latest) }
        })
    }
}

/// The envelope, whose order depends on the page (C§1).
fn body(entry: &Entry, event_id: &str, time: i64) -> String {
    let order = match entry.code.split('.').next() {
        Some("masterdata" | "page" | "payment_link") => ["event", "event_id", "version", "timestamp"],
        Some("order") => ["event_id", "event", "version", "timestamp"],
        _ if entry.code.starts_with("flex.mandate.") => ["event", "event_id", "timestamp", "version"],
        _ if entry.code.starts_with("cred.emi.") => ["event", "event_id", "version", "timestamp"],
        _ => ["event_id", "event", "timestamp", "version"],
    };
    let mut body = Members::default();
    for name in order {
        match name {
            "event" => body.text(name, entry.code),
            "event_id" => body.text(name, event_id),
            "version" => body.text(name, "1.0"),
            _ => body.put(name, &time.to_string()),
        };
    }
    body.put("payload", &entry.payload).done()
}
