//! A copy of the file while it is in use.

use std::path::Path;

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl as _;
use secrecy::SecretString;

use super::{SqliteStore, connect, path_of};
use crate::store::StoreError;

/// Writes a copy of the file that `url` names, as of one instant, to `to`, which must not be there yet.
///
/// Source: <https://www.sqlite.org/lang_vacuum.html#vacuuminto>.
///
/// # Errors
/// [`StoreError`]; what is at `to` is then of no use.
pub async fn backup(url: &SecretString, to: &Path) -> Result<(), StoreError> {
    let unreachable = |error: &dyn std::fmt::Display| StoreError::Unreachable(error.to_string());
    let file = path_of(url).to_string_lossy();
    let opened = connect::open(&file, SqliteStore::STATEMENT_TIMEOUT * 30, false).await;
    let mut connection = opened.map_err(|error| unreachable(&error))?;
    let copy = diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(to.to_string_lossy());
    copy.execute(&mut connection).await.map_err(|error| unreachable(&error))?;
    Ok(())
}
