//! The schema's version. `jodo-sync` migrates its own files when it starts; workers only check.

use diesel::QueryableByName;
use diesel::migration::{Migration as _, MigrationSource};
use diesel::result::Error;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use secrecy::SecretString;

use super::{Connection, SqliteStore, connect, path_of};
use crate::store::{Migrated, StoreError, migration_failed as failed};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Version of the newest migration in this program.
pub(super) fn wanted() -> Result<String, StoreError> {
    let migrations = MigrationSource::<Sqlite>::migrations(&MIGRATIONS).map_err(|error| failed(&*error))?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).max().unwrap_or_default())
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Nothing to refuse: a SQLite file of ours is in UTF-8.
pub(super) async fn check_database(_: &SqliteStore) -> Result<(), StoreError> {
    Ok(())
}

/// Version of the newest migration in the file; `None` when it was never migrated.
pub(super) async fn version(connection: &mut Connection) -> Result<Option<String>, Error> {
    let table = "SELECT name AS version FROM sqlite_master WHERE name = '__diesel_schema_migrations'";
    let found: Vec<Version> = diesel::sql_query(table).load(connection).await?;
    if found.is_empty() {
        return Ok(None);
    }
    let newest = "SELECT coalesce(max(version), 'none') AS version FROM __diesel_schema_migrations";
    let Version { version } = diesel::sql_query(newest).get_result(connection).await?;
    Ok(Some(version))
}

/// Brings the tables and views in the file that `url` names to this program's version; makes the file if it is not there.
///
/// # Errors
/// [`StoreError`]; each migration is one transaction, so what was applied stays whole.
pub async fn migrate(url: &SecretString) -> Result<Migrated, StoreError> {
    let file = path_of(url).to_string_lossy();
    let opened = connect::open(&file, SqliteStore::STATEMENT_TIMEOUT * 30, true).await;
    let mut connection = opened.map_err(|error| StoreError::Unreachable(error.to_string()))?;
    let applied = connection
        .spawn_blocking(|connection| {
            let applied = connection.run_pending_migrations(MIGRATIONS);
            let applied = applied.map_err(Error::QueryBuilderError)?;
            Ok(applied.iter().map(ToString::to_string).collect::<Vec<_>>())
        })
        .await;
    let applied = applied.map_err(|error| failed(&error))?;
    Ok(Migrated { applied, version: wanted()? })
}
