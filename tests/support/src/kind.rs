//! What differs between the three services, as plain facts.

use std::fmt;

use crate::binaries;

/// One of the three services that the pipeline needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The message broker.
    RabbitMq,
    /// The cache of delivery keys already seen.
    Redis,
    /// The ERP's database.
    Postgres,
}

impl Kind {
    /// All three.
    pub const ALL: [Self; 3] = [Self::RabbitMq, Self::Redis, Self::Postgres];

    /// The environment variable that names a server of this kind to use instead of a throwaway one.
    pub fn variable(self) -> &'static str {
        match self {
            Self::RabbitMq => "JODO_TEST_AMQP_URL",
            Self::Redis => "JODO_TEST_REDIS_URL",
            Self::Postgres => "JODO_TEST_POSTGRES_URL",
        }
    }

    /// The value of [`Kind::variable`], if it is set and not empty.
    pub fn url_from_env(self) -> Option<String> {
        std::env::var(self.variable()).ok().filter(|url| !url.is_empty())
    }

    /// The URL of a throwaway server of this kind on a port of the loopback address.
    pub(crate) fn url(self, port: u16) -> String {
        match self {
            Self::RabbitMq => format!("amqp://guest:guest@127.0.0.1:{port}/%2f"),
            Self::Redis => format!("redis://127.0.0.1:{port}/"),
            Self::Postgres => format!("postgres://postgres@127.0.0.1:{port}/postgres"),
        }
    }

    /// The port that the service has when nobody says otherwise: inside a container, or left out of a URL.
    pub(crate) fn usual_port(self) -> u16 {
        match self {
            Self::RabbitMq => 5672,
            Self::Redis => 6379,
            Self::Postgres => 5432,
        }
    }

    /// Whether the programs to run a server of this kind are on this machine.
    pub(crate) fn is_installed(self) -> bool {
        match self {
            Self::RabbitMq => binaries::rabbitmq().is_some(),
            Self::Redis => binaries::redis().is_some(),
            Self::Postgres => binaries::postgres().is_some(),
        }
    }

    /// What to tell somebody who has neither the programs nor docker.
    pub(crate) fn how_to_install(self) -> String {
        let package = match self {
            Self::RabbitMq => "rabbitmq-server",
            Self::Redis => "redis-server",
            Self::Postgres => "postgresql",
        };
        format!(
            "{self} is not installed and docker does not work here. On Debian or Ubuntu: apt-get install \
             --no-install-recommends {package}, or run: make test. Where the shared server of a run is enough, {} \
             may name one instead.",
            self.variable()
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RabbitMq => "RabbitMQ",
            Self::Redis => "Redis",
            Self::Postgres => "PostgreSQL",
        })
    }
}
