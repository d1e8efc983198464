//! Pauses that people order, and the end of them.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use jiff::Timestamp;
use jodo_shared::clock::stored;
use jodo_shared::ids::TargetName;
use jodo_shared::outcome::{Outcome, Reason};

use super::super::history::{self, Touched};
use super::super::{Backend, Connection, ThisStore};
use crate::schema::{jodo_events, jodo_history, jodo_pauses};
use crate::store::StoreError;
use crate::store::maintain::{OrderedPause, Orders, Resumed};
use crate::store::operate::Deed;

/// The word in `jodo_history`, which also lifts a brake that came on before.
const RESUME: &str = "resume";

/// See [`Store::orders`](crate::store::Store::orders).
pub(in super::super) async fn orders(
    store: &ThisStore,
    target: &TargetName,
    braked_since: Option<Timestamp>,
) -> Result<Orders, StoreError> {
    // The statements carry names only, and who may not read the tables wants to know that.
    store
        .run(true, async |connection| {
            let pause = pause_of(connection, target).await?;
            let lift_brake = match braked_since {
                Some(since) => diesel::select(exists(resumed_since(since))).get_result(connection).await?,
                None => false,
            };
            Ok(Orders { pause, lift_brake })
        })
        .await
}

/// Lines that say that a person let work go on after `since`.
pub(in super::super) fn resumed_since(since: Timestamp) -> jodo_history::BoxedQuery<'static, Backend> {
    jodo_history::table
        .filter(jodo_history::action.eq(RESUME))
        .filter(jodo_history::at.ge(stored(since)))
        .into_boxed()
}

/// The row of this target.
async fn pause_of(connection: &mut Connection, target: &TargetName) -> QueryResult<Option<OrderedPause>> {
    let row: Option<Row> = jodo_pauses::table
        .find(target.as_str())
        .select((jodo_pauses::paused_at, jodo_pauses::until, jodo_pauses::who, jodo_pauses::reason))
        .first(connection)
        .await
        .optional()?;
    Ok(row.and_then(read))
}

type Row = (String, String, String, String);

/// A row that another program has filled with something else is none.
fn read((paused_at, until, who, reason): Row) -> Option<OrderedPause> {
    Some(OrderedPause { paused_at: paused_at.parse().ok()?, until: until.parse().ok()?, who, reason })
}

/// See [`Maintain::pause`](crate::store::maintain::Maintain::pause).
pub(super) async fn pause(
    store: &ThisStore,
    target: &TargetName,
    pause: &OrderedPause,
) -> Result<Option<OrderedPause>, StoreError> {
    let reason = format!("until {}: {}", stored(pause.until), pause.reason);
    let deed = Deed { who: pause.who.clone(), at: pause.paused_at, reason: Some(reason) };
    let row = (
        jodo_pauses::target.eq(target.as_str()),
        jodo_pauses::paused_at.eq(stored(pause.paused_at)),
        jodo_pauses::until.eq(stored(pause.until)),
        jodo_pauses::who.eq(&pause.who),
        jodo_pauses::reason.eq(&pause.reason),
    );
    let change = async |connection: &mut Connection| {
        // The write comes first: on SQLite a transaction that begins with a read may not be let write.
        let before = remove(connection, target).await?;
        diesel::insert_into(jodo_pauses::table).values(row).execute(connection).await?;
        let was = before.as_ref().map(OrderedPause::to_string);
        history::add(connection, "pause", &[Touched::all(was)], &deed).await?;
        Ok(before)
    };
    store.run(false, async |connection| connection.transaction(change).await).await
}

/// Deletes the row, and returns what was in it.
async fn remove(connection: &mut Connection, target: &TargetName) -> QueryResult<Option<OrderedPause>> {
    let row = diesel::delete(jodo_pauses::table.find(target.as_str())).returning((
        jodo_pauses::paused_at,
        jodo_pauses::until,
        jodo_pauses::who,
        jodo_pauses::reason,
    ));
    let row: Option<Row> = row.get_result(connection).await.optional()?;
    Ok(row.and_then(read))
}

/// See [`Maintain::take_back`](crate::store::maintain::Maintain::take_back).
pub(super) async fn take_back(
    store: &ThisStore,
    target: &TargetName,
    pause: &OrderedPause,
) -> Result<(), StoreError> {
    let row = jodo_pauses::table
        .find(target.as_str())
        .filter(jodo_pauses::paused_at.eq(stored(pause.paused_at)))
        .filter(jodo_pauses::who.eq(&pause.who));
    store.run(false, async |connection| diesel::delete(row).execute(connection).await).await?;
    Ok(())
}

/// See [`Maintain::resumable`](crate::store::maintain::Maintain::resumable).
pub(super) async fn resumable(store: &ThisStore, target: &TargetName) -> Result<Resumed, StoreError> {
    store
        .run(false, async |connection| {
            Ok(Resumed { pause: pause_of(connection, target).await?, braked: braked(connection).await? })
        })
        .await
}

/// See [`Maintain::resume`](crate::store::maintain::Maintain::resume).
pub(super) async fn resume(store: &ThisStore, target: &TargetName, by: &Deed) -> Result<Resumed, StoreError> {
    let change = async |connection: &mut Connection| {
        let pause = remove(connection, target).await?;
        let was = pause.as_ref().map(OrderedPause::to_string);
        history::add(connection, RESUME, &[Touched::all(was)], by).await?;
        Ok(Resumed { pause, braked: braked(connection).await? })
    };
    store.run(false, async |connection| connection.transaction(change).await).await
}

/// Events that wait because a worker braked.
async fn braked(connection: &mut Connection) -> QueryResult<i64> {
    let waiting = jodo_events::table
        .filter(jodo_events::outcome.eq(Outcome::Retrying.as_str()))
        .filter(jodo_events::reason.eq(Reason::Brake.as_str()));
    waiting.count().get_result(connection).await
}
