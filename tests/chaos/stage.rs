//! What a fault is inflicted on: services that stay, and programs and a database of a run's own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jodo_shared::ids::TargetName;
use jodo_test_support::{
    FaultProxy, Postgres, Process, RabbitMq, Redis, TestDatabase, free_port, fresh_database_on, unique_name,
};
use jodo_worker::store::maintain::Maintain;
use jodo_worker::store::{self, WorkerName, migrate};
use secrecy::SecretString;
use tempfile::TempDir;

use crate::inflict::clock::Clock;

pub(crate) const SECRET: &str = "the secret of the chaos";
/// The sender's next secret, which every program knows already.
pub(crate) const NEXT_SECRET: &str = "the secret after that";
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(120);

/// Servers that many runs share, each with a wire that can be cut.
pub(crate) struct Services {
    pub(crate) rabbitmq: RabbitMq,
    pub(crate) redis: Redis,
    pub(crate) postgres: Postgres,
    pub(crate) to_rabbitmq: FaultProxy,
    pub(crate) to_redis: FaultProxy,
    pub(crate) to_postgres: FaultProxy,
}

impl Services {
    pub(crate) async fn start() -> Self {
        let (rabbitmq, redis, postgres) = tokio::join!(RabbitMq::start(), Redis::start(), Postgres::start());
        let to_rabbitmq = FaultProxy::in_front_of(rabbitmq.url()).await;
        let to_redis = FaultProxy::in_front_of(redis.url()).await;
        let to_postgres = FaultProxy::in_front_of(postgres.url()).await;
        Self { rabbitmq, redis, postgres, to_rabbitmq, to_redis, to_postgres }
    }
}

/// One of our programs, which can be started again at the same addresses.
pub(crate) struct Program {
    name: &'static str,
    settings: Vec<(String, String)>,
    arguments: Vec<String>,
    pub(crate) process: Process,
}

impl Program {
    fn start(name: &'static str, settings: Vec<(String, String)>, arguments: Vec<String>) -> Self {
        let process = Process::start(command(name, &settings, &arguments));
        Self { name, settings, arguments, process }
    }

    /// Starts it anew; what ran before is killed if it still does.
    pub(crate) fn start_again(&mut self) {
        self.process = Process::start(command(self.name, &self.settings, &self.arguments));
    }
}

fn command(name: &str, settings: &[(String, String)], arguments: &[String]) -> Command {
    let path: PathBuf = Path::new(env!("CARGO_BIN_EXE_jodo-sync")).with_file_name(name);
    assert!(path.exists(), "{name} is not built: run `make test`, or `cargo build --workspace` first");
    let mut command = Command::new(path);
    for (key, _) in std::env::vars_os() {
        if key.to_string_lossy().starts_with("JODO_SYNC") {
            command.env_remove(key);
        }
    }
    command.envs(settings.iter().map(|(key, value)| (key, value))).args(arguments);
    command
}

/// In which of its two shapes jodo-sync runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    Cluster,
    OneProgram,
}

/// The programs of one run.
pub(crate) struct Stage {
    pub(crate) shape: Shape,
    /// Two that share a spool; or the one program.
    pub(crate) ingresses: Vec<Program>,
    pub(crate) workers: Vec<Program>,
    /// Where deliveries go, one for each of `ingresses`.
    pub(crate) urls: Vec<String>,
    pub(crate) target: TargetName,
    /// The database, not through its proxy.
    pub(crate) database: String,
    /// Spool, or data folder.
    pub(crate) folder: PathBuf,
    private: Vec<u16>,
    operator: Vec<(String, String)>,
    operator_arguments: Vec<String>,
    _database: Option<TestDatabase>,
    _folder: TempDir,
}

impl Stage {
    /// Two ingresses and two workers. `folder` replaces the spool's own.
    pub(crate) async fn cluster(services: &Services, folder: Option<&Path>, clock: Option<&Clock>) -> Self {
        let database = fresh_database_on(services.postgres.url()).await;
        migrate(&database.url.clone().into()).await.expect("migrated");
        let own = tempfile::tempdir().expect("a folder");
        let folder = folder.unwrap_or(own.path()).to_owned();
        let name = unique_name("chaos");
        let mut settings = settings_of(&[
            ("BROKER__URL", &services.to_rabbitmq.reroute(services.rabbitmq.url())),
            ("REDIS__URL", &services.to_redis.reroute(services.redis.url())),
            ("REDIS__PREFIX", &name),
            (&format!("ERP__{}__URL", name.to_uppercase()), &services.to_postgres.reroute(&database.url)),
            ("INGRESS__SPOOL_DIR", &folder.display().to_string()),
            ("INGRESS__SPOOL_MIN_FREE", "0"),
            ("SOURCES__JODO__SECRETS", &format!("[\"{SECRET}\", \"{NEXT_SECRET}\"]")),
            ("SOURCES__JODO__TARGET", &name),
            ("SOURCES__JODO__ENVIRONMENT", "test"),
        ]);
        settings.extend(clock.map(Clock::environment).unwrap_or_default());
        let mut stage = Self {
            shape: Shape::Cluster,
            ingresses: Vec::new(),
            workers: Vec::new(),
            urls: Vec::new(),
            target: name.parse().expect("a name"),
            database: database.url.clone(),
            folder,
            private: Vec::new(),
            operator: settings.clone(),
            operator_arguments: Vec::new(),
            _database: Some(database),
            _folder: own,
        };
        for _ in 0..2 {
            let (public, private) = (free_port(), free_port());
            let mut settings = settings.clone();
            settings.extend(settings_of(&[
                ("INGRESS__LISTEN", &format!("127.0.0.1:{public}")),
                ("INGRESS__PRIVATE_LISTEN", &format!("127.0.0.1:{private}")),
            ]));
            stage.ingresses.push(Program::start("jodo-ingress", settings, Vec::new()));
            stage.urls.push(format!("http://127.0.0.1:{public}/webhooks/jodo"));
            stage.private.push(private);
        }
        for _ in 0..2 {
            let mut settings = settings.clone();
            let private = format!("127.0.0.1:{}", free_port());
            settings.extend(settings_of(&[("WORKER__PRIVATE_LISTEN", &private)]));
            stage.workers.push(Program::start("jodo-worker", settings, Vec::new()));
        }
        stage.ready().await;
        stage
    }

    /// The one program, in a folder of its own, or in `folder`.
    pub(crate) async fn one_program(folder: Option<&Path>, clock: Option<&Clock>) -> Self {
        let own = tempfile::tempdir().expect("a folder");
        let folder = folder.unwrap_or(own.path()).join("data");
        let (public, private) = (free_port(), free_port());
        let mut settings = settings_of(&[
            ("INGRESS__LISTEN", &format!("127.0.0.1:{public}")),
            ("INGRESS__PRIVATE_LISTEN", &format!("127.0.0.1:{private}")),
            ("INGRESS__SPOOL_MIN_FREE", "0"),
            ("SOURCES__JODO__SECRETS", &format!("[\"{SECRET}\", \"{NEXT_SECRET}\"]")),
        ]);
        settings.extend(clock.map(Clock::environment).unwrap_or_default());
        let arguments = vec!["--data-dir".to_owned(), folder.display().to_string()];
        let stage = Self {
            shape: Shape::OneProgram,
            ingresses: vec![Program::start("jodo-sync", settings.clone(), arguments.clone())],
            workers: Vec::new(),
            urls: vec![format!("http://127.0.0.1:{public}/webhooks/jodo")],
            target: "main".parse().expect("a name"),
            database: format!("sqlite:{}", folder.join("jodo.db").display()),
            folder,
            private: vec![private],
            operator: settings,
            operator_arguments: arguments,
            _database: None,
            _folder: own,
        };
        stage.ready().await;
        stage
    }

    /// Waits until every ingress takes deliveries.
    pub(crate) async fn ready(&self) {
        for private in &self.private {
            let url = format!("http://127.0.0.1:{private}/readyz");
            let asking = async {
                let mut ticks = tokio::time::interval(Duration::from_millis(50));
                while !reqwest::get(&url).await.is_ok_and(|answer| answer.status() == 200) {
                    ticks.tick().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), asking).await.expect("it gets ready");
        }
    }

    /// The database, as an operator has it.
    pub(crate) fn store(&self) -> Arc<dyn Maintain> {
        let url = SecretString::from(self.database.clone());
        store::open(&url, 2, STATEMENT_TIMEOUT, WorkerName::of_this_process()).expect("a store")
    }

    /// Runs the operator's program, which must do it well, and returns what it said.
    pub(crate) async fn operate(&self, arguments: &[&str]) -> String {
        let mut all = self.operator_arguments.clone();
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        let mut command = command("jodo-sync", &self.operator, &all);
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
        let output = output.expect("jodo-sync runs");
        let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said)).concat();
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    }
}

fn settings_of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| (format!("JODO_SYNC__{key}"), (*value).to_owned())).collect()
}
