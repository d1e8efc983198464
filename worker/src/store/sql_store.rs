//! What the stores have in common: a pool, a worker's name, and one way to run a round of work.

use std::time::{Duration, Instant};

use deadpool::managed::{Manager, Object, Pool};
use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::pooled_connection::PoolError;
use jiff::Timestamp;

use super::{Refusal, StoreError, WorkerName};

/// An ERP database behind a pool of the connections that `M` makes.
pub struct SqlStore<M: Manager> {
    pool: Pool<M>,
    pub(super) worker: WorkerName,
    pub(super) started_at: Timestamp,
    statement_timeout: Duration,
}

impl<M: Manager<Error = PoolError>> SqlStore<M> {
    /// A statement that runs longer is given up; so is one that waits longer for a lock.
    pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(20);

    pub(super) fn over(pool: Pool<M>, worker: WorkerName, statement_timeout: Duration) -> Self {
        Self { pool, worker, started_at: jodo_shared::clock::now(), statement_timeout }
    }

    pub(super) async fn connection(&self) -> Result<Object<M>, StoreError> {
        self.pool.get().await.map_err(|error| StoreError::Unreachable(error.to_string()))
    }

    /// Runs `work` on a pooled connection. After an error the connection is closed, not reused: what state it is in
    /// is not known. `sentences` keeps the database's own words: only where the statements carry no data.
    pub(super) async fn run<R, F>(&self, sentences: bool, work: F) -> Result<R, StoreError>
    where
        F: AsyncFnOnce(&mut M::Type) -> Result<R, Error>,
    {
        let mut connection = self.connection().await?;
        let started = Instant::now();
        // The server cancels a slow statement; a server or proxy that has fallen silent cancels nothing.
        let worked = tokio::time::timeout(self.statement_timeout * 3, work(&mut connection)).await;
        match worked {
            Ok(Ok(result)) => Ok(result),
            failed => {
                drop(Object::take(connection));
                let timed_out = started.elapsed() >= self.statement_timeout;
                Err(match failed {
                    Ok(Err(error)) if !timed_out => describe(&error, sentences),
                    _ => StoreError::TimedOut,
                })
            }
        }
    }
}

/// SQLite's words for a disk that is full or fails (`sqlite3ErrStr`); no word on what was to be written.
const DISK: [&str; 2] = ["database or disk is full", "disk I/O error"];

/// What may be kept of a driver error. Its message may quote a value, so it is kept only with `sentences`.
fn describe(error: &Error, sentences: bool) -> StoreError {
    use Error::{DatabaseError, DeserializationError, NotFound, SerializationError};
    let of_kind = |kind: &str| Refusal { kind: kind.to_owned(), ..Refusal::default() };
    StoreError::Refused(match error {
        // What the drivers call every error that is not the database's own answer.
        DatabaseError(DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection, _) => {
            return StoreError::Unreachable("the connection was lost".to_owned());
        }
        DatabaseError(_, information) if DISK.contains(&information.message()) => {
            return StoreError::Unreachable(information.message().to_owned());
        }
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
