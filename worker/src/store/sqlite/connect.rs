//! Connections to a SQLite file: durable to the disk at every commit, patient with other writers.

use std::path::Path;
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection as _, SimpleAsyncConnection as _};
use futures_util::FutureExt as _;

use crate::store::StoreError;

/// One that writes and one that reads beside it: more would only wait for each other.
const CONNECTIONS: usize = 2;
/// Pages kept in memory by each connection, in KiB, once they were needed. Too low: batches read again and again what they
/// update, since keys are scattered. Too high: memory.
const CACHE_KIB: u32 = 16 * 1024;
/// How long a call waits for a free connection.
const WAIT: Duration = Duration::from_secs(30);

/// A pool of connections to the file, which must be there when the first one is opened.
pub(super) fn pool(
    file: &Path,
    statement_timeout: Duration,
) -> Result<Pool<SyncConnectionWrapper<SqliteConnection>>, StoreError> {
    let mut config = ManagerConfig::default();
    config.custom_setup = Box::new(move |file| {
        let file = file.to_owned();
        async move { open(&file, statement_timeout, false).await }.boxed()
    });
    config.recycling_method = RecyclingMethod::Fast;
    let manager = AsyncDieselConnectionManager::new_with_config(file.to_string_lossy(), config);
    let builder = Pool::builder(manager).max_size(CONNECTIONS).wait_timeout(Some(WAIT));
    let builder = builder.runtime(deadpool::Runtime::Tokio1);
    builder.build().map_err(|error| StoreError::Unreachable(error.to_string()))
}

/// Opens the file; `create` makes it where there is none.
///
/// Source of the settings: <https://www.sqlite.org/pragma.html>. With `synchronous = EXTRA` a commit is on
/// the disk before it returns, also where the file system allows no write-ahead log.
pub(super) async fn open(
    file: &str,
    statement_timeout: Duration,
    create: bool,
) -> ConnectionResult<SyncConnectionWrapper<SqliteConnection>> {
    if !create && !Path::new(file).exists() {
        return Err(ConnectionError::BadConnection(format!("there is no file {file}")));
    }
    let mut connection = SyncConnectionWrapper::<SqliteConnection>::establish(file).await?;
    let settings = format!(
        "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = EXTRA; PRAGMA cache_size = -{CACHE_KIB}",
        statement_timeout.as_millis()
    );
    let refused = |error| ConnectionError::BadConnection(format!("{file}: {error}"));
    connection.batch_execute(&settings).await.map_err(refused)?;
    Ok(connection)
}
