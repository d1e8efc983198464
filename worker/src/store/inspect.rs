//! What operators ask an ERP database beside what a worker does with it.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use diesel::prelude::*;
use jiff::Timestamp;
use jodo_shared::ids::{DeliveryKey, SourceName};
use jodo_shared::outcome::Outcome;

use super::reads::{ListedEvent, StoredEvent};
use super::{Store, StoreError};
use crate::table::Entity;

/// Which events to list.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only these outcomes; all when empty.
    pub outcomes: Vec<Outcome>,
    /// Only this code.
    pub code: Option<String>,
    /// Only events that name this pupil, by the ERP's number or the sender's id.
    pub student: Option<String>,
    /// Most rows.
    pub limit: i64,
}

/// What came from one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// When the newest of its events was accepted.
    pub last_received_at: Option<String>,
    /// Events accepted since the given instant.
    pub accepted_since: i64,
}

/// Counts of one ending.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct OutcomeCounts {
    /// Word of the outcome.
    pub outcome: String,
    /// Word of the reason.
    pub reason: Option<String>,
    /// Events.
    pub events: i64,
    /// When the oldest was accepted.
    pub oldest_received_at: Option<String>,
}

/// A worker process as it last reported itself.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct WorkerRow {
    /// Host and process.
    pub worker: String,
    /// When it started.
    pub started_at: String,
    /// When it last said how it is.
    pub last_seen_at: String,
    /// Why it takes nothing, if it could say so.
    pub paused_because: Option<String>,
}

/// What is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Events that are not settled, per outcome and reason.
    pub unsettled: Vec<OutcomeCounts>,
    /// Held deliveries.
    pub held: i64,
}

/// What `jodo-sync status` shows of one target, beside its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Events, however they ended.
    pub events: i64,
    /// Events that are not settled, per outcome and reason.
    pub unsettled: Vec<OutcomeCounts>,
    /// Held deliveries.
    pub held: i64,
    /// Workers, the latest seen first; at most 50.
    pub workers: Vec<WorkerRow>,
}

/// Which events to tell.
#[derive(Debug, Clone, Default)]
pub struct Topics {
    /// Only events of this tenant; of all when `None`.
    pub tenant: Option<String>,
    /// Keys of pupils, as events name them.
    pub pupil_keys: Vec<String>,
    /// What events are about beside a pupil, as [`subject`](crate::decide::subject) writes it.
    pub subjects: Vec<String>,
}

/// Whom and what an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = crate::schema::jodo_events)]
pub struct Named {
    /// Tenant of the source.
    pub tenant: String,
    /// The pupil.
    pub pupil_key: Option<String>,
    /// The subject.
    pub subject: Option<String>,
}

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct HistoryLine {
    /// When.
    pub at: String,
    /// Who did it.
    pub who: String,
    /// Which command.
    pub action: String,
    /// What was before: the words of outcome and reason, then the detail, apart by blanks.
    pub was: Option<String>,
    /// Why, in the person's words.
    pub reason: Option<String>,
}

/// A row of any table: column name to value as text.
pub type AnyRow = BTreeMap<String, Option<String>>;

/// Reads for people. Each is one round of work; none writes.
#[async_trait]
pub trait Inspect: Store {
    /// The version of the schema, where it is the one that this program was built for. Reads only, unlike
    /// [`probe`](Store::probe).
    ///
    /// # Errors
    /// [`StoreError::Schema`] when it is another version; any other [`StoreError`] when that cannot be told.
    async fn check_schema(&self) -> Result<String, StoreError>;

    /// Events that match, the newest first, without their bodies.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn events(&self, filter: &EventFilter) -> Result<Vec<ListedEvent>, StoreError>;

    /// Events by delivery key, by a prefix of at least 8 digits of it, or by the sender's `event_id`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn event(&self, id: &str) -> Result<Vec<StoredEvent>, StoreError>;

    /// One row of an entity's table with its clocks; `key` is tenant, then the values of [`Entity::key`].
    ///
    /// # Errors
    /// [`StoreError`].
    async fn entity_row(&self, entity: &Entity, key: &[String]) -> Result<Option<AnyRow>, StoreError>;

    /// Every row of one of our [`VIEWS`](crate::entities::VIEWS), as text.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn view(&self, view: &'static str) -> Result<Vec<AnyRow>, StoreError>;

    /// The keys under which events of any tenant may name a pupil, by the ERP's number or the sender's id. Not every
    /// one needs to occur.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn pupil_keys(&self, number: &str) -> Result<Vec<String>, StoreError>;

    /// The rows of one of our tables or views, of any tenant, that hold one of `values` in the text column `column`,
    /// as text and in a fixed order.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn rows_where(
        &self,
        table: &str,
        column: &'static str,
        values: &[String],
    ) -> Result<Vec<AnyRow>, StoreError>;

    /// Whom and what the events name that concern one of the pupils or subjects: each combination once.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn named(&self, about: &Topics) -> Result<Vec<Named>, StoreError>;

    /// The newest `limit` events that concern one of the pupils or subjects, with their bodies, in the order in which
    /// they happened: by time, then by delivery key; those without a usable time last.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn events_about(&self, about: &Topics, limit: i64) -> Result<Vec<StoredEvent>, StoreError>;

    /// The sender's `event_id` of every event, `None` where it has no usable one.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn event_ids(&self) -> Result<Vec<Option<String>>, StoreError>;

    /// Which of these deliveries have a row, as events or as held ones.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn known(&self, keys: &[DeliveryKey]) -> Result<HashSet<DeliveryKey>, StoreError>;

    /// What people did to an event, in the order in which they did it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn history(&self, key: &str) -> Result<Vec<HistoryLine>, StoreError>;

    /// What came from `source`; `since` bounds what is counted.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn activity(&self, source: &SourceName, since: Timestamp) -> Result<Activity, StoreError>;

    /// What `status` shows beside the sources.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn summary(&self) -> Result<Summary, StoreError>;

    /// What is not finished. Cheap however many events are, so that workers can ask again and again.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn unfinished(&self) -> Result<Unfinished, StoreError>;

    /// When the newest event of `source` was accepted that came after `since`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn newest_of(&self, source: &SourceName, since: Timestamp) -> Result<Option<String>, StoreError>;
}
