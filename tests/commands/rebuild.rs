//! `rebuild`, on both databases.

use std::sync::Arc;

use jodo_school::run::{Run, Scenario};
use jodo_shared::config::{Config, Needs};
use jodo_sync::Exit;
use jodo_test_support::{TestDatabase, fresh_database};
use jodo_worker::decide::{SourceRules, decide};
use jodo_worker::event::Event;
use jodo_worker::fold::{TableBatch, fold};
use jodo_worker::store::maintain::Maintain;
use jodo_worker::store::postgres::PgStore;
use jodo_worker::store::{WorkerName, Write, Written, open};
use secrecy::SecretString;
use serde_json::json;
use tempfile::TempDir;

use crate::school::{PAID, School, message, run_with};

/// The books of a school that does not exist, in one of the two databases.
struct Books {
    folder: TempDir,
    store: Arc<dyn Maintain>,
    _database: Option<TestDatabase>,
}

impl Books {
    async fn on_postgres() -> Self {
        let database = fresh_database().await;
        let folder = tempfile::tempdir().expect("a folder");
        let url = database.url.clone();
        Self::at(&url, folder, Some(database)).await
    }

    async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("erp.sqlite3").display());
        Self::at(&url, folder, None).await
    }

    async fn at(url: &str, folder: TempDir, database: Option<TestDatabase>) -> Self {
        let text = format!("[erp.main]\nurl = '{url}'\n[sources.jodo]\nsecrets = ['hush']\n");
        std::fs::write(folder.path().join("jodo-sync.toml"), text).expect("written");
        let url = SecretString::from(url.to_owned());
        let store = open(&url, 1, PgStore::STATEMENT_TIMEOUT, WorkerName::of_this_process());
        let books = Self { folder, store: store.expect("a store"), _database: database };
        books.run(&["migrate"]).await;
        books.fill().await;
        books
    }

    /// Applies the year as a worker does, batch by batch.
    async fn fill(&self) {
        let config = Config::load_from(Some(&self.config()), Needs::Nothing).expect("a configuration");
        let rules = SourceRules::from(&config.sources[&"jodo".parse().expect("a name")]);
        let year = Run { seed: 7, students: 60, scenario: Scenario::SchoolYear };
        let bodies: Vec<_> = year.bodies().collect();
        for batch in bodies.chunks(200) {
            let decided = batch.iter().map(|body| message(body));
            let events: Vec<_> =
                decided.map(|message| Event::decided(&message, decide(&message, Some(&rules)))).collect();
            let projections = fold(events.iter().flat_map(|event| &event.changes));
            let rows = events.iter().map(|event| &event.row).collect();
            let write = Write { projections, events: rows, unverified: &[] };
            assert_eq!(self.store.write(&write).await, Ok(Written::Committed));
        }
    }

    fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("jodo-sync.toml")
    }

    async fn run(&self, args: &[&str]) -> (Exit, String) {
        run_with(&self.config(), args).await.expect("no error")
    }

    async fn dump(&self) -> Vec<String> {
        self.store.dump().await.expect("a dump")
    }

    /// Writes rows that no event made.
    async fn damage(&self) {
        let clock = "009999999999.99.ffffffffffffffff";
        let row = |key: &str| json!({ "tenant": "main", "pupil_key": key, "fullname": "X", "fullname_clock": clock });
        let pupil = self.store.view("jodo_students").await.expect("a view");
        let pupil = pupil[0]["pupil_key"].clone().expect("a key");
        let students = json!([row(&pupil), row("erp:nobody")]).to_string();
        let ids = json!([{ "tenant": "main", "jodo_student_id": "0", "identifier": "nobody" }]).to_string();
        let projections = vec![
            TableBatch { table: "students", rows: students },
            TableBatch { table: "student_ids", rows: ids },
        ];
        let write = Write { projections, ..Write::default() };
        assert_eq!(self.store.write(&write).await, Ok(Written::Committed));
    }
}

async fn a_year_is_rebuilt(books: &Books) {
    let healthy = books.dump().await;
    let (exit, text) = books.run(&["rebuild", "--dry-run"]).await;
    assert_eq!(exit, Exit::Well, "{text}");
    assert!(text.ends_with("Every row is as the events make it; nothing was changed.\n"), "{text}");
    assert_eq!(books.run(&["rebuild"]).await.0, Exit::Well);
    assert_eq!(books.dump().await, healthy);

    books.damage().await;
    let damaged = books.dump().await;
    assert_ne!(damaged, healthy);
    let (exit, text) = books.run(&["rebuild", "--dry-run"]).await;
    assert_eq!(exit, Exit::Well);
    for words in [
        "  jodo_r_students          1 row that no event makes, 0 missing, 1 different\n",
        "  jodo_s_student_ids       1 row that no event makes, 0 missing, 0 different\n",
        "Nothing was changed; without --dry-run these tables are replaced.\n",
    ] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert_eq!(books.dump().await, damaged);
    let (exit, text) = books.run(&["rebuild", "--by", "asha"]).await;
    assert_eq!(exit, Exit::Well, "{text}");
    assert!(text.ends_with("Replaced: every row is now as the events make it.\n"), "{text}");
    assert_eq!(books.dump().await, healthy);
    let pause = books.store.orders(&"main".parse().expect("a name"), None).await.expect("read").pause;
    assert_eq!(pause, None, "the pause ends with the rebuild");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_rebuilt_from_its_events() {
    a_year_is_rebuilt(&Books::on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_rebuilt_from_its_events() {
    a_year_is_rebuilt(&Books::on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_deleted_comes_back_and_a_pause_of_somebody_else_stays() {
    let school = School::new().await;
    school.apply(PAID).await;
    let healthy = school.run(&["dump", "--canonical"]).await;
    school.execute("DELETE FROM jodo_r_manual_payments").await;
    school.run(&["pause", "main", "--for", "1h", "--reason", "quiet", "--by", "binu"]).await;
    let (exit, text) = school.run(&["rebuild"]).await;
    assert_eq!(exit, Exit::Well);
    assert!(
        text.contains("jodo_r_manual_payments   0 rows that no event makes, 1 missing, 0 different"),
        "{text}"
    );
    assert_eq!(school.run(&["dump", "--canonical"]).await, healthy);
    assert_eq!(school.ask("SELECT who FROM jodo_pauses").await, "binu");
    let history = school.ask("SELECT was FROM jodo_history WHERE action = 'rebuild'").await;
    assert_eq!(history, "1 events; jodo_r_manual_payments: 0 surplus, 1 missing, 0 different");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_every_body_or_rule_nothing_is_rebuilt() {
    let school = School::new().await;
    school.apply(PAID).await;
    school.execute("DELETE FROM jodo_r_manual_payments").await;
    let without_source = school.config.path().with_extension("other");
    let text = std::fs::read_to_string(school.config.path()).expect("read");
    std::fs::write(&without_source, text.replace("sources.jodo", "sources.other")).expect("written");
    let (exit, text) = run_with(&without_source, &["rebuild"]).await.expect("no error");
    std::fs::remove_file(&without_source).expect("removed");
    assert_eq!(exit, Exit::Wrong);
    assert!(
        text.contains(
            "would not apply all of them; nothing was changed:\n  unknown_source           1 event"
        ),
        "{text}"
    );

    school.execute("UPDATE jodo_events SET body = NULL").await;
    for args in [&["rebuild"][..], &["rebuild", "--dry-run"]] {
        let (exit, text) = school.run(args).await;
        assert_eq!(exit, Exit::Wrong);
        assert!(text.contains("1 of them has lost its body to retention"), "{text}");
    }
    assert_eq!(school.ask("SELECT count(*)::text FROM jodo_r_manual_payments").await, "0");
    assert_eq!(school.ask("SELECT count(*)::text FROM jodo_pauses").await, "0");
}
