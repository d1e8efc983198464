//! What is said otherwise to SQLite than to PostgreSQL.

use diesel::QueryResult;
use diesel::query_builder::AstPass;
use diesel::sqlite::Sqlite;

use crate::sql::{self, Statements};

pub(super) use super::migrate::{check_database, version, wanted};

/// The statements of a commit.
pub(super) fn statements() -> &'static Statements {
    &sql::SQLITE
}

/// One committed update is the lease. There is one writer, so nobody else takes the same row.
pub(super) const TAKE_DUE: &str = "\
UPDATE jodo_events SET attempts = attempts + 1, due_at = $1 \
WHERE delivery_key = (SELECT delivery_key FROM jodo_events \
WHERE outcome = 'retrying' AND due_at <= $2 ORDER BY due_at LIMIT 1) \
RETURNING *";

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
