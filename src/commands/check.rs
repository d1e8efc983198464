//! `jodo-sync check`: the configuration in force, and whether everything it names can be reached.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use anyhow::anyhow;
use jodo_shared::broker::spool;
use jodo_shared::config::{Broker, Config, ConfigErrors, Needs, Redis};
use jodo_shared::ids::TargetName;
use jodo_worker::store::StoreError;
use redis::AsyncConnectionConfig;
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use crate::one_program::DataDir;
use crate::wording::count;
use crate::{Exit, queues, targets};

/// How long Redis may take to connect and to answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// Prints the configuration without its secrets, then a line for each connection. Reads only. `data` is the folder of the
/// one program, if that is what is looked at.
///
/// # Errors
/// When the configuration cannot be used at all, with every mistake in it.
pub async fn run(
    load: impl Fn(Needs) -> anyhow::Result<Config>,
    data: Option<&DataDir>,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let config = load(Needs::Nothing)?;
    writeln!(out, "# The configuration in force; secrets are not shown.\n\n{}", config.redacted())?;
    let mut report = Report { out, wrong: false };
    match data {
        Some(data) => report.one_program(data, &config)?,
        None => report.cluster(&load, &config).await?,
    }
    if config.erp.is_empty() {
        report.note("erp.main.url is not configured, so no ERP database was tried")?;
    }
    for (name, erp) in &config.erp {
        let found = targets::open(name, erp)?.check_schema().await;
        report.database(name, found)?;
    }
    Ok(if report.wrong { Exit::Wrong } else { Exit::Well })
}

/// What is wrong with a configuration, if that is all that went wrong.
fn mistakes(loaded: anyhow::Result<Config>) -> anyhow::Result<Option<ConfigErrors>> {
    match loaded {
        Ok(_) => Ok(None),
        Err(error) => error.downcast().map(Some),
    }
}

/// Every target that has a database, or that a source names.
fn targets_of(config: &Config) -> Vec<&TargetName> {
    let mut all: Vec<_> =
        config.erp.keys().chain(config.sources.values().map(|source| &source.target)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

struct Report<'a> {
    out: &'a mut dyn Write,
    wrong: bool,
}

impl Report<'_> {
    fn good(&mut self, what: impl Display) -> io::Result<()> {
        writeln!(self.out, "✓ {what}")
    }

    fn bad(&mut self, what: impl Display, to_do: &str) -> io::Result<()> {
        self.wrong = true;
        writeln!(self.out, "✗ {what}\n    {to_do}")
    }

    fn note(&mut self, what: impl Display) -> io::Result<()> {
        writeln!(self.out, "· {what}")
    }

    fn one_program(&mut self, data: &DataDir, config: &Config) -> io::Result<()> {
        self.good(format!("jodo-sync runs everything in one process, in {}", data.path().display()))?;
        match spool::look(&config.ingress.spool_dir) {
            Ok(look) if look.corrupt_files == 0 => {
                self.good(format!("spool: {} in use", count(look.files, "file", "files")))
            }
            Ok(look) => self.bad(
                format!(
                    "spool: {} set aside",
                    count(look.corrupt_files, "unreadable file", "unreadable files")
                ),
                "docs/SMALL-SCHOOL.md says what to do.",
            ),
            Err(error) => self.bad(format!("spool: {error}"), "Is it on a disk that works and has room?"),
        }
    }

    async fn cluster(
        &mut self,
        load: &impl Fn(Needs) -> anyhow::Result<Config>,
        config: &Config,
    ) -> anyhow::Result<()> {
        self.programs(mistakes(load(Needs::Ingress))?, mistakes(load(Needs::Worker))?)?;
        match &config.broker {
            Some(broker) => self.broker(broker, &targets_of(config)).await?,
            None => self.note("broker.url is not configured, so RabbitMQ was not tried")?,
        }
        match &config.redis {
            Some(redis) => self.redis(redis).await?,
            None => self.note("redis.url is not configured: repeats are found by the ERP database alone")?,
        }
        Ok(())
    }

    /// A file may be for one of the two programs only; for neither it is of no use.
    fn programs(&mut self, ingress: Option<ConfigErrors>, worker: Option<ConfigErrors>) -> io::Result<()> {
        self.wrong |= ingress.is_some() && worker.is_some();
        for (program, errors) in [("jodo-ingress", ingress), ("jodo-worker", worker)] {
            match errors {
                None => self.good(format!("{program} can start with this configuration"))?,
                Some(errors) => {
                    self.note(format!("{program} would not start with this configuration:"))?;
                    errors.iter().try_for_each(|error| writeln!(self.out, "    {error}"))?;
                }
            }
        }
        Ok(())
    }

    async fn broker(&mut self, broker: &Broker, targets: &[&TargetName]) -> io::Result<()> {
        let depths = match queues::look(broker, targets).await {
            Ok(depths) => depths,
            Err(error) => {
                return self.bad(
                    format!("RabbitMQ: {error}"),
                    "Is it running at broker.url, with this user, password and virtual host?",
                );
            }
        };
        self.good("RabbitMQ: connected")?;
        for (target, depths) in targets.iter().zip(depths) {
            let queue = format!("RabbitMQ, queue of {target}");
            let said = match depths.waiting {
                Some(waiting) => self.good(format!("{queue}: there, with {waiting} waiting")),
                None => self.note(format!("{queue}: not there yet; ingress and worker make it")),
            };
            said?;
        }
        Ok(())
    }

    async fn redis(&mut self, redis: &Redis) -> io::Result<()> {
        match ping(redis).await {
            Ok(()) => self.good("Redis: answers"),
            Err(error) => self.bad(
                format!("Redis: {error:#}"),
                "Is it running at redis.url, with this password? Without it the worker works, only harder.",
            ),
        }
    }

    fn database(&mut self, name: &TargetName, found: Result<String, StoreError>) -> io::Result<()> {
        let error = match found {
            Ok(version) => return self.good(format!("erp.{name}: connected, schema version {version}")),
            Err(error) => error,
        };
        let to_do = match &error {
            StoreError::Schema { .. } => {
                "The tables are made, or brought up to date, by `jodo-sync migrate`."
            }
            StoreError::Unreachable(_) => {
                "Is the database running at this address, with this user and password?"
            }
            _ => "Ask who looks after this database; the words above are its own.",
        };
        self.bad(format!("erp.{name}: {error}"), to_do)
    }
}

async fn ping(redis: &Redis) -> anyhow::Result<()> {
    let client = redis::Client::open(redis.url.expose_secret())
        .map_err(|error| anyhow!("redis.url cannot be used: {}", error.category()))?;
    let settings = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(DEADLINE))
        .set_response_timeout(Some(DEADLINE));
    let connecting = client.get_multiplexed_async_connection_with_config(&settings);
    let mut connection = timeout(DEADLINE, connecting).await.map_err(|_| anyhow!("no answer"))??;
    Ok(redis::cmd("PING").query_async(&mut connection).await?)
}
