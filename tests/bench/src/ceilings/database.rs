//! What the databases do at most with a narrow table: an inbox row per event and one counter that is brought up to date.

use std::time::Instant;

use bytes::Bytes;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use jodo_shared::ids::DeliveryKey;

use crate::stage::{connect, source};

/// PostgreSQL: so many events a second, 500 in a transaction of two statements, on one connection.
///
/// # Errors
/// When it refuses.
pub(crate) async fn postgres(url: &str, bodies: &[Bytes]) -> anyhow::Result<f64> {
    let (mut client, _serving) = connect(url).await?;
    client
        .batch_execute(
            "CREATE TABLE inbox (key text PRIMARY KEY, body bytea); CREATE TABLE last (key text PRIMARY KEY, n bigint)",
        )
        .await?;
    let insert = "INSERT INTO inbox SELECT * FROM unnest($1::text[], $2::bytea[]) ON CONFLICT DO NOTHING";
    let insert = client.prepare(insert).await?;
    let upsert = "INSERT INTO last SELECT left(key, 4), count(*) FROM unnest($1::text[]) AS key GROUP BY 1 ORDER BY 1 \
                  ON CONFLICT (key) DO UPDATE SET n = last.n + excluded.n";
    let upsert = client.prepare(upsert).await?;
    let source = source()?;
    let started = Instant::now();
    for batch in bodies.chunks(500) {
        let keys: Vec<_> = batch.iter().map(|body| DeliveryKey::of(&source, body).to_string()).collect();
        let bodies: Vec<&[u8]> = batch.iter().map(AsRef::as_ref).collect();
        let transaction = client.transaction().await?;
        let inserted = transaction.execute(&insert, &[&keys, &bodies]).await?;
        anyhow::ensure!(inserted == batch.len() as u64, "an event came twice");
        transaction.execute(&upsert, &[&keys]).await?;
        transaction.commit().await?;
    }
    let rate = bodies.len() as f64 / started.elapsed().as_secs_f64();
    client.batch_execute("DROP TABLE inbox, last").await?;
    Ok(rate)
}

diesel::table! {
    inbox (key) {
        key -> Text,
        body -> Binary,
    }
}

/// SQLite with every commit forced to disk: so many events a second, 100 in a transaction.
///
/// # Errors
/// When it refuses.
pub(crate) fn sqlite(bodies: &[Bytes]) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut connection = SqliteConnection::establish(&folder.path().join("inbox.db").display().to_string())?;
    connection.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         CREATE TABLE inbox (key TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID",
    )?;
    let source = source()?;
    let started = Instant::now();
    for batch in bodies.chunks(100) {
        connection.transaction(|connection| {
            for body in batch {
                let key = DeliveryKey::of(&source, body).to_string();
                diesel::insert_into(inbox::table)
                    .values((inbox::key.eq(key), inbox::body.eq(body.as_ref())))
                    .execute(connection)?;
            }
            QueryResult::Ok(())
        })?;
    }
    Ok(bodies.len() as f64 / started.elapsed().as_secs_f64())
}
