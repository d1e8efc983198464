//! The services that all tests of a run share.

use tokio::sync::OnceCell;

use crate::kind::Kind;
use crate::server::{Postgres, RabbitMq, Redis};

/// The services that all tests of a run share: those named by the environment, as under `make test`, else throwaway
/// ones that live as long as the test process.
///
/// Each is started when it is first asked for. Do not stop or flush them; a test that wants to starts its own.
pub struct Services {
    rabbitmq: OnceCell<Shared<RabbitMq>>,
    redis: OnceCell<Shared<Redis>>,
    postgres: OnceCell<Shared<Postgres>>,
}

enum Shared<S> {
    Named(String),
    Throwaway(S),
}

static SERVICES: Services = Services {
    rabbitmq: OnceCell::const_new(),
    redis: OnceCell::const_new(),
    postgres: OnceCell::const_new(),
};

impl Services {
    /// The services of this run.
    pub fn from_env() -> &'static Self {
        &SERVICES
    }

    /// The URL of RabbitMQ: `JODO_TEST_AMQP_URL`, else a throwaway one's.
    ///
    /// # Panics
    ///
    /// If there is none, with the command that installs it.
    pub async fn amqp_url(&self) -> &str {
        let start = || shared(Kind::RabbitMq, RabbitMq::start);
        match self.rabbitmq.get_or_init(start).await {
            Shared::Named(url) => url,
            Shared::Throwaway(server) => server.url(),
        }
    }

    /// The URL of Redis: `JODO_TEST_REDIS_URL`, else a throwaway one's.
    ///
    /// # Panics
    ///
    /// If there is none, with the command that installs it.
    pub async fn redis_url(&self) -> &str {
        let start = || shared(Kind::Redis, Redis::start);
        match self.redis.get_or_init(start).await {
            Shared::Named(url) => url,
            Shared::Throwaway(server) => server.url(),
        }
    }

    /// The URL of PostgreSQL's database `postgres`, for a user who may make databases: `JODO_TEST_POSTGRES_URL`, else
    /// a throwaway one's. Tests want [`fresh_database`](crate::fresh_database) instead.
    ///
    /// # Panics
    ///
    /// If there is none, with the command that installs it.
    pub async fn postgres_url(&self) -> &str {
        let start = || shared(Kind::Postgres, Postgres::start);
        match self.postgres.get_or_init(start).await {
            Shared::Named(url) => url,
            Shared::Throwaway(server) => server.url(),
        }
    }
}

async fn shared<S>(kind: Kind, start: impl AsyncFnOnce() -> S) -> Shared<S> {
    match kind.url_from_env() {
        Some(url) => Shared::Named(url),
        None => Shared::Throwaway(start().await),
    }
}
