//! One event as it was sent.

use std::rc::Rc;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::reading::key;
use super::words::Clock;

/// A body, parsed.
pub(super) struct Event {
    pub(super) code: String,
    pub(super) id: Option<String>,
    pub(super) second: i64,
    /// The first 16 digits of the hash that names the delivery.
    pub(super) digits: Rc<str>,
    pub(super) payload: Value,
}

impl Event {
    /// Reads a body; one that is no event is none.
    pub(super) fn parse(source: &str, body: &str) -> Option<Self> {
        let mut json: Value = serde_json::from_str(body).ok()?;
        Some(Self {
            code: json["event"].as_str()?.to_owned(),
            id: key(&json["event_id"]),
            second: json["timestamp"].as_i64()?,
            digits: digits(source, body),
            payload: json["payload"].take(),
        })
    }

    /// When its words count that have this rank among those of the same second.
    pub(super) fn clock(&self, rank: u8) -> Clock {
        Clock { second: Some(self.second), rank, digits: self.digits.clone() }
    }

    /// When it happened, as a datetime.
    pub(super) fn instant(&self) -> String {
        jiff::Timestamp::from_second(self.second)
            .map_or_else(|_| String::new(), |instant| instant.to_string())
    }

    /// When its fallback words count.
    pub(super) fn fallback(&self) -> Clock {
        Clock { second: None, rank: 0, digits: self.digits.clone() }
    }

    /// Jodo's id of the pupil, if named.
    pub(super) fn jodo_id(&self) -> Option<String> {
        key(&self.payload["jodo_student_id"])
    }

    /// The ERP's own number of the pupil, if named.
    pub(super) fn identifier(&self) -> Option<String> {
        key(&self.payload["student"]["identifier"])
    }

    /// The pupil as this event alone names them.
    pub(super) fn pupil(&self) -> Option<String> {
        let by_number = self.identifier().map(|number| format!("erp:{number}"));
        by_number.or_else(|| Some(format!("jodo:{}", self.jodo_id()?)))
    }
}

fn digits(source: &str, body: &str) -> Rc<str> {
    let mut hash = Sha256::new();
    hash.update(source);
    hash.update("\0");
    hash.update(body);
    // Two digits for each of the first eight bytes.
    hex::encode(&hash.finalize()[..8]).into()
}
