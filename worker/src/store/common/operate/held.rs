//! Held deliveries: to look at, to let in, to throw away.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel_async::{AsyncConnection as _, RunQueryDsl};

use super::super::history::{self, Touched};
use super::super::{Connection, ThisStore};
use super::bring::bring;
use crate::schema::jodo_unverified;
use crate::store::operate::Deed;
use crate::store::reads::StoredHeld;
use crate::store::{EventRow, StoreError};

/// What a held delivery was, in the words of the history.
const HELD: &str = "held";

/// See [`Operate::held`](crate::store::operate::Operate::held).
pub(in super::super) async fn held(
    store: &ThisStore,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<StoredHeld>, StoreError> {
    let query = jodo_unverified::table
        .filter(jodo_unverified::delivery_key.gt(after.unwrap_or_default().to_owned()))
        .select(StoredHeld::as_select())
        .order(jodo_unverified::delivery_key)
        .limit(limit);
    store.run(false, async |connection| query.load(connection).await).await
}

/// See [`Operate::release`](crate::store::operate::Operate::release).
pub(in super::super) async fn release(
    store: &ThisStore,
    events: &[EventRow],
    deed: &Deed,
) -> Result<usize, StoreError> {
    let keys: Vec<_> = events.iter().map(|row| row.key.to_string()).collect();
    let releasing = async |connection: &mut Connection| {
        let taken: HashSet<_> = take(connection, &keys).await?.into_iter().collect();
        let rows: Vec<_> = events.iter().filter(|row| taken.contains(&row.key.to_string())).collect();
        bring(connection, &rows, None).await?;
        note(connection, "unverified retry", &taken, deed).await
    };
    store.run(false, async |connection| connection.transaction(releasing).await).await
}

/// See [`Operate::discard_held`](crate::store::operate::Operate::discard_held).
pub(in super::super) async fn discard(
    store: &ThisStore,
    keys: &[String],
    deed: &Deed,
) -> Result<usize, StoreError> {
    let discarding = async |connection: &mut Connection| {
        let taken: HashSet<_> = take(connection, keys).await?.into_iter().collect();
        note(connection, "unverified discard", &taken, deed).await
    };
    store.run(false, async |connection| connection.transaction(discarding).await).await
}

/// Ends the hold of those that are still held. Returns their keys.
async fn take(connection: &mut Connection, keys: &[String]) -> QueryResult<Vec<String>> {
    let held = jodo_unverified::table.filter(jodo_unverified::delivery_key.eq_any(keys));
    diesel::delete(held).returning(jodo_unverified::delivery_key).get_results(connection).await
}

async fn note(
    connection: &mut Connection,
    action: &str,
    keys: &HashSet<String>,
    deed: &Deed,
) -> QueryResult<usize> {
    let touched: Vec<_> = keys.iter().map(|key| Touched { key, was: Some(HELD.to_owned()) }).collect();
    history::add(connection, action, &touched, deed).await?;
    Ok(touched.len())
}
