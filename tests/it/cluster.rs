//! One ingress and some workers as real processes, on queues, a database and ids of their own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use jodo_test_support::school::{Answers, Sent, send};
use jodo_test_support::{Process, Services, TestDatabase, free_port, fresh_database, unique_name};
use jodo_worker::store::Store as _;
use jodo_worker::store::WorkerName;
use jodo_worker::store::postgres::{PgStore, migrate};
use secrecy::SecretString;
use tokio_postgres::NoTls;

/// How long anything may take before the test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);
pub(crate) const SECRET: &str = "canary-secret-of-the-tests";

/// Where the services are; a test that breaks one puts its own here.
pub(crate) struct Places {
    pub(crate) amqp: String,
    pub(crate) redis: String,
    pub(crate) database: String,
}

pub(crate) struct Cluster {
    settings: Vec<(String, String)>,
    pub(crate) database: String,
    pub(crate) target: String,
    pub(crate) url: String,
    pub(crate) ingress: Process,
    pub(crate) workers: Vec<Process>,
    private: u16,
    /// Folder that the ingresses share.
    _spool: tempfile::TempDir,
    _database: Option<TestDatabase>,
}

impl Cluster {
    /// A cluster on the services that all tests share.
    pub(crate) async fn start(workers: usize) -> Self {
        Self::start_with(workers, &[]).await
    }

    /// The same, with more settings.
    pub(crate) async fn start_with(workers: usize, settings: &[(&str, &str)]) -> Self {
        let database = fresh_database().await;
        migrate(&SecretString::from(database.url.clone())).await.expect("migrated");
        let services = Services::from_env();
        let places = Places {
            amqp: services.amqp_url().await.to_owned(),
            redis: services.redis_url().await.to_owned(),
            database: database.url.clone(),
        };
        let mut cluster = Self::at(places, workers, settings).await;
        cluster._database = Some(database);
        cluster.ready().await;
        cluster
    }

    /// A cluster on services that need not be there yet.
    pub(crate) async fn at(places: Places, workers: usize, more: &[(&str, &str)]) -> Self {
        let (public, private) = (free_port(), free_port());
        let target = unique_name("it");
        let spool = tempfile::tempdir().expect("a folder");
        let mut settings: Vec<(String, String)> = [
            ("BROKER__URL", places.amqp.as_str()),
            // A machine under load may take longer than a second; what a slow broker does is tested elsewhere.
            ("BROKER__CONFIRM_TIMEOUT_MS", "30000"),
            ("REDIS__URL", &places.redis),
            ("REDIS__PREFIX", &target),
            (&format!("ERP__{}__URL", target.to_uppercase()), &places.database),
            ("INGRESS__LISTEN", &format!("127.0.0.1:{public}")),
            ("INGRESS__PRIVATE_LISTEN", &format!("127.0.0.1:{private}")),
            ("INGRESS__SPOOL_DIR", &spool.path().display().to_string()),
            ("INGRESS__SPOOL_MIN_FREE", "0"),
            ("SOURCES__JODO__SECRETS", SECRET),
            ("SOURCES__JODO__TARGET", &target),
            ("SOURCES__JODO__ENVIRONMENT", "test"),
            ("LOG__FILTER", "info,jodo_shared=debug,jodo_ingress=debug,jodo_worker=debug"),
        ]
        .into_iter()
        .map(|(key, value)| (format!("JODO_SYNC__{key}"), value.to_owned()))
        .collect();
        settings.extend(more.iter().map(|(key, value)| (format!("JODO_SYNC__{key}"), (*value).to_owned())));
        let ingress = Process::start(command("jodo-ingress", &settings));
        let mut cluster = Self {
            settings,
            database: places.database,
            target,
            url: format!("http://127.0.0.1:{public}/webhooks/jodo"),
            ingress,
            workers: Vec::new(),
            private,
            _spool: spool,
            _database: None,
        };
        for _ in 0..workers {
            cluster.add_worker();
        }
        cluster
    }

    /// Starts one more ingress, which shares the spool's folder, and returns it and where it takes deliveries.
    pub(crate) async fn another_ingress(&self) -> (Process, String) {
        let (public, private) = (free_port(), free_port());
        let mut command = command("jodo-ingress", &self.settings);
        command.env("JODO_SYNC__INGRESS__LISTEN", format!("127.0.0.1:{public}"));
        command.env("JODO_SYNC__INGRESS__PRIVATE_LISTEN", format!("127.0.0.1:{private}"));
        let process = Process::start(command);
        is_ready(private).await;
        (process, format!("http://127.0.0.1:{public}/webhooks/jodo"))
    }

    /// Starts one more worker.
    pub(crate) fn add_worker(&mut self) {
        let mut command = command("jodo-worker", &self.settings);
        command.env("JODO_SYNC__WORKER__PRIVATE_LISTEN", format!("127.0.0.1:{}", free_port()));
        self.workers.push(Process::start(command));
    }

    /// The operator's program, with this cluster's settings.
    pub(crate) fn operator(&self) -> Command {
        command("jodo-sync", &self.settings)
    }

    /// Waits until the ingress says that it is ready.
    pub(crate) async fn ready(&self) {
        is_ready(self.private).await;
    }

    /// Posts deliveries; see [`send`].
    pub(crate) async fn send(&self, history: &[Sent], order: &[usize]) -> Answers {
        send(&self.url, SECRET, history, order, 64).await.expect("a client")
    }

    /// One row of one query, as text.
    pub(crate) async fn ask(&self, query: &str) -> Option<String> {
        let (client, connection) = tokio_postgres::connect(&self.database, NoTls).await.ok()?;
        let serving = tokio::spawn(connection);
        let answer = client.query_one(&format!("SELECT ({query})::text"), &[]).await;
        drop(client);
        serving.await.ok()?.ok()?;
        answer.ok()?.get(0)
    }

    /// The same on the server's own database, where databases are made and dropped.
    pub(crate) async fn execute_on_server(&self, statements: &[&str]) {
        let mut server = url::Url::parse(&self.database).expect("a URL");
        server.set_path("postgres");
        let (client, connection) = tokio_postgres::connect(server.as_str(), NoTls).await.expect("connected");
        tokio::spawn(connection);
        for statement in statements {
            client.batch_execute(statement).await.expect("executed");
        }
    }

    /// Statements without an answer.
    pub(crate) async fn execute(&self, statements: &str) {
        let (client, connection) = tokio_postgres::connect(&self.database, NoTls).await.expect("connected");
        tokio::spawn(connection);
        client.batch_execute(statements).await.expect("executed");
    }

    /// Waits until the inbox has `count` rows and none of them is still to be tried.
    ///
    /// Then gathers the statistics that the views' plans rest on. Autovacuum does it once a minute: until then a server
    /// that was just made joins every row with every other.
    pub(crate) async fn settled(&self, count: usize) {
        let query = "SELECT count(*) || ' rows, retrying ' || count(*) FILTER (WHERE outcome = 'retrying') FROM jodo_events";
        let wanted = format!("{count} rows, retrying 0");
        until(&wanted, async || self.ask(query).await.is_some_and(|found| found == wanted)).await;
        self.execute("ANALYZE").await;
    }

    /// The canonical dump.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let url = SecretString::from(self.database.clone());
        let name = WorkerName::of_this_process();
        let store = PgStore::new(&url, 1, PgStore::STATEMENT_TIMEOUT, name).expect("a store");
        store.dump().await.expect("a dump")
    }
}

async fn is_ready(private: u16) {
    let url = format!("http://127.0.0.1:{private}/readyz");
    until("the ingress is ready", async || reqwest::get(&url).await.is_ok_and(|a| a.status() == 200)).await;
}

/// Asks again and again until the answer is yes.
///
/// # Panics
/// At the deadline.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let asking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            if condition().await {
                return;
            }
        }
    };
    assert!(tokio::time::timeout(DEADLINE, asking).await.is_ok(), "not within {DEADLINE:?}: {what}");
}

/// One of our programs, built beside `jodo-sync` by `make test`.
pub(crate) fn command(program: &str, settings: &[(String, String)]) -> Command {
    let path: PathBuf = Path::new(env!("CARGO_BIN_EXE_jodo-sync")).with_file_name(program);
    assert!(path.exists(), "{program} is not built: run `make test`, or `cargo build --workspace` first");
    let mut command = Command::new(path);
    for (key, _) in std::env::vars_os() {
        if key.to_string_lossy().starts_with("JODO_SYNC") {
            command.env_remove(key);
        }
    }
    command.envs(settings.iter().map(|(key, value)| (key, value)));
    command
}
