//! What operators ask: lists, single rows, counts, and the canonical dump.

use std::collections::HashSet;

use diesel::dsl::{count_star, max, min, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use jodo_shared::clock::stored;
use jodo_shared::ids::{DeliveryKey, SourceName};

use super::{Connection, ThisStore, dialect};
use crate::entities::{ENTITIES, SETS, VIEWS};
use crate::schema::{jodo_events, jodo_unverified, jodo_workers};
use crate::store::StoreError;
use crate::store::inspect::{Activity, AnyRow, EventFilter, Summary, Unfinished};
use crate::store::reads::{ListedEvent, StoredEvent};
use crate::table::Entity;

#[derive(QueryableByName)]
pub(super) struct Line {
    #[diesel(sql_type = Text)]
    pub(super) line: String,
}

impl Line {
    /// The row, as the database's JSON has it.
    pub(super) fn row(self) -> QueryResult<AnyRow> {
        serde_json::from_str(&self.line)
            .map_err(|error| diesel::result::Error::DeserializationError(error.into()))
    }
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

/// The keys under which events may name a pupil, by the ERP's number or the sender's id.
pub(super) async fn pupil_keys_of(connection: &mut Connection, number: &str) -> QueryResult<Vec<String>> {
    let keys: Vec<PupilKey> = diesel::sql_query(PUPIL_KEYS).bind::<Text, _>(number).load(connection).await?;
    Ok(keys.into_iter().map(|key| key.pupil_key).collect())
}

pub(super) async fn check_schema(store: &ThisStore) -> Result<String, StoreError> {
    let found = store.run(true, async |connection| dialect::version(connection).await).await?;
    let wanted = dialect::wanted()?;
    match found {
        Some(found) if found == wanted => Ok(found),
        found => Err(StoreError::Schema { found: found.unwrap_or_else(|| "none".to_owned()), wanted }),
    }
}

pub(super) async fn events(store: &ThisStore, filter: &EventFilter) -> Result<Vec<ListedEvent>, StoreError> {
    let mut query = jodo_events::table.select(ListedEvent::as_select()).into_boxed();
    if !filter.outcomes.is_empty() {
        query = query.filter(jodo_events::outcome.eq_any(filter.outcomes.iter().map(|o| o.as_str())));
    }
    if let Some(code) = &filter.code {
        query = query.filter(jodo_events::code.eq(code));
    }
    store
        .run(false, async |connection| {
            if let Some(student) = &filter.student {
                let keys = pupil_keys_of(connection, student).await?;
                query = query.filter(jodo_events::pupil_key.eq_any(keys));
            }
            query.order(jodo_events::received_at.desc()).limit(filter.limit).load(connection).await
        })
        .await
}

pub(super) async fn event(store: &ThisStore, id: &str) -> Result<Vec<StoredEvent>, StoreError> {
    let mut query = jodo_events::table.filter(jodo_events::event_id.eq(id.to_owned())).into_boxed();
    if (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit()) {
        query = query.or_filter(jodo_events::delivery_key.like(format!("{}%", id.to_ascii_lowercase())));
    }
    let query = query.order(jodo_events::received_at).limit(100);
    store.run(false, async |connection| query.select(StoredEvent::as_select()).load(connection).await).await
}

pub(super) async fn entity_row(
    store: &ThisStore,
    entity: &Entity,
    key: &[String],
) -> Result<Option<AnyRow>, StoreError> {
    let table = format!("jodo_r_{}", entity.name);
    let key_columns = std::iter::once(&"tenant").chain(entity.key);
    let matches: Vec<_> =
        key_columns.enumerate().map(|(i, column)| format!("{column} = ${}", i + 1)).collect();
    store
        .run(false, async |connection| {
            let columns = columns_of(connection, &table).await?;
            let sql = format!("{} WHERE {}) r", dialect::lines(&table, &columns), matches.join(" AND "));
            let mut query = diesel::sql_query(sql).into_boxed();
            for value in key {
                query = query.bind::<Text, _>(value);
            }
            let found: Option<Line> = query.get_result(connection).await.optional()?;
            found.map(Line::row).transpose()
        })
        .await
}

pub(super) async fn view(store: &ThisStore, view: &'static str) -> Result<Vec<AnyRow>, StoreError> {
    store
        .run(false, async |connection| {
            let columns = columns_of(connection, view).await?;
            let sql = format!("{}) r", dialect::lines(view, &columns));
            let found: Vec<Line> = diesel::sql_query(sql).load(connection).await?;
            found.into_iter().map(Line::row).collect()
        })
        .await
}

pub(super) async fn event_ids(store: &ThisStore) -> Result<Vec<Option<String>>, StoreError> {
    let query = jodo_events::table.select(jodo_events::event_id);
    store.run(false, async |connection| query.load(connection).await).await
}

pub(super) async fn activity(
    store: &ThisStore,
    source: &SourceName,
    since: jiff::Timestamp,
) -> Result<Activity, StoreError> {
    let received = jodo_events::table.filter(jodo_events::source.eq(source.as_str()));
    let newest = received.select(max(jodo_events::received_at));
    let recent = received.filter(jodo_events::received_at.ge(stored(since))).count();
    store
        .run(false, async |connection| {
            Ok(Activity {
                last_received_at: newest.get_result(connection).await?,
                accepted_since: recent.get_result(connection).await?,
            })
        })
        .await
}

pub(super) async fn newest_of(
    store: &ThisStore,
    source: &SourceName,
    since: jiff::Timestamp,
) -> Result<Option<String>, StoreError> {
    use jodo_events::received_at;
    let newest = jodo_events::table
        .filter(jodo_events::source.eq(source.as_str()))
        .filter(received_at.gt(stored(since)))
        .select(max(received_at));
    store.run(false, async |connection| newest.get_result(connection).await).await
}

pub(super) async fn unfinished(store: &ThisStore) -> Result<Unfinished, StoreError> {
    store.run(false, unfinished_on).await
}

async fn unfinished_on(connection: &mut Connection) -> QueryResult<Unfinished> {
    use jodo_events::{outcome, reason, received_at};
    // In the words of the partial index `jodo_events_unsettled`, so that it serves: with bound values it would not.
    let open = sql::<Bool>("outcome IN ('retrying', 'quarantined')");
    let unsettled = jodo_events::table
        .filter(open)
        .group_by((outcome, reason))
        .select((outcome, reason, count_star(), min(received_at)))
        .order((outcome, reason));
    Ok(Unfinished {
        unsettled: unsettled.load(connection).await?,
        held: jodo_unverified::table.count().get_result(connection).await?,
    })
}

pub(super) async fn summary(store: &ThisStore) -> Result<Summary, StoreError> {
    let workers = jodo_workers::table
        .select((
            jodo_workers::worker,
            jodo_workers::started_at,
            jodo_workers::last_seen_at,
            jodo_workers::paused_because,
        ))
        .order(jodo_workers::last_seen_at.desc())
        .limit(50);
    store
        .run(false, async |connection| {
            let Unfinished { unsettled, held } = unfinished_on(connection).await?;
            Ok(Summary {
                events: jodo_events::table.count().get_result(connection).await?,
                unsettled,
                held,
                workers: workers.load(connection).await?,
            })
        })
        .await
}

/// See [`Store::dump`](crate::store::Store::dump).
pub(super) async fn dump(store: &ThisStore) -> Result<Vec<String>, StoreError> {
    let entities = ENTITIES.iter().map(|entity| format!("jodo_r_{}", entity.name));
    let tables = entities.chain(SETS.iter().map(|set| format!("jodo_s_{}", set.name)));
    let tables: Vec<_> = tables.chain(VIEWS.iter().map(|view| (*view).to_owned())).collect();
    let events = ["code", "delivery_key", "event_id", "event_time", "outcome", "source"];
    let dumping = async |connection: &mut Connection| {
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
pub(super) async fn columns_of(connection: &mut Connection, table: &str) -> QueryResult<Vec<String>> {
    let query = diesel::sql_query(dialect::COLUMNS);
    let columns: Vec<ColumnName> = query.bind::<Text, _>(table).load(connection).await?;
    Ok(columns.into_iter().map(|column| column.column_name).collect())
}

async fn dump_of(connection: &mut Connection, table: &str, columns: &[String]) -> QueryResult<Vec<String>> {
    let rows: Vec<Line> =
        diesel::sql_query(format!("{}) r", dialect::lines(table, columns))).load(connection).await?;
    rows.into_iter()
        .map(|row| {
            // Printed again by us, so that every database's dump is escaped alike.
            let json = serde_json::to_string(&row.row()?)
                .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
            Ok(format!("{table}\t{json}"))
        })
        .collect()
}

pub(super) async fn known(
    store: &ThisStore,
    keys: &[DeliveryKey],
) -> Result<HashSet<DeliveryKey>, StoreError> {
    let keys: Vec<String> = keys.iter().map(DeliveryKey::to_string).collect();
    let events = jodo_events::table
        .select(jodo_events::delivery_key)
        .filter(jodo_events::delivery_key.eq_any(keys.clone()));
    let held = jodo_unverified::table
        .select(jodo_unverified::delivery_key)
        .filter(jodo_unverified::delivery_key.eq_any(keys));
    let found = store
        .run(false, async |connection| {
            let mut found: Vec<String> = events.load(connection).await?;
            found.extend(held.load::<String>(connection).await?);
            Ok(found)
        })
        .await?;
    Ok(found.iter().filter_map(|key| key.parse().ok()).collect())
}
