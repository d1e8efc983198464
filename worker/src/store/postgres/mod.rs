//! The ERP store on PostgreSQL.

use std::time::Duration;

use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use secrecy::SecretString;

use super::sql_store::SqlStore;
use super::{StoreError, WorkerName};

#[path = "../common/mod.rs"]
mod common;
mod connect;
mod dialect;
mod migrate;

pub use migrate::migrate;

type Connection = AsyncPgConnection;
type Backend = diesel::pg::Pg;

/// A PostgreSQL database that events are applied to.
pub type PgStore = SqlStore<AsyncDieselConnectionManager<Connection>>;

impl PgStore {
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
        Ok(Self::over(connect::pool(url, connections, statement_timeout)?, worker, statement_timeout))
    }
}
