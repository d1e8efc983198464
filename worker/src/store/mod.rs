//! The store seam: where events and their effect are committed together.
//!
//! One trait, one conformance suite ([`conformance`], feature `testing`), and two implementations, [`postgres`] and
//! [`sqlite`]. On top is what operators ask
//! ([`inspect`]) and do ([`operate`], [`maintain`]). [`open()`] picks by address.

use std::collections::HashSet;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use jodo_shared::contract::EventCode;
use jodo_shared::ids::{DeliveryKey, EventId, SourceName, TargetName, Tenant};
use jodo_shared::message::{ClaimedSignature, Message, Peeked};
use jodo_shared::outcome::{Outcome, Reason};
use jodo_shared::traces::TraceParent;

use crate::fold::TableBatch;
use maintain::Orders;

#[cfg(feature = "testing")]
pub mod conformance;
pub mod inspect;
pub mod maintain;
mod open;
pub mod operate;
pub mod postgres;
pub mod reads;
mod sql_store;
pub mod sqlite;

pub use open::{is_file, migrate, open};
pub use sql_store::SqlStore;

/// How a worker names itself in `jodo_workers`: host and process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerName(String);

impl WorkerName {
    /// The name of this process.
    pub fn of_this_process() -> Self {
        Self(format!("{}-{}", gethostname::gethostname().to_string_lossy(), std::process::id()))
    }

    /// The name as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What [`migrate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Versions that were applied now, oldest first.
    pub applied: Vec<String>,
    /// The version the database has now.
    pub version: String,
}

/// One row of `jodo_events`, as a worker writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Primary key.
    pub key: DeliveryKey,
    /// Source it came from.
    pub source: SourceName,
    /// Tenant of the source.
    pub tenant: Tenant,
    /// The sender's id, where usable.
    pub event_id: Option<EventId>,
    /// The sender's code, where usable.
    pub code: Option<EventCode>,
    /// When it happened, Unix seconds.
    pub time: Option<i64>,
    /// The pupil it names.
    pub pupil_key: Option<String>,
    /// What it is about beside the pupil: entity and natural key, such as `orders:order_7`.
    pub subject: Option<String>,
    /// Digest of its canonical payload.
    pub payload_digest: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, when not applied.
    pub reason: Option<Reason>,
    /// Which field, or which part of the database; never a value.
    pub detail: Option<String>,
    /// Warnings as JSON text.
    pub warnings: Option<String>,
    /// When to try again, for `retrying`.
    pub due_at: Option<Timestamp>,
    /// When the ingress accepted it.
    pub received_at: Timestamp,
    /// Whether an operator sent it round again.
    pub redrive: bool,
    /// Trace of the delivery.
    pub trace: Option<TraceParent>,
    /// The body as received.
    pub body: Bytes,
}

impl EventRow {
    /// The message that the row was made from.
    pub fn message(&self, target: &TargetName) -> Message {
        Message {
            key: self.key,
            source: self.source.clone(),
            tenant: self.tenant.clone(),
            target: target.clone(),
            received_at: self.received_at,
            peeked: Peeked { event_id: self.event_id.clone(), code: self.code.clone(), time: self.time },
            verified: true,
            signature: None,
            redrive: self.redrive,
            trace: self.trace.clone(),
            body: self.body.clone(),
        }
    }
}

/// One row of `jodo_unverified`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnverifiedRow {
    /// Primary key.
    pub key: DeliveryKey,
    /// Source it came from.
    pub source: SourceName,
    /// Tenant of the source.
    pub tenant: Tenant,
    /// When the ingress accepted it.
    pub received_at: Timestamp,
    /// When it may be forgotten.
    pub expires_at: Timestamp,
    /// The signature that it came with.
    pub signature: Option<ClaimedSignature>,
    /// The body as received.
    pub body: Bytes,
}

/// Everything that one transaction commits. Keys of `events` are distinct; so are those of `unverified`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Write<'a> {
    /// Rows of the projections, from [`fold`](crate::fold::fold).
    pub projections: Vec<TableBatch>,
    /// Event rows.
    pub events: Vec<&'a EventRow>,
    /// Held deliveries.
    pub unverified: &'a [UnverifiedRow],
}

/// What became of a [`Write`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// Committed.
    Committed,
    /// Rolled back: these events are `ignored` or `discarded` in the database, so their effect must not be merged.
    Closed(HashSet<DeliveryKey>),
}

/// A `retrying` row that was taken on lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The row as stored.
    pub row: EventRow,
    /// Tries, this one included.
    pub attempts: i32,
    /// When the row was last written, leases apart.
    pub recorded_at: Timestamp,
}

/// The ERP database of one target. Every call is one round of work on one connection and is safe to repeat.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Whether a commit could succeed now: runs every batch statement with an empty batch and writes this worker's
    /// own row, committed. Also checks that the schema is the one this program was built for.
    ///
    /// # Errors
    /// [`StoreError`]: the trouble lies with the database or the deployment, not with an event.
    async fn probe(&self) -> Result<(), StoreError>;

    /// Writes into this worker's own row why it takes nothing, for people to see; the next good probe clears it.
    ///
    /// # Errors
    /// [`StoreError`]; nothing rests on it.
    async fn report_pause(&self, because: &str) -> Result<(), StoreError>;

    /// Which of these keys are settled rows.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn settled(&self, keys: &[DeliveryKey]) -> Result<HashSet<DeliveryKey>, StoreError>;

    /// Commits projections, event rows and held deliveries in one transaction, or nothing.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was committed, or (connection lost at the last moment) all of it was. Repeating is
    /// safe either way. The error does not say whose fault it was: [`probe`](Store::probe) does.
    async fn write(&self, write: &Write<'_>) -> Result<Written, StoreError>;

    /// Takes one due `retrying` row on lease: adds 1 to its attempts and moves it a minute on, committed.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn take_due(&self, now: Timestamp) -> Result<Option<Due>, StoreError>;

    /// Ends a lease without a verdict: takes the 1 back from the attempts and sets when to try again.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn put_back(&self, key: DeliveryKey, due_at: Timestamp, reason: Reason) -> Result<(), StoreError>;

    /// Returns quarantined rows to `retrying`, as written at `since`, when the brake came on, and due since then: it
    /// took their verdict back.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn return_to_retrying(&self, keys: &[DeliveryKey], since: Timestamp) -> Result<(), StoreError>;

    /// Whether a brake that came on at `since`, in any worker, still holds: rows wait because of it, no worker has
    /// applied an event since, and no person has lifted it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn brake_holds(&self, since: Timestamp) -> Result<bool, StoreError>;

    /// What people have ordered this target to do; `braked_since` is when this worker's brake came on, if it is on.
    ///
    /// # Errors
    /// [`StoreError`]; it is then not known, which is no reason to change anything.
    async fn orders(
        &self,
        target: &TargetName,
        braked_since: Option<Timestamp>,
    ) -> Result<Orders, StoreError>;

    /// The canonical dump, a line per row: table, a tab, and a JSON object of text values with sorted members. Lines
    /// are sorted bytewise. Projections and views in full; of the events only what no order of arrival changes. Equal
    /// histories give equal dumps, on every store.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn dump(&self) -> Result<Vec<String>, StoreError>;
}

/// Why the store did not do what was asked. Holds names of the schema only: no value, no body, no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No connection.
    #[error("cannot reach the database: {0}")]
    Unreachable(String),
    /// The database refused a statement.
    #[error("the database refused: {0}")]
    Refused(Refusal),
    /// The tables are of another version than this program.
    #[error("the database has schema version {found}, this program needs {wanted}: run `jodo-sync migrate`")]
    Schema {
        /// Version in the database, or `none`.
        found: String,
        /// Version this program was built with.
        wanted: String,
    },
    /// It took longer than the statement timeout.
    #[error("the database took too long")]
    TimedOut,
}

/// What is kept of a database's refusal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal {
    /// Kind of error, from the driver.
    pub kind: String,
    /// Table concerned, if the database names it.
    pub table: Option<String>,
    /// Column concerned, if the database names it.
    pub column: Option<String>,
    /// Constraint concerned, if the database names it.
    pub constraint: Option<String>,
    /// The database's sentence; only kept from probes, whose statements carry no data.
    pub sentence: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        let names = [("table", &self.table), ("column", &self.column), ("constraint", &self.constraint)];
        for (what, name) in names {
            if let Some(name) = name {
                write!(f, ", {what} {name}")?;
            }
        }
        self.sentence.as_ref().map_or(Ok(()), |sentence| write!(f, " ({sentence})"))
    }
}

/// A migration that failed, with the database's words: migrations hold no data.
fn migration_failed(error: &(dyn std::error::Error + Send + Sync)) -> StoreError {
    StoreError::Refused(Refusal {
        kind: "migration failed".to_owned(),
        sentence: Some(error.to_string()),
        ..Refusal::default()
    })
}
