//! A throwaway server of a test's own.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;

use anyhow::Context as _;

use crate::docker::{self, Container, Succeeded as _};
use crate::kind::Kind;
use crate::local::Local;
use crate::ports::free_port;
use crate::postgres::{self, Sync};
use crate::ready::{Handshake, until_ready};
use crate::{rabbitmq, redis};

/// What [`RabbitMq`], [`Redis`] and [`Postgres`] have in common.
///
/// Its port and data stay the same through `stop`, `kill` and `start_again`. Dropping it kills it and removes its
/// data. Every method panics with the end of the server's log when it cannot do what its name says.
pub struct Server {
    kind: Kind,
    port: u16,
    url: String,
    host: Host,
}

enum Host {
    Programs(Local),
    Container(Container),
}

impl Server {
    async fn start(kind: Kind, sync: Sync) -> Self {
        if !kind.is_installed() && !docker::works() {
            panic!("{}", kind.how_to_install());
        }
        let started = Self::try_start(kind, sync).await;
        started.unwrap_or_else(|error| panic!("cannot start {kind}: {error:#}"))
    }

    async fn try_start(kind: Kind, sync: Sync) -> anyhow::Result<Self> {
        let port = free_port();
        anyhow::ensure!(
            sync == Sync::Never || kind.is_installed(),
            "a container's settings are not for measuring"
        );
        let host = if !kind.is_installed() {
            Host::Container(Container::run(kind, port).await?)
        } else {
            Host::Programs(match kind {
                Kind::RabbitMq => rabbitmq::prepare(port)?,
                Kind::Redis => redis::prepare(port)?,
                Kind::Postgres => postgres::prepare(port, sync).await?,
            })
        };
        let server = Self { kind, port, url: kind.url(port), host };
        match &server.host {
            Host::Programs(local) => local.start().await?,
            Host::Container(container) => server.container_ready(container).await?,
        }
        Ok(server)
    }

    /// Where to reach it: `amqp://…`, `redis://…`, or `postgres://…/postgres` as its superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Stops it in good order, and returns when it has ended. Does nothing if it was stopped or killed before.
    ///
    /// # Panics
    ///
    /// If it had ended by itself, or needs more than a minute.
    pub async fn stop(&self) {
        self.must(
            "stop",
            match &self.host {
                Host::Programs(local) => local.stop().await,
                Host::Container(container) => container.stop().await,
            },
        );
    }

    /// Starts it after [`Server::stop`] or [`Server::kill`], and returns when it answers.
    ///
    /// # Panics
    ///
    /// If it still runs, or does not answer within two minutes.
    pub async fn start_again(&self) {
        self.must(
            "start again",
            match &self.host {
                Host::Programs(local) => local.start().await,
                Host::Container(container) => match container.start().await {
                    Ok(()) => self.container_ready(container).await,
                    failed => failed,
                },
            },
        );
    }

    /// Kills all its processes with SIGKILL, and returns when they have ended.
    pub fn kill(&self) {
        self.must(
            "kill",
            match &self.host {
                Host::Programs(local) => local.kill(),
                Host::Container(container) => container.kill(),
            },
        );
    }

    /// Suspends all its processes with SIGSTOP: connections stay open, and new ones are even accepted by the kernel,
    /// but nothing answers.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn suspend(&self) {
        self.must(
            "suspend",
            match &self.host {
                Host::Programs(local) => local.suspend(),
                Host::Container(container) => container.suspend(),
            },
        );
    }

    /// Lets it go on after [`Server::suspend`].
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn resume(&self) {
        self.must(
            "resume",
            match &self.host {
                Host::Programs(local) => local.resume(),
                Host::Container(container) => container.resume(),
            },
        );
    }

    fn must<T>(&self, what: &str, done: anyhow::Result<T>) -> T {
        done.unwrap_or_else(|error| panic!("cannot {what} {}: {error:#}", self.kind))
    }

    async fn container_ready(&self, container: &Container) -> anyhow::Result<()> {
        let ready = until_ready(Handshake::Speaks(self.kind), self.port, || container.has_ended()).await;
        ready.with_context(|| container.log_tail())
    }
}

/// A throwaway RabbitMQ.
pub struct RabbitMq(Server);

/// Erlang for "the quorum queues without a leader".
const LEADERLESS: &str = "[amqqueue:get_pid(Q) || Q <- rabbit_amqqueue:list(), \
    amqqueue:get_type(Q) =:= rabbit_quorum_queue, \
    ra_leaderboard:lookup_leader(element(1, amqqueue:get_pid(Q))) =:= undefined]";

impl RabbitMq {
    /// Starts one; takes some seconds.
    ///
    /// # Panics
    ///
    /// If it is not installed, with the command that installs it, or does not start, with the end of its log.
    pub async fn start() -> Self {
        Self(Server::start(Kind::RabbitMq, Sync::Never).await)
    }

    /// [`Server::start_again`], and until every quorum queue has a leader.
    ///
    /// A single RabbitMQ that was killed sometimes leaves a queue without one for ever (issue 10070 of rabbitmq-server;
    /// seen with 3.10.8). After some seconds this does what an operator then does, and tells so by returning true.
    ///
    /// # Panics
    ///
    /// If it does not answer, or the queue has no leader even then.
    pub async fn start_again_with_leaders(&self) -> bool {
        self.start_again().await;
        let leaderless = format!("{LEADERLESS}.");
        for look in 0..20 {
            if self.ctl(&["eval", &leaderless]).await.trim() == "[]" {
                return look > 10;
            }
            if look == 10 {
                eprintln!("RabbitMQ left a queue without a leader; it is told to elect one");
                self.ctl(&["eval", &format!("[ra:trigger_election(P) || P <- {LEADERLESS}].")]).await;
            }
        }
        panic!("a queue of RabbitMQ has no leader");
    }

    /// Runs `rabbitmqctl` for this server and returns what it prints.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub async fn ctl(&self, args: &[&str]) -> String {
        let command = match &self.host {
            Host::Programs(local) => local.tool("rabbitmqctl"),
            Host::Container(container) => Ok(container.tool("rabbitmqctl")),
        };
        let mut command = tokio::process::Command::from(self.must("run rabbitmqctl for", command));
        let output =
            self.must("run rabbitmqctl for", command.args(args).output().await.context("rabbitmqctl"));
        self.must("run rabbitmqctl for", output.succeeded());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// A throwaway Redis.
pub struct Redis(Server);

impl Redis {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// If it is not installed, with the command that installs it, or does not start, with the end of its log.
    pub async fn start() -> Self {
        Self(Server::start(Kind::Redis, Sync::Never).await)
    }
}

/// A throwaway PostgreSQL.
pub struct Postgres(Server);

impl Postgres {
    /// Starts one; takes some seconds.
    ///
    /// # Panics
    ///
    /// If it is not installed, with the command that installs it, or does not start, with the end of its log.
    pub async fn start() -> Self {
        Self(Server::start(Kind::Postgres, Sync::Never).await)
    }

    /// Starts one that forces its data to disk as in production, and knows when each transaction was committed
    /// (`pg_xact_commit_timestamp`): for measurements. Only of installed programs.
    ///
    /// # Panics
    ///
    /// As [`Postgres::start`].
    pub async fn start_durable() -> Self {
        Self(Server::start(Kind::Postgres, Sync::ToDisk).await)
    }
}

impl Deref for RabbitMq {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl Deref for Redis {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl Deref for Postgres {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}
