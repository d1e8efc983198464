//! A message on its way into the database: the row it becomes and the changes it makes.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use jodo_shared::message::Message;
use jodo_shared::outcome::{Outcome, Reason};

use crate::decide::Decision;
use crate::store::{EventRow, UnverifiedRow};
use crate::table::Change;

/// How long a held delivery is kept.
const HELD_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is committed together for one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its row.
    pub row: EventRow,
    /// Its effect; none unless the row is `applied`.
    pub changes: Vec<Change>,
    /// When this process took it in hand, where somebody wants to know how long that took.
    pub taken_at: Option<Timestamp>,
}

impl Event {
    /// The event that `decide` made of a message.
    pub fn decided(message: &Message, decision: Decision) -> Self {
        let warnings = decision.warnings_json();
        let row = EventRow {
            event_id: decision.event_id,
            code: decision.code,
            time: decision.time,
            pupil_key: decision.about.pupil_key,
            subject: decision.about.subject,
            payload_digest: decision.payload_digest,
            outcome: decision.outcome,
            reason: decision.reason,
            detail: decision.detail,
            warnings,
            ..bare_row(message)
        };
        Self { row, changes: decision.changes, taken_at: None }
    }

    /// A message that may have killed workers: stored unparsed, to be tried by itself.
    pub fn crash_suspect(message: &Message, now: Timestamp) -> Self {
        Self::by_hand(message, Reason::CrashSuspect, now)
    }

    /// A message that a person wants decided: stored unparsed, due at once.
    pub fn by_hand(message: &Message, reason: Reason, now: Timestamp) -> Self {
        Self { row: bare_row(message), changes: Vec::new(), taken_at: None }.retrying(reason, now)
    }

    /// The same, in hand since then.
    pub fn taken_at(self, at: Timestamp) -> Self {
        Self { taken_at: Some(at), ..self }
    }

    /// The same row without effect, to be tried again.
    pub fn retrying(&self, reason: Reason, due_at: Timestamp) -> Self {
        let row = EventRow {
            outcome: Outcome::Retrying,
            reason: Some(reason),
            due_at: Some(due_at),
            ..self.row.clone()
        };
        Self { row, changes: Vec::new(), taken_at: self.taken_at }
    }

    /// The same row without effect, for a person.
    pub fn quarantined(&self, reason: Reason, detail: Option<String>) -> Self {
        let row = EventRow {
            outcome: Outcome::Quarantined,
            reason: Some(reason),
            detail,
            due_at: None,
            ..self.row.clone()
        };
        Self { row, changes: Vec::new(), taken_at: self.taken_at }
    }
}

/// What is known of a message without reading its body.
fn bare_row(message: &Message) -> EventRow {
    EventRow {
        key: message.key,
        source: message.source.clone(),
        tenant: message.tenant.clone(),
        event_id: message.peeked.event_id.clone(),
        code: message.peeked.code.clone(),
        time: message.peeked.time,
        pupil_key: None,
        subject: None,
        payload_digest: None,
        outcome: Outcome::Retrying,
        reason: None,
        detail: None,
        warnings: None,
        due_at: None,
        received_at: message.received_at,
        redrive: message.redrive,
        trace: message.trace.clone(),
        body: Bytes::clone(&message.body),
    }
}

/// The row of a held delivery.
pub fn held(message: &Message) -> UnverifiedRow {
    UnverifiedRow {
        key: message.key,
        source: message.source.clone(),
        tenant: message.tenant.clone(),
        received_at: message.received_at,
        // Only a clock near the end of time has no such instant.
        expires_at: message.received_at.checked_add(HELD_FOR).unwrap_or(message.received_at),
        signature: message.signature,
        body: Bytes::clone(&message.body),
    }
}
