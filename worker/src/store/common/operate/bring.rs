//! Events that enter the inbox without a worker.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use jodo_shared::ids::DeliveryKey;

use super::super::history::{self, Touched};
use super::super::write::{BatchStatement, EventBinds};
use super::super::{Connection, ThisStore, dialect};
use crate::schema::jodo_unverified;
use crate::store::operate::Deed;
use crate::store::{EventRow, StoreError};

/// See [`Operate::import`](crate::store::operate::Operate::import).
pub(in super::super) async fn import(
    store: &ThisStore,
    events: &[EventRow],
    deed: &Deed,
) -> Result<HashSet<DeliveryKey>, StoreError> {
    let rows: Vec<_> = events.iter().collect();
    let importing = async |connection: &mut Connection| {
        let written = bring(connection, &rows, Some(&deed.who)).await?;
        // What is an event now is held no longer.
        let held = jodo_unverified::table.filter(jodo_unverified::delivery_key.eq_any(&written));
        diesel::delete(held).execute(connection).await?;
        let touched: Vec<_> = written.iter().map(|key| Touched { key, was: None }).collect();
        history::add(connection, "import", &touched, deed).await?;
        Ok(written)
    };
    let written = store.run(false, async |connection| connection.transaction(importing).await).await?;
    Ok(written.iter().filter_map(|key| key.parse().ok()).collect())
}

/// Adds the rows that are not there yet. Returns their keys.
pub(super) async fn bring(
    connection: &mut Connection,
    rows: &[&EventRow],
    imported_by: Option<&str>,
) -> QueryResult<Vec<String>> {
    let binds = EventBinds::new(rows, imported_by);
    if binds.bodies.is_empty() {
        return Ok(Vec::new());
    }
    let sql = &dialect::statements().by_hand.bring;
    BatchStatement::with_bodies(sql, &binds.rows, binds.bodies.clone()).load(connection).await
}
