//! Events that enter the inbox without a worker: from a person's hand, or from among the held deliveries.

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
    let binds = EventBinds::new(&rows, Some(&deed.who));
    bring(store, &binds, ("import", None), deed).await
}

/// Stores the rows that are new. What is an event now is held no longer.
async fn bring(
    store: &ThisStore,
    binds: &EventBinds<'_>,
    (action, was): (&str, Option<&str>),
    deed: &Deed,
) -> Result<HashSet<DeliveryKey>, StoreError> {
    if binds.bodies.is_empty() {
        return Ok(HashSet::new());
    }
    let bringing = async |connection: &mut Connection| {
        let sql = &dialect::statements().by_hand.bring;
        let statement = BatchStatement::with_bodies(sql, &binds.rows, binds.bodies.clone());
        let written: Vec<String> = statement.load(connection).await?;
        let held = jodo_unverified::table.filter(jodo_unverified::delivery_key.eq_any(&written));
        diesel::delete(held).execute(connection).await?;
        let touched: Vec<_> =
            written.iter().map(|key| Touched { key, was: was.map(str::to_owned) }).collect();
        history::add(connection, action, &touched, deed).await?;
        Ok(written)
    };
    let written = store.run(false, async |connection| connection.transaction(bringing).await).await?;
    Ok(written.iter().filter_map(|key| key.parse().ok()).collect())
}
