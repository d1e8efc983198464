//! The ERP store in one SQLite file, for a school without a database server.

use std::path::Path;
use std::time::Duration;

use diesel::SqliteConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use secrecy::{ExposeSecret as _, SecretString};

use super::sql_store::SqlStore;
use super::{StoreError, WorkerName};

mod backup;
#[path = "../common/mod.rs"]
mod common;
mod connect;
mod dialect;
mod migrate;

pub use backup::backup;
pub use migrate::migrate;

type Connection = SyncConnectionWrapper<SqliteConnection>;
type Backend = diesel::sqlite::Sqlite;

/// How the address of a SQLite file begins; its path follows.
pub const SCHEME: &str = "sqlite:";

/// A SQLite file that events are applied to.
pub type SqliteStore = SqlStore<AsyncDieselConnectionManager<Connection>>;

impl SqliteStore {
    /// The store in the file that `url` (`sqlite:` and a path) names; opened when first used, and never made: that is
    /// [`migrate`]'s.
    ///
    /// # Errors
    /// [`StoreError::Unreachable`] when the pool cannot be made.
    pub fn new(
        url: &SecretString,
        statement_timeout: Duration,
        worker: WorkerName,
    ) -> Result<Self, StoreError> {
        Ok(Self::over(connect::pool(path_of(url), statement_timeout)?, worker, statement_timeout))
    }
}

/// The file that an address names.
pub fn path_of(url: &SecretString) -> &Path {
    let url = url.expose_secret();
    Path::new(url.strip_prefix(SCHEME).unwrap_or(url))
}
