//! A database with events in it, and the commands run on it.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use clap::Parser as _;
use jodo_shared::clock::now;
use jodo_shared::config::{Config, Needs};
use jodo_shared::contract::peek;
use jodo_shared::ids::{DeliveryKey, SourceName};
use jodo_shared::message::Message;
use jodo_sync::cli::Cli;
use jodo_sync::{Exit, run};
use jodo_test_support::{TestDatabase, fresh_database};
use jodo_worker::decide::{SourceRules, decide};
use jodo_worker::event::{Event, held};
use jodo_worker::fold::fold;
use jodo_worker::store::maintain::Maintain;
use jodo_worker::store::postgres::PgStore;
use jodo_worker::store::{self, Store, WorkerName, Write, Written};
use secrecy::SecretString;
use serde_json::Value;
use tempfile::NamedTempFile;

pub(crate) const REGISTERED: &str = include_str!("../fixtures/events/masterdata.student.registered.json");
pub(crate) const PAID: &str = include_str!("../fixtures/events/direct.payment.added.json");

/// A migrated database, and the configuration that names it.
pub(crate) struct School {
    pub(crate) database: TestDatabase,
    pub(crate) config: NamedTempFile,
    pub(crate) store: PgStore,
}

impl School {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// `more` goes into the configuration.
    pub(crate) async fn with(more: &str) -> Self {
        let database = fresh_database().await;
        let mut config = NamedTempFile::new().expect("a file");
        write!(config, "[erp.main]\nurl = '{}'\n[sources.jodo]\nsecrets = ['hush']\n{more}", database.url)
            .expect("written");
        let url = SecretString::from(database.url.clone());
        let store = PgStore::new(&url, 2, PgStore::STATEMENT_TIMEOUT, WorkerName::of_this_process());
        let school = Self { database, config, store: store.expect("a store") };
        assert_eq!(school.run(&["migrate"]).await.0, Exit::Well);
        school
    }

    /// The same database, as commands open it.
    pub(crate) fn again(&self) -> Arc<dyn Maintain> {
        let url = SecretString::from(self.database.url.clone());
        store::open(&url, 2, PgStore::STATEMENT_TIMEOUT, WorkerName::of_this_process()).expect("a store")
    }

    pub(crate) async fn run(&self, args: &[&str]) -> (Exit, String) {
        run_with(self.config.path(), args).await.expect("no error")
    }

    pub(crate) async fn json(&self, args: &[&str]) -> Value {
        let (_, text) = self.run(args).await;
        serde_json::from_str(&text).expect("JSON")
    }

    /// Applies a delivery as a worker does.
    pub(crate) async fn apply(&self, body: &str) -> DeliveryKey {
        apply_to(&self.store, self.config.path(), body).await
    }

    /// The one text that a query of the database returns.
    pub(crate) async fn ask(&self, query: &str) -> String {
        self.client().await.query_one(query, &[]).await.expect("an answer").get(0)
    }

    pub(crate) async fn execute(&self, statements: &str) {
        self.client().await.batch_execute(statements).await.expect("executed");
    }

    async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) =
            tokio_postgres::connect(&self.database.url, tokio_postgres::NoTls).await.expect("connected");
        tokio::spawn(connection);
        client
    }

    pub(crate) async fn hold(&self, body: &str) {
        self.hold_signed(body, None).await;
    }

    /// Holds a delivery that came with this signature.
    pub(crate) async fn hold_signed(&self, body: &str, signature: Option<&str>) {
        let signature = signature.map(|signature| signature.parse().expect("a signature"));
        let held = [held(&Message { signature, ..message(body) })];
        let write = Write { unverified: &held, ..Write::default() };
        assert_eq!(self.store.write(&write).await, Ok(Written::Committed));
    }
}

/// Applies a delivery to the database behind `store`, under the rules of a configuration.
pub(crate) async fn apply_to(store: &dyn Store, config: &Path, body: &str) -> DeliveryKey {
    let message = message(body);
    let config = Config::load_from(Some(config), Needs::Nothing).expect("a configuration");
    let rules = SourceRules::from(&config.sources[&message.source]);
    let event = Event::decided(&message, decide(&message, Some(&rules)));
    let write = Write { projections: fold(&event.changes), events: vec![&event.row], unverified: &[] };
    assert_eq!(store.write(&write).await, Ok(Written::Committed));
    message.key
}

pub(crate) async fn run_with(config: &Path, args: &[&str]) -> anyhow::Result<(Exit, String)> {
    let config = config.to_str().expect("a path in UTF-8");
    // A data folder in the working directory is somebody's own.
    let line =
        ["jodo-sync", "--data-dir", "/nowhere", "--config", config].into_iter().chain(args.iter().copied());
    let cli = Cli::try_parse_from(line).expect("a good command line");
    let mut out = Vec::new();
    let command = cli.command.as_ref().expect("a command");
    let exit = run(&cli, command, &mut out).await?;
    Ok((exit, String::from_utf8(out).expect("UTF-8")))
}

pub(crate) fn message(body: &str) -> Message {
    let source: SourceName = "jodo".parse().expect("a name");
    let body = Bytes::copy_from_slice(body.as_bytes());
    Message {
        key: DeliveryKey::of(&source, &body),
        source,
        tenant: "main".parse().expect("a tenant"),
        target: "main".parse().expect("a name"),
        received_at: now(),
        peeked: peek(&body),
        verified: true,
        signature: None,
        redrive: false,
        trace: None,
        body,
    }
}

/// A fixture with members replaced.
pub(crate) fn changed(fixture: &str, changes: &[(&str, Value)]) -> String {
    let mut body: Value = serde_json::from_str(fixture).expect("JSON");
    for (pointer, value) in changes {
        *body.pointer_mut(pointer).expect("a member") = value.clone();
    }
    body.to_string()
}
