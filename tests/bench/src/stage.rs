//! The services, and our programs as they run in production: release builds, default configuration.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jodo_shared::broker::amqp::QueueDepths;
use jodo_shared::broker::amqp::topology::queue_name;
use jodo_shared::ids::{SourceName, TargetName};
use jodo_test_support::{Postgres, RabbitMq, Redis, TestDatabase, free_port, fresh_database_on, unique_name};
use jodo_worker::store::migrate;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::program::Program;

/// What every delivery of a measurement is signed with.
pub(crate) const SECRET: &str = "the secret of the measurements";
/// The source that deliveries come in for.
pub(crate) const SOURCE: &str = "jodo";
pub(crate) const PATH: &str = "/webhooks/jodo";

/// RabbitMQ, Redis and PostgreSQL of this run, all with their data on disk.
pub(crate) struct Services {
    pub(crate) rabbitmq: RabbitMq,
    pub(crate) redis: Redis,
    pub(crate) postgres: Postgres,
}

impl Services {
    pub(crate) async fn start() -> Self {
        let (rabbitmq, redis, postgres) =
            tokio::join!(RabbitMq::start(), Redis::start(), Postgres::start_durable());
        Self { rabbitmq, redis, postgres }
    }

    /// A connection as PostgreSQL's superuser.
    pub(crate) async fn admin(&self) -> anyhow::Result<(Client, tokio::task::JoinHandle<()>)> {
        connect(self.postgres.url()).await
    }
}

/// A connection to the database at `url`; it lives as long as the client.
pub(crate) async fn connect(url: &str) -> anyhow::Result<(Client, tokio::task::JoinHandle<()>)> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("connect to PostgreSQL")?;
    // It ends with the client, and what goes wrong with it the client says.
    let serving = tokio::spawn(async move {
        connection.await.ok();
    });
    Ok((client, serving))
}

/// An ERP database of a measurement's own, its queue, and a folder for the spool.
pub(crate) struct Stage {
    pub(crate) target: TargetName,
    pub(crate) database: TestDatabase,
    _folder: TempDir,
    amqp_url: String,
    settings: Vec<(String, String)>,
}

impl Stage {
    pub(crate) async fn new(services: &Services) -> anyhow::Result<Self> {
        let database = fresh_database_on(services.postgres.url()).await;
        migrate(&database.url.clone().into()).await?;
        let name = unique_name("bench");
        let folder = tempfile::tempdir()?;
        let settings = [
            ("BROKER__URL", services.rabbitmq.url()),
            ("REDIS__URL", services.redis.url()),
            ("REDIS__PREFIX", &name),
            (&format!("ERP__{}__URL", name.to_uppercase()), &database.url),
            ("INGRESS__SPOOL_DIR", &folder.path().join("spool").display().to_string()),
            ("SOURCES__JODO__SECRETS", SECRET),
            ("SOURCES__JODO__TARGET", &name),
            ("SOURCES__JODO__ENVIRONMENT", "test"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let amqp_url = services.rabbitmq.url().to_owned();
        Ok(Self { target: name.parse()?, database, _folder: folder, amqp_url, settings: settings.to_vec() })
    }

    /// The same stage as seen by programs that cannot reach RabbitMQ.
    pub(crate) fn without_rabbitmq(&self) -> Vec<(String, String)> {
        let nobody = format!("amqp://127.0.0.1:{}/%2f", free_port());
        let mut settings = self.settings.clone();
        settings.push(("BROKER__URL".to_owned(), nobody));
        settings
    }

    /// An ingress that takes deliveries.
    pub(crate) async fn ingress(&self) -> anyhow::Result<Program> {
        Self::ingress_with(self.settings.clone()).await
    }

    /// An ingress with other settings than the stage's.
    pub(crate) async fn ingress_with(mut settings: Vec<(String, String)>) -> anyhow::Result<Program> {
        let (public, private) = (free_port(), free_port());
        settings.push(("INGRESS__LISTEN".to_owned(), format!("127.0.0.1:{public}")));
        settings.push(("INGRESS__PRIVATE_LISTEN".to_owned(), format!("127.0.0.1:{private}")));
        let program = Program::start("jodo-ingress", &settings, &[], public, private)?;
        program.ready().await?;
        Ok(program)
    }

    /// A worker that has begun; it takes what is in the queue at once.
    pub(crate) fn worker(&self) -> anyhow::Result<Program> {
        let mut settings = self.settings.clone();
        let private = free_port();
        settings.push(("WORKER__PRIVATE_LISTEN".to_owned(), format!("127.0.0.1:{private}")));
        Program::start("jodo-worker", &settings, &[], 0, private)
    }

    /// Runs a command of jodo-sync, which must end well.
    pub(crate) async fn operate(&self, arguments: &[&str]) -> anyhow::Result<String> {
        Program::run("jodo-sync", &self.settings, arguments).await
    }

    pub(crate) fn queue(&self) -> String {
        queue_name(&self.target)
    }

    /// Waits until so many messages wait in the queue, and no more.
    ///
    /// # Errors
    /// When it is another number even after a while.
    pub(crate) async fn queued(&self, wanted: usize) -> anyhow::Result<()> {
        let mut depths = QueueDepths::new(self.amqp_url.clone().into());
        let mut found = None;
        // Ten minutes: after (b) an ingress relays hundreds of thousands.
        for _ in 0..6_000 {
            found = depths.of(&self.queue()).await?;
            if found == u32::try_from(wanted).ok() {
                depths.close().await;
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::bail!("{wanted} deliveries were accepted, and {found:?} are in the queue")
    }

    /// The judgement of a measurement: every one of these many events has its row, and is applied.
    ///
    /// # Errors
    /// When one is missing, or is not.
    pub(crate) async fn judge(&self, events: usize) -> anyhow::Result<()> {
        let (client, _connection) = connect(&self.database.url).await?;
        let row = client
            .query_one("SELECT count(*), count(*) FILTER (WHERE outcome = 'applied') FROM jodo_events", &[])
            .await?;
        let (rows, applied): (i64, i64) = (row.get(0), row.get(1));
        ensure!(
            rows == events as i64 && applied == rows,
            "{events} events were accepted; {rows} have a row, {applied} are applied"
        );
        Ok(())
    }

    /// [`Stage::judge`], once that many events have a row, or a minute later.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn judge_in_time(&self, events: usize) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        for _ in 0..600 {
            ticks.tick().await;
            if self.judge(events).await.is_ok() {
                return Ok(());
            }
        }
        self.judge(events).await
    }

    pub(crate) fn amqp_url(&self) -> &str {
        &self.amqp_url
    }
}

/// The source's name as a type.
///
/// # Errors
/// Never: it is a name.
pub(crate) fn source() -> anyhow::Result<SourceName> {
    Ok(SOURCE.parse()?)
}

/// The program of that name that was built together with this one.
///
/// # Errors
/// When it was not.
pub(crate) fn built(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is missing: `make bench` builds it", path.display());
    Ok(path)
}
