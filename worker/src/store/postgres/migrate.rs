//! The schema's version. Operators migrate; workers only check.

use diesel::QueryableByName;
use diesel::migration::{Migration as _, MigrationSource};
use diesel::pg::Pg;
use diesel::result::Error;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use secrecy::SecretString;

use super::PgStore;
use crate::store::{Migrated, Refusal, StoreError, WorkerName, migration_failed as failed};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Version of the newest migration in this program.
pub(super) fn wanted() -> Result<String, StoreError> {
    let migrations = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(|error| failed(&*error))?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).max().unwrap_or_default())
}

#[derive(QueryableByName)]
struct Exists {
    #[diesel(sql_type = Bool)]
    found: bool,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Refuses a database in which a pupil's name could not be written.
pub(super) async fn check_database(store: &PgStore) -> Result<(), StoreError> {
    let query = "SELECT current_setting('server_encoding') AS version";
    let Version { version: encoding } =
        store.run(true, async |connection| diesel::sql_query(query).get_result(connection).await).await?;
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(StoreError::Refused(Refusal {
        kind: format!("the database's encoding is {encoding}; it must be UTF8"),
        ..Refusal::default()
    }))
}

/// Version of the newest migration in the database; `None` when it was never migrated.
pub(super) async fn version(connection: &mut AsyncPgConnection) -> Result<Option<String>, Error> {
    let table = diesel::sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS found");
    let Exists { found } = table.get_result(connection).await?;
    if !found {
        return Ok(None);
    }
    let newest = "SELECT coalesce(max(version), 'none') AS version FROM __diesel_schema_migrations";
    let Version { version } = diesel::sql_query(newest).get_result(connection).await?;
    Ok(Some(version))
}

/// Brings the tables and views of the database at `url` to this program's version.
///
/// # Errors
/// [`StoreError`]; each migration is one transaction, so what was applied stays whole.
pub async fn migrate(url: &SecretString) -> Result<Migrated, StoreError> {
    let name = WorkerName::of_this_process();
    let store = PgStore::new(url, 1, PgStore::STATEMENT_TIMEOUT * 30, name)?;
    check_database(&store).await?;
    let connection = deadpool::managed::Object::take(store.connection().await?);
    let mut harness = AsyncMigrationHarness::new(connection);
    // The harness drives the connection from its own blocking calls.
    let applied = tokio::task::block_in_place(|| {
        let applied = harness.run_pending_migrations(MIGRATIONS);
        applied.map(|versions| versions.iter().map(ToString::to_string).collect::<Vec<_>>())
    });
    let applied = applied.map_err(|error| failed(&*error))?;
    Ok(Migrated { applied, version: wanted()? })
}
