//! What operators ask the database: lists, single rows, counts, and the canonical dump.

use std::collections::BTreeMap;

use diesel::dsl::{count_star, max, min};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jodo_shared::clock::stored;
use jodo_shared::outcome::Outcome;

use super::PgStore;
use super::reads::StoredEvent;
use crate::entities::{ENTITIES, SETS, VIEWS};
use crate::schema::{jodo_events, jodo_unverified, jodo_workers};
use crate::store::StoreError;
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

/// Counts of one source.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct SourceCounts {
    /// Source.
    pub source: String,
    /// Events stored.
    pub events: i64,
    /// When the newest was accepted.
    pub last_received_at: Option<String>,
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
    /// Its last successful probe.
    pub last_seen_at: String,
}

/// What `jodo-sync status` shows of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Per source.
    pub sources: Vec<SourceCounts>,
    /// Per source, accepted since the given instant.
    pub sources_since: Vec<SourceCounts>,
    /// Per outcome and reason.
    pub outcomes: Vec<OutcomeCounts>,
    /// Held deliveries.
    pub held: i64,
    /// Workers, the latest seen first.
    pub workers: Vec<WorkerRow>,
}

/// A row of any table: column name to value as text.
pub type AnyRow = BTreeMap<String, Option<String>>;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl PgStore {
    /// Events that match, the newest first, without their bodies.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
        let mut query = jodo_events::table.into_boxed();
        if !filter.outcomes.is_empty() {
            query = query.filter(jodo_events::outcome.eq_any(filter.outcomes.iter().map(|o| o.as_str())));
        }
        if let Some(code) = &filter.code {
            query = query.filter(jodo_events::code.eq(code));
        }
        if let Some(student) = &filter.student {
            let keys = [format!("erp:{student}"), format!("jodo:{student}"), student.clone()];
            query = query.filter(jodo_events::pupil_key.eq_any(keys));
        }
        let query = query.order(jodo_events::received_at.desc()).limit(filter.limit);
        self.run(false, async |connection| query.select(StoredEvent::as_select()).load(connection).await).await
    }

    /// Events by delivery key, by a prefix of at least 8 digits of it, or by the sender's `event_id`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn event(&self, id: &str) -> Result<Vec<StoredEvent>, StoreError> {
        let mut query = jodo_events::table.filter(jodo_events::event_id.eq(id.to_owned())).into_boxed();
        if (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit()) {
            query = query.or_filter(jodo_events::delivery_key.like(format!("{}%", id.to_ascii_lowercase())));
        }
        let query = query.order(jodo_events::received_at).limit(100);
        self.run(false, async |connection| query.select(StoredEvent::as_select()).load(connection).await).await
    }

    /// One row of an entity's table with its clocks; `key` is tenant, then the values of [`Entity::key`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entity_row(&self, entity: &Entity, key: &[String]) -> Result<Option<AnyRow>, StoreError> {
        let table = format!("jodo_r_{}", entity.name);
        let key_columns = std::iter::once(&"tenant").chain(entity.key);
        let matches: Vec<_> = key_columns.enumerate().map(|(i, column)| format!("{column} = ${}", i + 1)).collect();
        self.run(false, async |connection| {
            let columns = columns_of(connection, &table).await?;
            let sql = format!("{} WHERE {}) r", lines(&table, &columns), matches.join(" AND "));
            let mut query = diesel::sql_query(sql).into_boxed();
            for value in key {
                query = query.bind::<Text, _>(value);
            }
            let found: Option<Line> = query.get_result(connection).await.optional()?;
            Ok(found.and_then(|found| serde_json::from_str(&found.line).ok()))
        })
        .await
    }

    /// What `status` shows; `since` bounds "accepted since".
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn summary(&self, since: jiff::Timestamp) -> Result<Summary, StoreError> {
        use jodo_events::{outcome, reason, received_at, source};
        let sources = jodo_events::table.group_by(source).select((source, count_star(), max(received_at)));
        let since = sources.filter(received_at.ge(stored(since))).order(source);
        let outcomes = jodo_events::table
            .group_by((outcome, reason))
            .select((outcome, reason, count_star(), min(received_at)))
            .order((outcome, reason));
        let workers = jodo_workers::table
            .select((jodo_workers::worker, jodo_workers::started_at, jodo_workers::last_seen_at))
            .order(jodo_workers::last_seen_at.desc())
            .limit(50);
        self.run(false, async |connection| {
            Ok(Summary {
                sources: sources.order(source).load(connection).await?,
                sources_since: since.load(connection).await?,
                outcomes: outcomes.load(connection).await?,
                held: jodo_unverified::table.count().get_result(connection).await?,
                workers: workers.load(connection).await?,
            })
        })
        .await
    }
}

/// See [`Store::dump`](crate::store::Store::dump).
pub(super) async fn dump(store: &PgStore) -> Result<Vec<String>, StoreError> {
    let entities = ENTITIES.iter().map(|entity| format!("jodo_r_{}", entity.name));
    let tables = entities.chain(SETS.iter().map(|set| format!("jodo_s_{}", set.name)));
    let tables: Vec<_> = tables.chain(VIEWS.iter().map(|view| (*view).to_owned())).collect();
    let events = ["code", "delivery_key", "event_id", "event_time", "outcome", "source"];
    let dumping = async |connection: &mut AsyncPgConnection| {
        let mut dump = dump_of(connection, "jodo_events", &events.map(str::to_owned)).await?;
        for table in &tables {
            let columns = columns_of(connection, table).await?;
            dump.extend(dump_of(connection, table, &columns).await?);
        }
        dump.sort_unstable();
        Ok(dump)
    };
    store.run(false, dumping).await
}

#[derive(QueryableByName)]
struct ColumnName {
    #[diesel(sql_type = Text)]
    column_name: String,
}

/// Columns of a table or view, in bytewise order of their names.
async fn columns_of(connection: &mut AsyncPgConnection, table: &str) -> QueryResult<Vec<String>> {
    let query = diesel::sql_query(
        "SELECT attname::text COLLATE \"C\" AS column_name FROM pg_attribute \
         WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY 1",
    );
    let columns: Vec<ColumnName> = query.bind::<Text, _>(table).load(connection).await?;
    Ok(columns.into_iter().map(|column| column.column_name).collect())
}

/// The head of a query that gives each row as one JSON object of text values; `) r` closes it. Names come from the
/// declaration and the catalogue, never from outside.
fn lines(table: &str, columns: &[String]) -> String {
    let columns: Vec<_> = columns.iter().map(|column| format!("{column}::text AS {column}")).collect();
    format!("SELECT row_to_json(r)::text AS line FROM (SELECT {} FROM {table}", columns.join(", "))
}

async fn dump_of(
    connection: &mut AsyncPgConnection,
    table: &str,
    columns: &[String],
) -> QueryResult<Vec<String>> {
    let rows: Vec<Line> = diesel::sql_query(format!("{}) r", lines(table, columns))).load(connection).await?;
    rows.into_iter()
        .map(|row| {
            // Printed again by us, so that every database's dump is escaped alike.
            let row: AnyRow = serde_json::from_str(&row.line)
                .map_err(|error| diesel::result::Error::DeserializationError(error.into()))?;
            let json = serde_json::to_string(&row)
                .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
            Ok(format!("{table}\t{json}"))
        })
        .collect()
}
