//! What people and programs read back: event rows and held deliveries.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};
use jiff::Timestamp;
use jodo_shared::traces::TraceParent;

use super::{Due, EventRow, Refusal, StoreError};
use crate::schema::{jodo_events, jodo_unverified};

/// A row of `jodo_events` as stored.
#[derive(Debug, Clone, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = jodo_events)]
#[expect(missing_docs, reason = "the columns are described in the schema")]
pub struct StoredEvent {
    #[diesel(sql_type = Text)]
    pub delivery_key: String,
    #[diesel(sql_type = Text)]
    pub source: String,
    #[diesel(sql_type = Text)]
    pub tenant: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub event_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub code: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub event_time: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub pupil_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub subject: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub payload_digest: Option<String>,
    #[diesel(sql_type = Text)]
    pub outcome: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub detail: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub warnings: Option<String>,
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub due_at: Option<String>,
    #[diesel(sql_type = Text)]
    pub received_at: String,
    #[diesel(sql_type = Text)]
    pub recorded_at: String,
    #[diesel(sql_type = Bool)]
    pub redrive: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub trace: Option<String>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub body: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub imported_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub body_removed_at: Option<String>,
}

/// What a list shows of a row of `jodo_events`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = jodo_events)]
#[expect(missing_docs, reason = "the columns are described in the schema")]
pub struct ListedEvent {
    pub delivery_key: String,
    pub source: String,
    pub event_id: Option<String>,
    pub code: Option<String>,
    pub event_time: Option<i64>,
    pub outcome: String,
    pub reason: Option<String>,
    pub detail: Option<String>,
    pub received_at: String,
}

/// A row of `jodo_unverified` as stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = jodo_unverified)]
#[expect(missing_docs, reason = "the columns are described in the schema")]
pub struct StoredHeld {
    pub delivery_key: String,
    pub source: String,
    pub tenant: String,
    pub received_at: String,
    pub expires_at: String,
    pub body: Vec<u8>,
    pub signature: Option<String>,
}

fn unreadable(column: &str) -> StoreError {
    StoreError::Refused(Refusal {
        kind: "a stored value cannot be read".to_owned(),
        table: Some("jodo_events".to_owned()),
        column: Some(column.to_owned()),
        ..Refusal::default()
    })
}

impl StoredEvent {
    /// The row in the form in which a worker works on it.
    ///
    /// # Errors
    /// [`StoreError::Refused`] naming the column that another program has filled with something else, or `body`
    /// when retention has removed it.
    pub fn into_due(self) -> Result<Due, StoreError> {
        let recorded_at = self.recorded_at.parse().map_err(|_| unreadable("recorded_at"))?;
        let row = EventRow {
            key: self.delivery_key.parse().map_err(|_| unreadable("delivery_key"))?,
            source: self.source.parse().map_err(|_| unreadable("source"))?,
            tenant: self.tenant.parse().map_err(|_| unreadable("tenant"))?,
            event_id: self.event_id.and_then(|id| id.parse().ok()),
            code: self.code.and_then(|code| code.parse().ok()),
            time: self.event_time,
            pupil_key: self.pupil_key,
            subject: self.subject,
            payload_digest: self.payload_digest,
            outcome: self.outcome.parse().map_err(|_| unreadable("outcome"))?,
            reason: self.reason.and_then(|reason| reason.parse().ok()),
            detail: self.detail,
            warnings: self.warnings,
            due_at: self.due_at.and_then(|at| at.parse::<Timestamp>().ok()),
            received_at: self.received_at.parse().map_err(|_| unreadable("received_at"))?,
            redrive: self.redrive,
            trace: self.trace.as_deref().and_then(TraceParent::parse),
            body: self.body.ok_or_else(|| unreadable("body"))?.into(),
        };
        Ok(Due { row, attempts: self.attempts, recorded_at })
    }
}
