//! How a message looks in a file.
//!
//! The body has a table of its own: counting a hand-out and marking a settlement rewrite a row, and would rewrite the
//! body with it; and who only counts need not read past it.

use diesel::prelude::*;
use jiff::Timestamp;

use super::error::SpoolError;
use crate::ids::DeliveryKey;
use crate::message::{Message, Peeked};
use crate::traces::TraceParent;

/// Form of the file, kept in it. Raise it when an older program could misread a newer file.
pub(super) const FORM: i32 = 2;
/// The form before signatures of held deliveries were kept.
pub(super) const FORM_WITHOUT_SIGNATURES: i32 = 1;
/// Brings a file of that form to this one, within the transaction that opens it.
pub(super) const ADD_SIGNATURES: &str =
    "ALTER TABLE messages ADD COLUMN signature TEXT; UPDATE about SET form = 2;";

/// For every connection to a file. The cache is small because rows are written once and read about once. What a statement
/// keeps for itself (what many rows were before it changed them, what it sorts or groups) stays in memory instead of a
/// temporary file (<https://sqlite.org/tempfiles.html>): in a container there may be no place for one.
pub(super) const CONNECTION: &str = "
PRAGMA busy_timeout = 5000;
PRAGMA cache_size = -512;
PRAGMA temp_store = MEMORY;
";

/// `waiting` holds only unsettled rows, and so is small in a file of settled ones.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS about (form INTEGER NOT NULL, day INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    source TEXT NOT NULL,
    tenant TEXT NOT NULL,
    target TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    event_id TEXT,
    event_code TEXT,
    event_time INTEGER,
    verified INTEGER NOT NULL,
    redrive INTEGER NOT NULL,
    trace TEXT,
    signature TEXT,
    body_bytes INTEGER NOT NULL,
    hand_outs INTEGER NOT NULL,
    settled_at INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS waiting ON messages (target, received_at) WHERE settled_at IS NULL;
";

diesel::table! {
    /// One row: what kind of file this is.
    about (form) {
        form -> Integer,
        /// Days since 1970, in UTC, on which the file was begun.
        day -> Integer,
    }
}

diesel::table! {
    /// Instants are milliseconds since 1970.
    messages (id) {
        id -> BigInt,
        key -> Binary,
        source -> Text,
        tenant -> Text,
        target -> Text,
        received_at -> BigInt,
        event_id -> Nullable<Text>,
        event_code -> Nullable<Text>,
        /// Seconds since 1970, as the sender has it.
        event_time -> Nullable<BigInt>,
        verified -> Bool,
        redrive -> Bool,
        trace -> Nullable<Text>,
        /// Of held deliveries, in hexadecimal.
        signature -> Nullable<Text>,
        body_bytes -> BigInt,
        hand_outs -> Integer,
        settled_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    /// One row for each of `messages`, with the same id.
    bodies (id) {
        id -> BigInt,
        body -> Binary,
    }
}

/// A message on its way into a file.
#[derive(Insertable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
pub(super) struct NewRow<'m> {
    id: i64,
    key: &'m [u8],
    source: &'m str,
    tenant: &'m str,
    target: &'m str,
    received_at: i64,
    event_id: Option<&'m str>,
    event_code: Option<&'m str>,
    event_time: Option<i64>,
    verified: bool,
    redrive: bool,
    trace: Option<&'m str>,
    signature: Option<String>,
    body_bytes: i64,
    hand_outs: i32,
    settled_at: Option<i64>,
}

impl<'m> NewRow<'m> {
    pub(super) fn new(id: i64, message: &'m Message, settled_at: Option<i64>) -> Self {
        Self {
            id,
            key: message.key.as_bytes(),
            source: message.source.as_str(),
            tenant: message.tenant.as_str(),
            target: message.target.as_str(),
            received_at: message.received_at.as_millisecond(),
            event_id: message.peeked.event_id.as_ref().map(|id| id.as_str()),
            event_code: message.peeked.code.as_ref().map(|code| code.as_str()),
            event_time: message.peeked.time,
            verified: message.verified,
            redrive: message.redrive,
            trace: message.trace.as_ref().map(TraceParent::as_str),
            signature: message.signature.map(|signature| signature.to_string()),
            body_bytes: i64::try_from(message.body.len()).unwrap_or(i64::MAX),
            hand_outs: 0,
            settled_at,
        }
    }
}

/// A message as it lies in a file, without its body.
#[derive(Queryable, Selectable)]
#[diesel(table_name = messages, check_for_backend(diesel::sqlite::Sqlite))]
pub(super) struct Row {
    key: Vec<u8>,
    source: String,
    tenant: String,
    target: String,
    received_at: i64,
    event_id: Option<String>,
    event_code: Option<String>,
    event_time: Option<i64>,
    verified: bool,
    redrive: bool,
    trace: Option<String>,
    hand_outs: i32,
}

impl Row {
    /// The message, without the signature of a held one, and how often it has been handed out.
    ///
    /// # Errors
    /// [`SpoolError::Corrupt`] when a field is none of ours, or the body is not the one that the key was made from:
    /// SQLite has no checksum of its own, and what was altered on disk must not be taken for what the sender signed.
    pub(super) fn message(self, body: Vec<u8>) -> Result<(Message, u32), SpoolError> {
        let source = parsed(&self.source)?;
        let key = DeliveryKey::of(&source, &body);
        if self.key != key.as_bytes() {
            return Err(SpoolError::Corrupt);
        }
        let message = Message {
            key,
            source,
            tenant: parsed(&self.tenant)?,
            target: parsed(&self.target)?,
            received_at: Timestamp::from_millisecond(self.received_at).map_err(|_| SpoolError::Corrupt)?,
            peeked: Peeked {
                event_id: self.event_id.as_deref().map(parsed).transpose()?,
                code: self.event_code.as_deref().map(parsed).transpose()?,
                time: self.event_time,
            },
            verified: self.verified,
            signature: None,
            redrive: self.redrive,
            trace: self.trace.as_deref().and_then(TraceParent::parse),
            body: body.into(),
        };
        Ok((message, u32::try_from(self.hand_outs).unwrap_or(1)))
    }
}

/// Completes a held delivery with the signature that it came with, if its file is of a form that has one.
pub(super) fn add_signature(
    connection: &mut SqliteConnection,
    row: i64,
    message: &mut Message,
) -> Result<(), SpoolError> {
    if message.verified || about::table.select(about::form).first::<i32>(connection)? < FORM {
        return Ok(());
    }
    let signature: Option<String> =
        messages::table.find(row).select(messages::signature).first(connection)?;
    message.signature = signature.and_then(|signature| signature.parse().ok());
    Ok(())
}

/// What was text of a type when it was written.
pub(super) fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, SpoolError> {
    text.parse().map_err(|_| SpoolError::Corrupt)
}
