//! What operators ask the database: lists, single rows, counts, and the canonical dump.

use std::collections::BTreeMap;

use diesel::dsl::{count_star, max, min};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jodo_shared::clock::stored;
use jodo_shared::ids::SourceName;
use jodo_shared::outcome::Outcome;

use super::reads::{ListedEvent, StoredEvent};
use super::{PgStore, migrate};
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

/// What `jodo-sync status` shows of one target, beside its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Events that are not settled, per outcome and reason.
    pub unsettled: Vec<OutcomeCounts>,
    /// Held deliveries.
    pub held: i64,
    /// Workers, the latest seen first; at most 50.
    pub workers: Vec<WorkerRow>,
}

/// A row of any table: column name to value as text.
pub type AnyRow = BTreeMap<String, Option<String>>;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct PupilKey {
    #[diesel(sql_type = Text)]
    pupil_key: String,
}

/// Keys under which events may name the pupil that the ERP knows by the number `$1`, or the sender by the id `$1`.
const PUPIL_KEYS: &str = "\
SELECT pupil_key FROM jodo_pupil_keys WHERE read_key = 'erp:' || $1 \
UNION SELECT 'erp:' || identifier FROM jodo_s_student_ids WHERE jodo_student_id = $1 AND identifier <> '' \
UNION VALUES ('erp:' || $1), ('jodo:' || $1), ($1)";

impl PgStore {
    /// The version of the schema, where it is the one that this program was built for. Reads only, unlike
    /// [`probe`](crate::store::Store::probe).
    ///
    /// # Errors
    /// [`StoreError::Schema`] when it is another version; any other [`StoreError`] when that cannot be told.
    pub async fn check_schema(&self) -> Result<String, StoreError> {
        let found = self.run(true, async |connection| migrate::version(connection).await).await?;
        let wanted = migrate::wanted()?;
        match found {
            Some(found) if found == wanted => Ok(found),
            found => Err(StoreError::Schema { found: found.unwrap_or_else(|| "none".to_owned()), wanted }),
        }
    }

    /// Events that match, the newest first, without their bodies.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<ListedEvent>, StoreError> {
        let mut query = jodo_events::table.select(ListedEvent::as_select()).into_boxed();
        if !filter.outcomes.is_empty() {
            query = query.filter(jodo_events::outcome.eq_any(filter.outcomes.iter().map(|o| o.as_str())));
        }
        if let Some(code) = &filter.code {
            query = query.filter(jodo_events::code.eq(code));
        }
        self.run(false, async |connection| {
            if let Some(student) = &filter.student {
                let keys = diesel::sql_query(PUPIL_KEYS).bind::<Text, _>(student);
                let keys: Vec<PupilKey> = keys.load(connection).await?;
                query =
                    query.filter(jodo_events::pupil_key.eq_any(keys.into_iter().map(|key| key.pupil_key)));
            }
            query.order(jodo_events::received_at.desc()).limit(filter.limit).load(connection).await
        })
        .await
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
        self.run(false, async |connection| query.select(StoredEvent::as_select()).load(connection).await)
            .await
    }

    /// One row of an entity's table with its clocks; `key` is tenant, then the values of [`Entity::key`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entity_row(&self, entity: &Entity, key: &[String]) -> Result<Option<AnyRow>, StoreError> {
        let table = format!("jodo_r_{}", entity.name);
        let key_columns = std::iter::once(&"tenant").chain(entity.key);
        let matches: Vec<_> =
            key_columns.enumerate().map(|(i, column)| format!("{column} = ${}", i + 1)).collect();
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

    /// Every row of one of our [`VIEWS`], as text.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn view(&self, view: &'static str) -> Result<Vec<AnyRow>, StoreError> {
        self.run(false, async |connection| {
            let columns = columns_of(connection, view).await?;
            let sql = format!("{}) r", lines(view, &columns));
            let found: Vec<Line> = diesel::sql_query(sql).load(connection).await?;
            Ok(found.iter().filter_map(|found| serde_json::from_str(&found.line).ok()).collect())
        })
        .await
    }

    /// The sender's `event_id` of every event, `None` where it has no usable one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn event_ids(&self) -> Result<Vec<Option<String>>, StoreError> {
        let query = jodo_events::table.select(jodo_events::event_id);
        self.run(false, async |connection| query.load(connection).await).await
    }

    /// What came from `source`; `since` bounds what is counted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn activity(
        &self,
        source: &SourceName,
        since: jiff::Timestamp,
    ) -> Result<Activity, StoreError> {
        let received = jodo_events::table.filter(jodo_events::source.eq(source.as_str()));
        let newest = received.select(max(jodo_events::received_at));
        let recent = received.filter(jodo_events::received_at.ge(stored(since))).count();
        self.run(false, async |connection| {
            Ok(Activity {
                last_received_at: newest.get_result(connection).await?,
                accepted_since: recent.get_result(connection).await?,
            })
        })
        .await
    }

    /// What `status` shows beside the sources. Reads no settled event, so it stays quick in a full database.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn summary(&self) -> Result<Summary, StoreError> {
        use jodo_events::{outcome, reason, received_at};
        let open = Outcome::ALL.into_iter().filter(|one| !one.is_settled()).map(Outcome::as_str);
        let unsettled = jodo_events::table
            .filter(outcome.eq_any(open))
            .group_by((outcome, reason))
            .select((outcome, reason, count_star(), min(received_at)))
            .order((outcome, reason));
        let workers = jodo_workers::table
            .select((
                jodo_workers::worker,
                jodo_workers::started_at,
                jodo_workers::last_seen_at,
                jodo_workers::paused_because,
            ))
            .order(jodo_workers::last_seen_at.desc())
            .limit(50);
        self.run(false, async |connection| {
            Ok(Summary {
                unsettled: unsettled.load(connection).await?,
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
