//! The SQLite store, on real files.

#![expect(clippy::expect_used, reason = "a panic is the report")]

use std::collections::BTreeSet;
use std::sync::Arc;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection};
use jodo_worker::entities::{ENTITIES, SETS, VIEWS};
use jodo_worker::store::inspect::{AnyRow, Inspect as _};
use jodo_worker::store::sqlite::SqliteStore;
use jodo_worker::store::{Store as _, StoreError, WorkerName, conformance, migrate};
use jodo_worker::testing::PUPILS_OF_ALL_KINDS;
use secrecy::SecretString;
use tempfile::TempDir;

struct File {
    _folder: TempDir,
    path: String,
    url: SecretString,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("erp.db").display().to_string();
        let url = format!("sqlite:{path}").into();
        Self { _folder: folder, path, url }
    }

    async fn migrated() -> (Self, SqliteStore) {
        let file = Self::new();
        migrate(&file.url).await.expect("migrated");
        let store = file.store();
        (file, store)
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::new(&self.url, SqliteStore::STATEMENT_TIMEOUT, WorkerName::of_this_process())
            .expect("a store")
    }

    fn connection(&self) -> SqliteConnection {
        let mut connection = SqliteConnection::establish(&self.path).expect("opened");
        connection.batch_execute("PRAGMA busy_timeout = 20000").expect("set");
        connection
    }
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_passes_the_suite_of_what_operators_do() {
    let (_file, store) = File::migrated().await;
    conformance::maintain::exercise(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_passes_the_store_conformance_suite() {
    let (_file, store) = File::migrated().await;
    conformance::exercise(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn migration_and_declaration_name_the_same_columns() {
    let (file, _store) = File::migrated().await;
    let mut connection = file.connection();
    let mut columns = |table: &str| -> BTreeSet<String> {
        let query = format!("SELECT name FROM pragma_table_info('{table}')");
        let found: Vec<Column> = diesel::sql_query(query).load(&mut connection).expect("columns");
        found.into_iter().map(|column| column.name).collect()
    };
    for entity in ENTITIES {
        let mut declared: BTreeSet<String> =
            entity.key.iter().chain([&"tenant"]).map(|key| (*key).to_owned()).collect();
        for register in entity.registers {
            declared.insert(format!("{}_clock", register.name));
            declared.extend(register.columns.iter().map(|column| column.name.to_owned()));
        }
        declared.extend(entity.facts.iter().map(|fact| format!("{}_clock", fact.name)));
        assert_eq!(columns(&format!("jodo_r_{}", entity.name)), declared);
    }
    for set in SETS {
        let declared = set.columns.iter().chain([&"tenant"]).map(|column| (*column).to_owned()).collect();
        assert_eq!(columns(&format!("jodo_s_{}", set.name)), declared);
    }
    for view in VIEWS {
        assert!(!columns(view).is_empty(), "{view}");
    }
}

#[tokio::test]
async fn pupils_are_read_under_the_same_keys_both_ways() {
    let (file, store) = File::migrated().await;
    file.connection().batch_execute(PUPILS_OF_ALL_KINDS).expect("executed");
    let forth = store.view("jodo_pupil_keys").await.expect("the view");
    let back = store.view("jodo_i_read_keys").await.expect("the view");
    assert_eq!(forth.len(), 7);
    assert_eq!(BTreeSet::from_iter(back), BTreeSet::from_iter(forth));
}

#[test]
fn the_views_are_the_same_text_for_every_database() {
    let views = |database: &str| {
        let folder = format!("{}/migrations/{database}", env!("CARGO_MANIFEST_DIR"));
        let mut folders: Vec<_> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        folders.retain(|path| path.to_string_lossy().ends_with("_views"));
        folders.sort();
        let text =
            |path: &std::path::PathBuf| std::fs::read_to_string(path.join("up.sql")).expect("a migration");
        folders.iter().map(text).collect::<Vec<_>>()
    };
    assert!(!views("sqlite").is_empty());
    assert_eq!(views("sqlite"), views("postgres"));
}

#[tokio::test(flavor = "multi_thread")]
async fn manual_payments_of_the_first_version_keep_their_lines() {
    let file = File::new();
    let mut connection = file.connection();
    for statements in [
        include_str!("../migrations/sqlite/2026-11-24-000001_tables/up.sql"),
        include_str!("../migrations/sqlite/2026-11-24-000002_views/up.sql"),
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
         run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP); \
         INSERT INTO __diesel_schema_migrations (version) VALUES ('20261124000001'), ('20261124000002')",
        r#"INSERT INTO jodo_r_manual_payments (tenant, payment_id, details, details_paise, details_clock) VALUES
           ('main', 'p', '[{"amount":"9.50","fee_component":"BUS"},{"amount":"0.55"},{}]', 1005, '000000000001.10.x')"#,
    ] {
        connection.batch_execute(statements).expect("executed");
    }
    migrate(&file.url).await.expect("migrated");
    let lines = file.store().view("jodo_fee_lines").await.expect("the view");
    let cell = |row: &AnyRow, column: &str| row[column].clone().unwrap_or_default();
    let mut found: Vec<_> = lines.iter().map(|row| [cell(row, "component"), cell(row, "amount")]).collect();
    found.sort();
    assert_eq!(found, [["", ""], ["", "0.55"], ["BUS", "9.50"]].map(|line| line.map(str::to_owned)));
    let payments = file.store().view("jodo_manual_payments").await.expect("the view");
    assert_eq!(cell(&payments[0], "amount"), "10.05");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_fails_where_a_commit_would() {
    let (file, store) = File::migrated().await;
    let cases = [
        ("ALTER TABLE jodo_s_student_ids RENAME TO away", "ALTER TABLE away RENAME TO jodo_s_student_ids"),
        ("ALTER TABLE jodo_workers RENAME TO away", "ALTER TABLE away RENAME TO jodo_workers"),
        (
            "CREATE TABLE kept AS SELECT * FROM __diesel_schema_migrations; DELETE FROM __diesel_schema_migrations",
            "INSERT INTO __diesel_schema_migrations SELECT * FROM kept; DROP TABLE kept",
        ),
    ];
    for (break_it, mend_it) in cases {
        file.connection().batch_execute(break_it).expect(break_it);
        let error = store.probe().await.expect_err(break_it);
        assert!(matches!(error, StoreError::Refused(_) | StoreError::Schema { .. }), "{break_it}: {error}");
        file.connection().batch_execute(mend_it).expect(mend_it);
        assert_eq!(store.probe().await, Ok(()), "{mend_it}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_there_is_said_to_be_so_and_not_made() {
    let file = File::new();
    let error = file.store().probe().await.expect_err("there is no file");
    assert!(matches!(&error, StoreError::Unreachable(why) if why.contains("there is no file")), "{error}");
    assert!(!std::path::Path::new(&file.path).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_is_a_write_ahead_log() {
    let (file, _store) = File::migrated().await;
    #[derive(QueryableByName)]
    struct Mode {
        #[diesel(sql_type = diesel::sql_types::Text)]
        journal_mode: String,
    }
    // The journal's mode is kept in the file; `synchronous` is each connection's own and shown with strace.
    let mode: Mode =
        diesel::sql_query("PRAGMA journal_mode").get_result(&mut file.connection()).expect("a mode");
    assert_eq!(mode.journal_mode, "wal");
}
