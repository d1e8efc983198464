//! Rows that the inbox alone owns: `retrying`, taken one by one on lease.

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use jiff::{SignedDuration, Timestamp};
use jodo_shared::clock::stored;
use jodo_shared::ids::DeliveryKey;
use jodo_shared::outcome::{Outcome, Reason};

use super::{ThisStore, dialect, maintain};
use crate::schema::jodo_events;
use crate::store::reads::StoredEvent;
use crate::store::{Due, StoreError};

/// How long a lease lasts. A try that takes longer may be made twice at once, which leaves no second trace.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

pub(super) async fn take_due(store: &ThisStore, at: Timestamp) -> Result<Option<Due>, StoreError> {
    let query =
        diesel::sql_query(dialect::TAKE_DUE).bind::<Text, _>(stored(at + LEASE)).bind::<Text, _>(stored(at));
    let taken: Option<StoredEvent> =
        store.run(false, async |connection| query.get_result(connection).await.optional()).await?;
    let Some(taken) = taken else { return Ok(None) };
    let key = taken.delivery_key.clone();
    match taken.into_due() {
        Ok(due) => Ok(Some(due)),
        Err(error) => {
            quarantine_unreadable(store, &key, &error).await?;
            Err(error)
        }
    }
}

/// A row without its body, or that another program has filled with something else, can never be tried.
async fn quarantine_unreadable(store: &ThisStore, key: &str, error: &StoreError) -> Result<(), StoreError> {
    tracing::warn!(delivery.key = key, %error, "a due row cannot be read; it needs a person");
    let update = diesel::update(jodo_events::table.find(key.to_owned())).set((
        jodo_events::outcome.eq(Outcome::Quarantined.as_str()),
        jodo_events::reason.eq(Reason::UnreadableRow.as_str()),
        jodo_events::detail.eq(error.to_string()),
    ));
    store.run(false, async |connection| update.execute(connection).await).await?;
    Ok(())
}

pub(super) async fn put_back(
    store: &ThisStore,
    key: DeliveryKey,
    due_at: Timestamp,
    reason: Reason,
) -> Result<(), StoreError> {
    let row =
        jodo_events::table.find(key.to_string()).filter(jodo_events::outcome.eq(Outcome::Retrying.as_str()));
    let update = diesel::update(row).set((
        jodo_events::attempts.eq(jodo_events::attempts - 1),
        jodo_events::due_at.eq(stored(due_at)),
        jodo_events::reason.eq(reason.as_str()),
    ));
    store.run(false, async |connection| update.execute(connection).await).await?;
    Ok(())
}

pub(super) async fn return_to_retrying(
    store: &ThisStore,
    keys: &[DeliveryKey],
    since: Timestamp,
) -> Result<(), StoreError> {
    let keys: Vec<String> = keys.iter().map(DeliveryKey::to_string).collect();
    let rows = jodo_events::table
        .filter(jodo_events::delivery_key.eq_any(keys))
        .filter(jodo_events::outcome.eq(Outcome::Quarantined.as_str()));
    let update = diesel::update(rows).set((
        jodo_events::outcome.eq(Outcome::Retrying.as_str()),
        jodo_events::reason.eq(Reason::Brake.as_str()),
        jodo_events::due_at.eq(stored(since)),
        // Under the brake since then, so that whatever lifts the brake lifts it for them, too.
        jodo_events::recorded_at.eq(stored(since)),
    ));
    store.run(false, async |connection| update.execute(connection).await).await?;
    Ok(())
}

pub(super) async fn brake_holds(store: &ThisStore, since: Timestamp) -> Result<bool, StoreError> {
    let waiting = jodo_events::table
        .filter(jodo_events::outcome.eq(Outcome::Retrying.as_str()))
        .filter(jodo_events::reason.eq(Reason::Brake.as_str()));
    let applied = jodo_events::table
        .filter(jodo_events::outcome.eq(Outcome::Applied.as_str()))
        .filter(jodo_events::recorded_at.gt(stored(since)));
    let lifted = maintain::pauses::resumed_since(since);
    let query = diesel::select(exists(waiting).and(not(exists(applied))).and(not(exists(lifted))));
    store.run(false, async |connection| query.get_result(connection).await).await
}
