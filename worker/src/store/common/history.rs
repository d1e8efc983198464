//! What people did: lines that are only ever added.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jodo_shared::clock::stored;
use serde_json::json;

use super::write::BatchStatement;
use super::{Connection, ThisStore, dialect};
use crate::schema::jodo_history;
use crate::store::StoreError;
use crate::store::inspect::HistoryLine;
use crate::store::operate::Deed;

/// An event that somebody touched: its key, and what was before.
pub(super) struct Touched<'a> {
    pub(super) key: &'a str,
    pub(super) was: Option<String>,
}

impl Touched<'_> {
    /// What concerns the target as a whole, and what was before, or how much of it was done.
    pub(super) fn all(was: Option<String>) -> Self {
        Self { key: "", was }
    }
}

/// Adds a line for each event, in the transaction that touches them.
pub(super) async fn add(
    connection: &mut Connection,
    action: &str,
    touched: &[Touched<'_>],
    deed: &Deed,
) -> QueryResult<()> {
    let at = stored(deed.at);
    let line = |one: &Touched<'_>| {
        json!({
            "at": at,
            "who": deed.who,
            "action": action,
            "delivery_key": one.key,
            "was": one.was,
            "reason": deed.reason,
        })
    };
    let lines = serde_json::Value::Array(touched.iter().map(line).collect()).to_string();
    let statement = BatchStatement::projection(&dialect::statements().by_hand.history, &lines);
    diesel_async::RunQueryDsl::execute(statement, connection).await?;
    Ok(())
}

/// See [`Inspect::history`](crate::store::inspect::Inspect::history).
pub(super) async fn history(store: &ThisStore, key: &str) -> Result<Vec<HistoryLine>, StoreError> {
    use jodo_history::{action, at, delivery_key, reason, was, who};
    let query = jodo_history::table
        .filter(delivery_key.eq(key.to_owned()))
        .filter(delivery_key.ne(""))
        .select((at, who, action, was, reason))
        .order((at, action));
    store.run(false, async |connection| query.load(connection).await).await
}
