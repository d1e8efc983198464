//! What is said otherwise to PostgreSQL than to SQLite.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Binary, Text};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use futures_util::future::{OptionFuture, join, join_all};

use crate::entities::{ENTITIES, SETS};
use crate::sql::{self, Statements, TableStatement};

use super::Connection;
pub(super) use super::migrate::{check_database, version, wanted};

/// The statements of a commit.
pub(super) fn statements() -> &'static Statements {
    &sql::POSTGRES
}

/// The same for the projections that are made anew.
pub(super) fn shadow_statements() -> &'static [TableStatement] {
    &sql::POSTGRES_SHADOW
}

/// Begins to look at one and the same state of all tables.
pub(super) const LOOK: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";

/// Keeps everybody else from writing projections and events until the end of the transaction; they can be read. Tables
/// are locked in the order in which a commit touches them, so that neither waits for the other in a circle.
pub(super) fn keep_still() -> String {
    let entities = ENTITIES.iter().map(|entity| format!("jodo_r_{}", entity.name));
    let tables = entities.chain(SETS.iter().map(|set| format!("jodo_s_{}", set.name)));
    let tables: Vec<_> = std::iter::once("jodo_events".to_owned()).chain(tables).collect();
    format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", tables.join(", "))
}

/// Makes an empty table `shadow` like `live`, for this transaction.
pub(super) async fn make_shadow(connection: &mut Connection, live: &str, shadow: &str) -> QueryResult<()> {
    let make = format!("CREATE TEMP TABLE {shadow} (LIKE {live} INCLUDING ALL) ON COMMIT DROP");
    connection.batch_execute(&make).await
}

/// One committed update is the lease; `SKIP LOCKED` lets several workers take different rows.
pub(super) const TAKE_DUE: &str = "\
UPDATE jodo_events SET attempts = attempts + 1, due_at = $1 \
WHERE delivery_key = (SELECT delivery_key FROM jodo_events \
WHERE outcome = 'retrying' AND due_at <= $2 ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) \
RETURNING *";

/// Columns of the table or view `$1`, in bytewise order of their names.
pub(super) const COLUMNS: &str = "\
SELECT attname::text COLLATE \"C\" AS column_name FROM pg_attribute \
WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY 1";

/// The head of a query that gives each row of `table` as one JSON object of text values in a column `line`; `) r` closes
/// it.
pub(super) fn lines(table: &str, columns: &[String]) -> String {
    let columns: Vec<_> = columns.iter().map(|column| format!("{column}::text AS {column}")).collect();
    format!("SELECT row_to_json(r)::text AS line FROM (SELECT {} FROM {table}", columns.join(", "))
}

/// A row's body as a member of the row: not here, where bodies are a bind of their own.
pub(super) fn body_text(_: &[u8]) -> Option<String> {
    None
}

/// Writes events, then projections, and returns the keys of the events that were written. The statements are sent
/// without waiting for each other's answers, and PostgreSQL takes them one by one, in this order.
pub(super) async fn write_all<Q>(
    connection: &mut Connection,
    events: Option<Q>,
    projections: Vec<Q>,
) -> QueryResult<Vec<String>>
where
    Q: Query<SqlType = Text> + QueryFragment<Pg> + QueryId + Send,
{
    let connection = &*connection;
    let events = OptionFuture::from(events.map(async |events| events.load(&mut &*connection).await));
    let projections = projections.into_iter().map(async |rows| rows.execute(&mut &*connection).await);
    // All are waited for: the first to fail says why, the others only that the transaction is aborted.
    let (events, projections) = join(events, join_all(projections)).await;
    let written = events.transpose()?.unwrap_or_default();
    projections.into_iter().collect::<QueryResult<Vec<_>>>()?;
    Ok(written)
}

/// Binds the bodies of the rows, in their order, where the statement has a place for them.
pub(super) fn push_bodies<'b>(out: &mut AstPass<'_, 'b, Pg>, bodies: &'b Vec<&'b [u8]>) -> QueryResult<()> {
    out.push_bind_param::<Array<Binary>, _>(bodies)
}
