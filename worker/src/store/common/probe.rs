//! Whether a commit could succeed now.

use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use jodo_shared::clock::{now, stored};

use super::write::BatchStatement;
use super::{Connection, ThisStore, dialect, inspect};
use crate::schema::jodo_workers;
use crate::store::StoreError;

/// Runs every statement of a commit with an empty batch, and writes this worker's own row: a missing column, a
/// missing right, a read-only standby or a full disk fail here as they would fail a batch, but with no event to blame.
pub(super) async fn probe(store: &ThisStore) -> Result<(), StoreError> {
    dialect::check_database(store).await?;
    inspect::check_schema(store).await?;
    let statements = dialect::statements();
    store
        .run(true, async |connection| {
            // The same kind of transaction as a commit's: a read-only one must fail here first.
            connection
                .transaction(async |connection| {
                    for statement in &statements.projections {
                        let empty = BatchStatement::projection(&statement.sql, "[]");
                        diesel_async::RunQueryDsl::execute(empty, connection).await?;
                    }
                    for sql in [&statements.events, &statements.unverified] {
                        let empty = BatchStatement::with_bodies(sql, "[]", Vec::new());
                        diesel_async::RunQueryDsl::execute(empty, connection).await?;
                    }
                    write_own_row(store, connection, None).await
                })
                .await
        })
        .await
}

/// See [`Store::report_pause`](crate::store::Store::report_pause).
pub(super) async fn report_pause(store: &ThisStore, because: &str) -> Result<(), StoreError> {
    store.run(true, async |connection| write_own_row(store, connection, Some(because)).await).await
}

async fn write_own_row(
    store: &ThisStore,
    connection: &mut Connection,
    paused_because: Option<&str>,
) -> QueryResult<()> {
    let row = (
        jodo_workers::worker.eq(store.worker.as_str()),
        jodo_workers::started_at.eq(stored(store.started_at)),
        jodo_workers::last_seen_at.eq(stored(now())),
        jodo_workers::paused_because.eq(paused_because),
    );
    diesel::insert_into(jodo_workers::table)
        .values(row)
        .on_conflict(jodo_workers::worker)
        .do_update()
        .set((
            jodo_workers::started_at.eq(excluded(jodo_workers::started_at)),
            jodo_workers::last_seen_at.eq(excluded(jodo_workers::last_seen_at)),
            jodo_workers::paused_because.eq(excluded(jodo_workers::paused_because)),
        ))
        .execute(connection)
        .await?;
    Ok(())
}
