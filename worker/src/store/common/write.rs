//! The transaction that commits events and their effect together.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Text;
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use jodo_shared::clock::{now, stored};
use jodo_shared::ids::DeliveryKey;
use jodo_shared::outcome::Outcome;
use serde::Serialize;
use serde_json::json;

use super::{Backend, Connection, ThisStore, dialect};
use crate::schema::jodo_events;
use crate::store::{EventRow, StoreError, UnverifiedRow, Write, Written};

/// A constant statement over a batch: a JSON array of rows and, for tables that have them, the rows' bodies.
///
/// Not `sql_query`, because diesel never caches that as a prepared statement; this one is cached by its text.
pub(super) struct BatchStatement<'a> {
    pub(super) sql: &'static str,
    pub(super) rows: &'a str,
    pub(super) bodies: Option<Vec<&'a [u8]>>,
}

impl QueryFragment<Backend> for BatchStatement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        // The parts around `$1` and `$2`: the binds number themselves in the order in which they are pushed.
        let (head, tail) = self.sql.split_once("$1").unwrap_or((self.sql, ""));
        out.push_sql(head);
        out.push_bind_param::<Text, _>(self.rows)?;
        let Some(bodies) = &self.bodies else {
            out.push_sql(tail);
            return Ok(());
        };
        let (middle, tail) = tail.split_once("$2").unwrap_or((tail, ""));
        out.push_sql(middle);
        dialect::push_bodies(&mut out, bodies)?;
        out.push_sql(tail);
        Ok(())
    }
}

impl QueryId for BatchStatement<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for BatchStatement<'_> {
    type SqlType = Text;
}

impl<'a> BatchStatement<'a> {
    pub(super) fn projection(sql: &'static str, rows: &'a str) -> Self {
        Self { sql, rows, bodies: None }
    }

    pub(super) fn with_bodies(sql: &'static str, rows: &'a str, bodies: Vec<&'a [u8]>) -> Self {
        Self { sql, rows, bodies: Some(bodies) }
    }
}

/// See [`Store::settled`](crate::store::Store::settled).
pub(super) async fn settled(
    store: &ThisStore,
    keys: &[DeliveryKey],
) -> Result<HashSet<DeliveryKey>, StoreError> {
    let found = store.run(false, async |connection| outcomes_of(connection, keys).await).await?;
    Ok(found.into_iter().filter(|(_, outcome)| outcome.is_settled()).map(|(key, _)| key).collect())
}

async fn outcomes_of(
    connection: &mut Connection,
    keys: &[DeliveryKey],
) -> QueryResult<Vec<(DeliveryKey, Outcome)>> {
    let keys: Vec<String> = keys.iter().map(DeliveryKey::to_string).collect();
    let found: Vec<(String, String)> = jodo_events::table
        .select((jodo_events::delivery_key, jodo_events::outcome))
        .filter(jodo_events::delivery_key.eq_any(keys))
        .load(connection)
        .await?;
    // A row that another program wrote with a key or word we cannot read is none of ours.
    Ok(found.iter().filter_map(|(key, word)| Some((key.parse().ok()?, word.parse().ok()?))).collect())
}

/// See [`Store::write`](crate::store::Store::write).
pub(super) async fn write(store: &ThisStore, write: &Write<'_>) -> Result<Written, StoreError> {
    let events = EventBinds::new(&write.events, None);
    let unverified = unverified_json(write.unverified);
    let result = store
        .run(false, async |connection| {
            let committed = connection
                .transaction(async |connection| {
                    // Events before projections, and all of them sent at once: rows of pupils, which batches contend
                    // for, are held for as short as can be.
                    let written =
                        dialect::write_all(connection, events.statement(), projections(write)).await?;
                    let closed = closed_among(connection, &write.events, &written).await?;
                    if !closed.is_empty() {
                        return Err(Stop::Closed(closed));
                    }
                    write_unverified(connection, write.unverified, &unverified).await?;
                    Ok(())
                })
                .await;
            match committed {
                Ok(()) => Ok(Written::Committed),
                Err(Stop::Closed(keys)) => Ok(Written::Closed(keys)),
                Err(Stop::Failed(error)) => Err(error),
            }
        })
        .await?;
    Ok(result)
}

/// Why a transaction is rolled back.
enum Stop {
    Closed(HashSet<DeliveryKey>),
    Failed(diesel::result::Error),
}

impl From<diesel::result::Error> for Stop {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error)
    }
}

/// The projections' statements in the fixed order; a table that the batch does not touch has none.
fn projections<'a>(write: &'a Write<'_>) -> Vec<BatchStatement<'a>> {
    let mut statements = Vec::new();
    for table in &dialect::statements().projections {
        let batches = write.projections.iter().filter(|batch| batch.table == table.table);
        statements.extend(batches.map(|batch| BatchStatement::projection(&table.sql, &batch.rows)));
    }
    statements
}

pub(super) struct EventBinds<'a> {
    pub(super) rows: String,
    pub(super) bodies: Vec<&'a [u8]>,
}

impl<'a> EventBinds<'a> {
    /// Rows in bytewise order of their keys, so that two workers lock them in the same order.
    pub(super) fn new(events: &[&'a EventRow], imported_by: Option<&str>) -> Self {
        let recorded_at = stored(now());
        let mut sorted = events.to_vec();
        sorted.sort_unstable_by_key(|row| row.key);
        let rows: Vec<_> = sorted.iter().map(|row| EventJson::of(row, &recorded_at, imported_by)).collect();
        Self {
            // Texts, as the names are, cannot fail to become JSON.
            rows: serde_json::to_string(&rows).unwrap_or_default(),
            bodies: sorted.iter().map(|row| row.body.as_ref()).collect(),
        }
    }

    /// None without events.
    fn statement(&self) -> Option<BatchStatement<'_>> {
        let sql = &dialect::statements().events;
        (!self.bodies.is_empty()).then(|| BatchStatement::with_bodies(sql, &self.rows, self.bodies.clone()))
    }
}

/// An event's row as it is bound: every scalar a JSON string or null. What is null in most rows is
/// left out, for the database reads each name that it finds.
#[derive(Serialize)]
struct EventJson<'a> {
    delivery_key: String,
    source: &'a str,
    tenant: &'a str,
    event_id: Option<&'a str>,
    code: Option<&'a str>,
    event_time: Option<String>,
    pupil_key: Option<&'a str>,
    subject: Option<&'a str>,
    payload_digest: Option<&'a str>,
    outcome: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<String>,
    received_at: String,
    recorded_at: &'a str,
    redrive: &'a str,
    trace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    imported_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl<'a> EventJson<'a> {
    fn of(row: &'a EventRow, recorded_at: &'a str, imported_by: Option<&'a str>) -> Self {
        Self {
            delivery_key: row.key.to_string(),
            source: row.source.as_str(),
            tenant: row.tenant.as_str(),
            event_id: row.event_id.as_ref().map(|id| id.as_str()),
            code: row.code.as_ref().map(|code| code.as_str()),
            event_time: row.time.map(|time| time.to_string()),
            pupil_key: row.pupil_key.as_deref(),
            subject: row.subject.as_deref(),
            payload_digest: row.payload_digest.as_deref(),
            outcome: row.outcome.as_str(),
            reason: row.reason.map(|reason| reason.as_str()),
            detail: row.detail.as_deref(),
            warnings: row.warnings.as_deref(),
            due_at: row.due_at.map(stored),
            received_at: stored(row.received_at),
            recorded_at,
            redrive: if row.redrive { "true" } else { "false" },
            trace: row.trace.as_ref().map(|trace| trace.as_str()),
            imported_by,
            body: dialect::body_text(&row.body),
        }
    }
}

/// The events that the statement left alone because they are `ignored` or `discarded`; `applied` ones are no harm,
/// since merging an event twice leaves no second trace.
async fn closed_among(
    connection: &mut Connection,
    events: &[&EventRow],
    written: &[String],
) -> QueryResult<HashSet<DeliveryKey>> {
    let written: HashSet<_> = written.iter().map(String::as_str).collect();
    let keys = events.iter().map(|row| row.key);
    let left_alone: Vec<_> = keys.filter(|key| !written.contains(key.to_string().as_str())).collect();
    if left_alone.is_empty() {
        return Ok(HashSet::new());
    }
    let outcomes = outcomes_of(connection, &left_alone).await?;
    let closed = outcomes.into_iter().filter(|(_, o)| matches!(o, Outcome::Ignored | Outcome::Discarded));
    Ok(closed.map(|(key, _)| key).collect())
}

fn unverified_json(rows: &[UnverifiedRow]) -> String {
    let rows = rows.iter().map(|row| {
        json!({
            "delivery_key": row.key.to_string(),
            "source": row.source.as_str(),
            "tenant": row.tenant.as_str(),
            "received_at": stored(row.received_at),
            "expires_at": stored(row.expires_at),
            "signature": row.signature.map(|signature| signature.to_string()),
            "body": dialect::body_text(&row.body),
        })
    });
    serde_json::Value::Array(rows.collect()).to_string()
}

async fn write_unverified(
    connection: &mut Connection,
    rows: &[UnverifiedRow],
    json: &str,
) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let bodies = rows.iter().map(|row| row.body.as_ref()).collect();
    let statement = BatchStatement::with_bodies(&dialect::statements().unverified, json, bodies);
    diesel_async::RunQueryDsl::execute(statement, connection).await?;
    Ok(())
}
