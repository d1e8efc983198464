//! What has been kept long enough: bodies of finished events, and held deliveries.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use jodo_shared::clock::stored;
use jodo_shared::outcome::Outcome;

use super::super::history::{self, Touched};
use super::super::{Backend, ThisStore};
use crate::schema::{jodo_events, jodo_unverified};
use crate::store::StoreError;
use crate::store::maintain::{Expired, Slice};
use crate::store::operate::Deed;

/// Settled events that came before an instant and still have their bodies.
fn old_bodies(before: Timestamp) -> jodo_events::BoxedQuery<'static, Backend> {
    jodo_events::table
        .filter(jodo_events::received_at.lt(stored(before)))
        .filter(jodo_events::body.is_not_null())
        .filter(jodo_events::outcome.eq_any(settled()))
        .into_boxed()
}

/// See [`Maintain::expired`](crate::store::maintain::Maintain::expired).
pub(super) async fn expired(
    store: &ThisStore,
    before: Timestamp,
    now: Timestamp,
) -> Result<Expired, StoreError> {
    let held = jodo_unverified::table.filter(jodo_unverified::expires_at.le(stored(now)));
    store
        .run(false, async |connection| {
            Ok(Expired {
                bodies: old_bodies(before).count().get_result(connection).await?,
                held: held.count().get_result(connection).await?,
            })
        })
        .await
}

/// See [`Maintain::remove_bodies`](crate::store::maintain::Maintain::remove_bodies).
pub(super) async fn remove_bodies(
    store: &ThisStore,
    from: &str,
    before: Timestamp,
    now: Timestamp,
    most: i64,
) -> Result<Option<Slice>, StoreError> {
    use jodo_events::{body, body_removed_at, delivery_key, received_at};
    let next = old_bodies(before)
        .filter(received_at.ge(from.to_owned()))
        .order(received_at)
        .limit(most)
        .select((delivery_key, received_at));
    store
        .run(false, async |connection| {
            let found: Vec<(String, String)> = next.load(connection).await?;
            let (keys, times): (Vec<_>, Vec<_>) = found.into_iter().unzip();
            let Some(reached) = times.into_iter().next_back() else { return Ok(None) };
            // A statement is a transaction of its own. The conditions again: somebody may send an event round meanwhile.
            let rows = diesel::update(jodo_events::table)
                .filter(delivery_key.eq_any(keys))
                .filter(jodo_events::outcome.eq_any(settled()))
                .set((body.eq(None::<Vec<u8>>), body_removed_at.eq(stored(now))));
            Ok(Some(Slice { removed: rows.execute(connection).await?, reached }))
        })
        .await
}

fn settled() -> impl Iterator<Item = &'static str> {
    Outcome::ALL.into_iter().filter(|outcome| outcome.is_settled()).map(Outcome::as_str)
}

/// See [`Maintain::forget_held`](crate::store::maintain::Maintain::forget_held).
pub(super) async fn forget_held(store: &ThisStore, now: Timestamp, most: i64) -> Result<usize, StoreError> {
    let next = jodo_unverified::table
        .filter(jodo_unverified::expires_at.le(stored(now)))
        .select(jodo_unverified::delivery_key)
        .limit(most);
    store
        .run(false, async |connection| {
            let keys: Vec<String> = next.load(connection).await?;
            let rows = jodo_unverified::table.filter(jodo_unverified::delivery_key.eq_any(keys));
            diesel::delete(rows).execute(connection).await
        })
        .await
}

/// See [`Maintain::note_of_target`](crate::store::maintain::Maintain::note_of_target).
pub(super) async fn note(
    store: &ThisStore,
    by: &Deed,
    action: &'static str,
    what: &str,
) -> Result<(), StoreError> {
    let line = [Touched::all(Some(what.to_owned()))];
    store.run(false, async |connection| history::add(connection, action, &line, by).await).await
}
