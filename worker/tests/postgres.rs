//! The PostgreSQL store, on a real server.

#![expect(clippy::expect_used, reason = "a panic is the report")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jodo_test_support::{TestDatabase, fresh_database};
use jodo_worker::entities::{ENTITIES, SETS, VIEWS};
use jodo_worker::fold::TableBatch;
use jodo_worker::store::WorkerName;
use jodo_worker::store::inspect::{AnyRow, Inspect as _};
use jodo_worker::store::postgres::{PgStore, migrate};
use jodo_worker::store::{Store, StoreError, Write, conformance};
use jodo_worker::table::ColumnType;
use jodo_worker::testing::PUPILS_OF_ALL_KINDS;
use secrecy::SecretString;
use tokio_postgres::NoTls;

async fn migrated() -> (TestDatabase, PgStore) {
    let database = fresh_database().await;
    migrate(&SecretString::from(database.url.clone())).await.expect("migrated");
    let store = store_at(&database.url);
    (database, store)
}

fn store_at(url: &str) -> PgStore {
    let url = SecretString::from(url.to_owned());
    PgStore::new(&url, 4, Duration::from_secs(20), WorkerName::of_this_process()).expect("a store")
}

async fn sql(database: &TestDatabase, statements: &str) {
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("connected");
    let serving = tokio::spawn(connection);
    client.batch_execute(statements).await.expect("executed");
    drop(client);
    serving.await.expect("no panic").expect("closed in order");
}

/// How PostgreSQL would answer a query.
async fn plan(database: &TestDatabase, query: &str) -> String {
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("connected");
    tokio::spawn(connection);
    let lines = client.query(&format!("EXPLAIN {query}"), &[]).await.expect("a plan");
    lines.iter().map(|line| line.get::<_, String>(0) + "\n").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_passes_the_suite_of_what_operators_do() {
    let (_database, store) = migrated().await;
    conformance::maintain::exercise(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_passes_the_store_conformance_suite() {
    let (_database, store) = migrated().await;
    conformance::exercise(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schema_migration_and_declaration_name_the_same_columns() {
    let (database, _store) = migrated().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("connected");
    tokio::spawn(connection);
    let query = "SELECT table_name::text, column_name::text, data_type::text, coalesce(collation_name, '')::text \
                 FROM information_schema.columns WHERE table_name LIKE 'jodo\\_%'";
    let rows = client.query(query, &[]).await.expect("columns");
    let column = |row: &tokio_postgres::Row| [0, 1, 2, 3].map(|i| row.get::<_, String>(i));
    let found: BTreeSet<[String; 4]> = rows.iter().map(column).collect();
    let of_table = |table: &str| -> BTreeSet<[String; 3]> {
        let columns = found.iter().filter(|[name, ..]| name == table);
        columns.map(|[_, name, kind, collation]| [name.clone(), kind.clone(), collation.clone()]).collect()
    };
    let text = |name: &str| [name.to_owned(), "text".to_owned(), "C".to_owned()];
    let typed = |name: &str, kind: &str| [name.to_owned(), kind.to_owned(), String::new()];

    for entity in ENTITIES {
        let mut declared: BTreeSet<_> = entity.key.iter().chain([&"tenant"]).map(|key| text(key)).collect();
        for register in entity.registers {
            declared.insert(text(&format!("{}_clock", register.name)));
            declared.extend(register.columns.iter().map(|column| match column.kind {
                ColumnType::Text | ColumnType::Instant => text(column.name),
                ColumnType::Money => typed(column.name, "numeric"),
                ColumnType::Integer => typed(column.name, "bigint"),
                ColumnType::Date => typed(column.name, "date"),
            }));
        }
        declared.extend(entity.facts.iter().map(|fact| text(&format!("{}_clock", fact.name))));
        assert_eq!(of_table(&format!("jodo_r_{}", entity.name)), declared);
    }
    for set in SETS {
        let declared: BTreeSet<_> =
            set.columns.iter().chain([&"tenant"]).map(|column| text(column)).collect();
        assert_eq!(of_table(&format!("jodo_s_{}", set.name)), declared);
    }
    for view in VIEWS {
        assert!(!of_table(view).is_empty(), "{view}");
    }
}

/// Joined with a list of all pupils' keys instead, a view took minutes where the planner had no statistics.
#[tokio::test(flavor = "multi_thread")]
async fn a_pupils_key_is_looked_up_row_by_row() {
    let (database, _store) = migrated().await;
    let plan = plan(&database, "SELECT * FROM jodo_pupil_keys").await;
    assert!(plan.contains("SubPlan") && !plan.contains("Group") && !plan.contains("Join"), "{plan}");
}

/// By `jodo_pupil_keys` it went through all pupils, hundreds of milliseconds in a
/// large group.
#[tokio::test(flavor = "multi_thread")]
async fn one_pupil_is_looked_up_in_the_indexes() {
    let (database, _store) = migrated().await;
    let look = "SELECT * FROM jodo_students WHERE tenant = 'main' AND pupil_key = 'erp:S1'";
    let plan = plan(&database, look).await;
    assert!(plan.contains("jodo_s_student_ids_read_key") && !plan.contains("Seq Scan"), "{plan}");
}

/// Joined with the lines of all payments, the view took minutes in a large group.
#[tokio::test(flavor = "multi_thread")]
async fn a_manual_payments_receipt_reads_no_lines() {
    let (database, _store) = migrated().await;
    let look = "SELECT * FROM jodo_receipts WHERE counts_as = 'manual'";
    let plan = plan(&database, look).await;
    assert!(plan.contains("jodo_r_manual_payments"), "{plan}");
    assert!(!plan.contains("jodo_r_settlements") && !plan.contains("jodo_s_fee_lines"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pupils_are_read_under_the_same_keys_both_ways() {
    let (database, store) = migrated().await;
    sql(&database, PUPILS_OF_ALL_KINDS).await;
    let forth = store.view("jodo_pupil_keys").await.expect("the view");
    let back = store.view("jodo_i_read_keys").await.expect("the view");
    assert_eq!(forth.len(), 7);
    assert_eq!(BTreeSet::from_iter(back), BTreeSet::from_iter(forth));
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_go_up_and_up_again_without_harm() {
    let (database, store) = migrated().await;
    conformance::exercise(Arc::new(store)).await;
    let before = store_at(&database.url).dump().await.expect("a dump");
    let again = migrate(&SecretString::from(database.url.clone())).await.expect("migrated again");
    assert_eq!(again.applied, Vec::<String>::new());
    assert_eq!(store_at(&database.url).dump().await.expect("a dump"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn manual_payments_of_the_first_version_keep_their_lines() {
    let database = fresh_database().await;
    for statements in [
        include_str!("../migrations/postgres/2026-11-24-000001_tables/up.sql"),
        include_str!("../migrations/postgres/2026-11-24-000002_views/up.sql"),
        "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY NOT NULL, \
         run_on timestamp NOT NULL DEFAULT current_timestamp); \
         INSERT INTO __diesel_schema_migrations (version) VALUES ('20261124000001'), ('20261124000002')",
        r#"INSERT INTO jodo_r_manual_payments (tenant, payment_id, details, details_paise, details_clock) VALUES
           ('main', 'p', '[{"amount":"9.50","fee_component":"BUS"},{"amount":"0.55"},{}]', 1005, '000000000001.10.x')"#,
    ] {
        sql(&database, statements).await;
    }
    migrate(&SecretString::from(database.url.clone())).await.expect("migrated");
    let store = store_at(&database.url);
    let lines = store.view("jodo_fee_lines").await.expect("the view");
    let cell = |row: &AnyRow, column: &str| row[column].clone().unwrap_or_default();
    let mut found: Vec<_> = lines.iter().map(|row| [cell(row, "component"), cell(row, "amount")]).collect();
    found.sort();
    assert_eq!(found, [["", ""], ["", "0.55"], ["BUS", "9.50"]].map(|line| line.map(str::to_owned)));
    let payments = store.view("jodo_manual_payments").await.expect("the view");
    assert_eq!(cell(&payments[0], "amount"), "10.05");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_its_cause_and_not_what_was_sent_after_it() {
    let (database, store) = migrated().await;
    sql(&database, "ALTER TABLE jodo_r_students ADD CONSTRAINT nobody CHECK (false)").await;
    let rows = |table, rows: &str| TableBatch { table, rows: rows.to_owned() };
    let pupil = r#"[{"tenant": "main", "pupil_key": "erp:one"}]"#;
    let projections = vec![rows("students", pupil), rows("manual_payments", "[]"), rows("fee_lines", "[]")];
    let refused = store.write(&Write { projections, ..Write::default() }).await;
    assert!(
        matches!(&refused, Err(StoreError::Refused(why)) if why.constraint.as_deref() == Some("nobody")),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_fails_where_a_commit_would_and_names_no_value() {
    let (database, store) = migrated().await;
    let cases = [
        (
            "ALTER TABLE jodo_r_students RENAME fullname TO away",
            "ALTER TABLE jodo_r_students RENAME away TO fullname",
        ),
        ("ALTER TABLE jodo_events RENAME outcome TO away", "ALTER TABLE jodo_events RENAME away TO outcome"),
        ("ALTER TABLE jodo_workers RENAME TO away", "ALTER TABLE away RENAME TO jodo_workers"),
        (
            "CREATE TABLE kept AS SELECT * FROM __diesel_schema_migrations; DELETE FROM __diesel_schema_migrations",
            "INSERT INTO __diesel_schema_migrations SELECT * FROM kept; DROP TABLE kept",
        ),
    ];
    for (break_it, mend_it) in cases {
        sql(&database, break_it).await;
        let error = store.probe().await.expect_err(break_it);
        assert!(matches!(error, StoreError::Refused(_) | StoreError::Schema { .. }), "{break_it}: {error}");
        sql(&database, mend_it).await;
        assert_eq!(store.probe().await, Ok(()), "{mend_it}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_fails_on_a_revoked_right_and_on_a_read_only_database() {
    let (database, admin) = migrated().await;
    admin.probe().await.expect("well");
    let role = &database.name;
    sql(
        &database,
        &format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}"
        ),
    )
    .await;
    let mut url = url::Url::parse(&database.url).expect("a URL");
    url.set_username(role).expect("a user");
    url.set_password(Some("x")).expect("a password");
    let store = store_at(url.as_str());
    assert_eq!(store.probe().await, Ok(()));
    sql(&database, &format!("REVOKE INSERT ON jodo_r_manual_payments FROM {role}")).await;
    store.probe().await.expect_err("no right to insert");
    sql(&database, &format!("GRANT INSERT ON jodo_r_manual_payments TO {role}")).await;
    assert_eq!(store.probe().await, Ok(()));
    sql(&database, &format!("ALTER DATABASE {role} SET default_transaction_read_only = on")).await;
    let fresh = store_at(url.as_str());
    fresh.probe().await.expect_err("read-only");
    sql(&database, &format!("BEGIN READ WRITE; ALTER DATABASE {role} RESET ALL; COMMIT")).await;
    assert_eq!(store_at(url.as_str()).probe().await, Ok(()));
    sql(&database, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_database_is_said_to_be_so() {
    let store =
        store_at(&format!("postgres://nobody:secret@127.0.0.1:{}/none", jodo_test_support::free_port()));
    let error = store.probe().await.expect_err("nothing listens there");
    assert!(matches!(error, StoreError::Unreachable(_)));
    assert!(!error.to_string().contains("secret"));
}
