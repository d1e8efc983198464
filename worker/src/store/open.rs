//! Which store an address means.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use super::maintain::Maintain;
use super::postgres::{self, PgStore};
use super::sqlite::{self, SCHEME, SqliteStore};
use super::{Migrated, StoreError, WorkerName};

/// Whether the address is that of a SQLite file.
pub fn is_file(url: &SecretString) -> bool {
    url.expose_secret().starts_with(SCHEME)
}

/// The store at `url`: `sqlite:` and the path of a file, or a PostgreSQL address, then with at most `connections`
/// connections. Connects when first used.
///
/// # Errors
/// [`StoreError::Unreachable`] when the address cannot be used at all.
pub fn open(
    url: &SecretString,
    connections: usize,
    statement_timeout: Duration,
    worker: WorkerName,
) -> Result<Arc<dyn Maintain>, StoreError> {
    if is_file(url) {
        return Ok(Arc::new(SqliteStore::new(url, statement_timeout, worker)?));
    }
    Ok(Arc::new(PgStore::new(url, connections, statement_timeout, worker)?))
}

/// Brings the tables and views of the database at `url` to this program's version; makes a SQLite file that is not
/// there.
///
/// # Errors
/// [`StoreError`]; each migration is one transaction, so what was applied stays whole.
pub async fn migrate(url: &SecretString) -> Result<Migrated, StoreError> {
    if is_file(url) { sqlite::migrate(url).await } else { postgres::migrate(url).await }
}
