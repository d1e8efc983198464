//! The ERP store on PostgreSQL.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::Pool;
use jiff::Timestamp;
use jodo_shared::ids::DeliveryKey;
use jodo_shared::outcome::Reason;
use secrecy::SecretString;

use super::{Due, Refusal, Store, StoreError, Write, Written};

mod connect;
mod due;
pub mod inspect;
mod migrate;
mod probe;
pub mod reads;
mod write;

pub use migrate::{Migrated, migrate};

/// How a worker names itself in `jodo_workers`: host and process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerName(String);

impl WorkerName {
    /// The name of this process.
    pub fn of_this_process() -> Self {
        Self(format!("{}-{}", gethostname::gethostname().to_string_lossy(), std::process::id()))
    }

    /// The name as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A PostgreSQL database that events are applied to.
pub struct PgStore {
    pool: Pool<AsyncPgConnection>,
    worker: WorkerName,
    started_at: Timestamp,
    statement_timeout: Duration,
}

impl PgStore {
    /// A statement that runs longer is cancelled by the server; so is one that waits longer for a lock.
    pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(20);

    /// A store at `url` with at most `connections` connections; connects when first used.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] when the pool cannot be made.
    pub fn new(
        url: &SecretString,
        connections: usize,
        statement_timeout: Duration,
        worker: WorkerName,
    ) -> Result<Self, StoreError> {
        let pool = connect::pool(url, connections, statement_timeout)?;
        Ok(Self { pool, worker, started_at: jodo_shared::clock::now(), statement_timeout })
    }

    async fn connection(&self) -> Result<connect::Connection, StoreError> {
        self.pool.get().await.map_err(|error| StoreError::Unreachable(error.to_string()))
    }

    /// Runs `work` on a pooled connection. After an error the connection is closed, not reused: what state it is in
    /// is not known. `sentences` keeps the database's own words: only where the statements carry no data.
    async fn run<R, F>(&self, sentences: bool, work: F) -> Result<R, StoreError>
    where
        F: AsyncFnOnce(&mut AsyncPgConnection) -> Result<R, diesel::result::Error>,
    {
        let mut connection = self.connection().await?;
        let started = Instant::now();
        // The server cancels a slow statement; a server or proxy that has fallen silent cancels nothing.
        let worked = tokio::time::timeout(self.statement_timeout * 3, work(&mut connection)).await;
        match worked {
            Ok(Ok(result)) => Ok(result),
            failed => {
                drop(deadpool::managed::Object::take(connection));
                let timed_out = started.elapsed() >= self.statement_timeout;
                Err(match failed {
                    Ok(Err(error)) if !timed_out => describe(&error, sentences),
                    _ => StoreError::TimedOut,
                })
            }
        }
    }
}

/// What may be kept of a driver error. Its message may quote a value, so it is kept only with `sentences`.
fn describe(error: &diesel::result::Error, sentences: bool) -> StoreError {
    use diesel::result::Error::{DatabaseError, DeserializationError, NotFound, SerializationError};
    let of_kind = |kind: &str| Refusal { kind: kind.to_owned(), ..Refusal::default() };
    StoreError::Refused(match error {
        DatabaseError(kind, information) => Refusal {
            kind: format!("{kind:?}"),
            table: information.table_name().map(str::to_owned),
            column: information.column_name().map(str::to_owned),
            constraint: information.constraint_name().map(str::to_owned),
            sentence: sentences.then(|| information.message().to_owned()),
        },
        SerializationError(_) => of_kind("SerializationError"),
        DeserializationError(_) => of_kind("DeserializationError"),
        NotFound => of_kind("NotFound"),
        _ => of_kind("Other"),
    })
}

#[async_trait]
impl Store for PgStore {
    async fn probe(&self) -> Result<(), StoreError> {
        probe::probe(self).await
    }

    async fn report_pause(&self, because: &str) -> Result<(), StoreError> {
        probe::report_pause(self, because).await
    }

    async fn settled(&self, keys: &[DeliveryKey]) -> Result<HashSet<DeliveryKey>, StoreError> {
        write::settled(self, keys).await
    }

    async fn write(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        write::write(self, write).await
    }

    async fn take_due(&self, now: Timestamp) -> Result<Option<Due>, StoreError> {
        due::take_due(self, now).await
    }

    async fn put_back(&self, key: DeliveryKey, due_at: Timestamp, reason: Reason) -> Result<(), StoreError> {
        due::put_back(self, key, due_at, reason).await
    }

    async fn return_to_retrying(&self, keys: &[DeliveryKey], due_at: Timestamp) -> Result<(), StoreError> {
        due::return_to_retrying(self, keys, due_at).await
    }

    async fn brake_holds(&self, since: Timestamp) -> Result<bool, StoreError> {
        due::brake_holds(self, since).await
    }

    async fn dump(&self) -> Result<Vec<String>, StoreError> {
        inspect::dump(self).await
    }
}
