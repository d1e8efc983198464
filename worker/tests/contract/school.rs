//! A school's ERP database: give it bodies, look at its views.

use std::collections::BTreeSet;
use std::sync::Arc;

use jodo_shared::ids::DeliveryKey;
use jodo_shared::outcome::Outcome;
use jodo_test_support::{TestDatabase, fresh_database};
use jodo_worker::commit::commit_batch;
use jodo_worker::decide::{Decision, decide};
use jodo_worker::entities::VIEWS;
use jodo_worker::event::Event;
use jodo_worker::store::inspect::{EventFilter, Inspect};
use jodo_worker::target::Target;
use jodo_worker::testing::{message, target};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The branches that feed the database; each is a source and a tenant of its own.
const BRANCHES: [&str; 2] = ["main", "kochi"];

/// No rows.
pub(crate) const NOTHING: [&str; 0] = [];

/// What the database lives in, for as long as it is needed.
enum Home {
    File(#[expect(dead_code, reason = "removed when dropped")] TempDir),
    Server(#[expect(dead_code, reason = "removed when dropped")] TestDatabase),
}

/// An ERP database and what fills it.
pub(crate) struct School {
    pub(crate) store: Arc<dyn Inspect>,
    target: Target,
    _home: Home,
}

impl School {
    pub(crate) async fn on_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("erp.db").display());
        Self::at(url, Home::File(folder)).await
    }

    pub(crate) async fn on_postgres() -> Self {
        let database = fresh_database().await;
        Self::at(database.url.clone(), Home::Server(database)).await
    }

    async fn at(url: String, home: Home) -> Self {
        let (store, target) = target(&url, &BRANCHES).await;
        Self { store, target, _home: home }
    }

    /// A database that has received these events; each was applied.
    pub(crate) async fn with(bodies: &[Value]) -> Self {
        let school = Self::on_sqlite().await;
        school.apply(bodies).await;
        school
    }

    /// Receives events, each of which is applied without a warning.
    pub(crate) async fn apply(&self, bodies: &[Value]) {
        for body in bodies {
            let decision = self.receive(&body.to_string()).await;
            assert_eq!(decision.outcome, Outcome::Applied, "{:?} {:?}", decision.reason, decision.detail);
            assert_eq!(decision.warnings, [], "{body}");
        }
    }

    /// Receives a body of any kind.
    pub(crate) async fn receive(&self, body: &str) -> Decision {
        self.receive_at("main", body).await
    }

    /// Receives a body at the address of a branch.
    pub(crate) async fn receive_at(&self, branch: &str, body: &str) -> Decision {
        let message = message(branch, branch, body.to_owned());
        let decision = decide(&message, self.target.rules.get(&message.source));
        let event = Event::decided(&message, decision.clone());
        commit_batch(&self.target, &[event]).await.expect("not interrupted");
        decision
    }

    /// The rows of a view, in order: the values of some of its columns, `a | b | c`, `-` for null.
    pub(crate) async fn rows(&self, view: &'static str, columns: &str) -> Vec<String> {
        let rows = self.store.view(view).await.expect("the view");
        let mut rows: Vec<_> = rows
            .into_iter()
            .map(|row| {
                let value = |column| row.get(column).expect("a column").as_deref().unwrap_or("-");
                columns.split_whitespace().map(value).collect::<Vec<_>>().join(" | ")
            })
            .collect();
        rows.sort();
        rows
    }

    /// Everything that any view shows.
    pub(crate) async fn everything(&self) -> BTreeSet<String> {
        let mut everything = BTreeSet::new();
        for view in VIEWS {
            let rows = self.store.view(view).await.expect("the view").into_iter();
            everything.extend(rows.map(|row| format!("{view} {row:?}")));
        }
        everything
    }

    /// Every view shows this and nothing else.
    pub(crate) async fn assert_shows(&self, wanted: &BTreeSet<String>) {
        let found = self.everything().await;
        let differing: Vec<_> = found.symmetric_difference(wanted).collect();
        assert!(differing.is_empty(), "{differing:#?}");
    }

    /// Outcome, reason, member and body of each stored event.
    pub(crate) async fn stored(&self) -> Vec<(String, String)> {
        let filter = EventFilter { limit: 100, ..EventFilter::default() };
        let mut stored = Vec::new();
        for listed in self.store.events(&filter).await.expect("events") {
            let event = self.store.event(&listed.delivery_key).await.expect("an event").remove(0);
            let [reason, detail] = [event.reason, event.detail].map(Option::unwrap_or_default);
            let ending = format!("{} {reason} {detail}", event.outcome).trim_end().to_owned();
            stored.push((ending, String::from_utf8(event.body.expect("a body")).expect("text")));
        }
        stored.sort();
        stored
    }
}

/// The sender's sample of a code.
pub(crate) fn sample(code: &str) -> Value {
    let path = format!("{}/../tests/fixtures/events/{code}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("a sample")).expect("JSON")
}

/// The sample with some members, named by JSON pointers, replaced or added.
pub(crate) fn sample_with<const N: usize>(code: &str, members: [(&str, Value); N]) -> Value {
    let mut body = sample(code);
    for (pointer, value) in members {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        match body.pointer_mut(parent).expect("an object or a list") {
            Value::Array(elements) => elements[name.parse::<usize>().expect("a place")] = value,
            object => object[name] = value,
        }
    }
    body
}

/// A body with this payload, at this Unix time. Its id follows from the rest.
pub(crate) fn event(code: &str, time: i64, payload: &Value) -> Value {
    let source = "main".parse().expect("a name");
    let id = DeliveryKey::of(&source, format!("{code} {time} {payload}").as_bytes()).short();
    json!({"event_id": id, "event": code, "timestamp": time, "version": "1.0", "payload": payload})
}
