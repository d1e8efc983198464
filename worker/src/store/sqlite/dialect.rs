//! What is said otherwise to SQLite than to PostgreSQL.

use diesel::QueryResult;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel::{QueryableByName, sql_query};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};

use crate::sql::{self, Statements, TableStatement};

use super::Connection;
pub(super) use super::migrate::{check_database, version, wanted};

/// The statements of a commit.
pub(super) fn statements() -> &'static Statements {
    &sql::SQLITE
}

/// The same for the projections that are made anew.
pub(super) fn shadow_statements() -> &'static [TableStatement] {
    &sql::SQLITE_SHADOW
}

/// Begins to look at one and the same state of all tables, which the first read does. Shadow tables are in another file.
pub(super) const LOOK: &str = "SELECT count(*) FROM jodo_workers";

/// Keeps everybody else from writing until the end of the transaction: there is one writer, which this makes us.
pub(super) fn keep_still() -> String {
    "UPDATE jodo_events SET attempts = attempts WHERE false".to_owned()
}

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    sql: String,
}

/// Makes an empty table `shadow` like `live`, for this connection; what an earlier one of that name held is gone.
pub(super) async fn make_shadow(connection: &mut Connection, live: &str, shadow: &str) -> QueryResult<()> {
    let table = sql_query("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = $1");
    let Table { sql } = table.bind::<Text, _>(live).get_result(connection).await?;
    // Our names have no parenthesis, so this is where the columns begin.
    let columns = sql.find('(').map_or("", |at| &sql[at..]);
    connection
        .batch_execute(&format!("DROP TABLE IF EXISTS temp.{shadow}; CREATE TEMP TABLE {shadow} {columns}"))
        .await
}

/// One committed update is the lease. There is one writer, so nobody else takes the same row.
pub(super) const TAKE_DUE: &str = "\
UPDATE jodo_events SET attempts = attempts + 1, due_at = $1 \
WHERE delivery_key = (SELECT delivery_key FROM jodo_events \
WHERE outcome = 'retrying' AND due_at <= $2 ORDER BY due_at LIMIT 1) \
RETURNING *";

/// Writes events, then projections, and returns the keys of the events that were written.
pub(super) async fn write_all<Q>(
    connection: &mut Connection,
    events: Option<Q>,
    projections: Vec<Q>,
) -> QueryResult<Vec<String>>
where
    Q: Query<SqlType = Text> + QueryFragment<Sqlite> + QueryId + Send,
{
    let written = match events {
        Some(events) => events.load(connection).await?,
        None => Vec::new(),
    };
    for rows in projections {
        rows.execute(connection).await?;
    }
    Ok(written)
}

/// Columns of the table or view `$1`, in bytewise order of their names.
pub(super) const COLUMNS: &str = "SELECT name AS column_name FROM pragma_table_info($1) ORDER BY 1";

/// The head of a query that gives each row of `table` as one JSON object of text values in a column `line`; `) r` closes
/// it.
pub(super) fn lines(table: &str, columns: &[String]) -> String {
    let members: Vec<_> = columns.iter().map(|c| format!("'{c}', CAST(r.{c} AS TEXT)")).collect();
    let columns = columns.join(", ");
    format!("SELECT json_object({}) AS line FROM (SELECT {columns} FROM {table}", members.join(", "))
}

/// A row's body as a member of the row, in hexadecimal digits: SQLite has no bind for a list of blobs.
pub(super) fn body_text(body: &[u8]) -> Option<String> {
    Some(hex::encode(body))
}

/// Nothing: the bodies are in the rows.
pub(super) fn push_bodies<'b>(_: &mut AstPass<'_, 'b, Sqlite>, _: &'b Vec<&'b [u8]>) -> QueryResult<()> {
    Ok(())
}
