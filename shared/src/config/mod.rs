//! The configuration: one TOML file, defaults embedded, every key overridable from the environment.
//!
//! `deploy/config.default.toml` is the reference: it is the defaults, and its comments say what each key does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use url::Url;

use crate::broker::BatchLimits;
use crate::contract::EventCode;
use crate::ids::{SourceName, TargetName, Tenant};
use crate::traces::Sample;

mod check;
mod error;
mod layers;
mod read;
mod redacted;
mod section;
mod values;

pub use error::{ConfigError, ConfigErrors, Problem};

/// What a program cannot do without. What is present is checked in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The ingress: `broker.url`, and a secret or a header for each source. No `erp`, no `redis`: files with URLs of
    /// ERP databases are not read.
    Ingress,
    /// The worker: `broker.url`, and `erp.<target>.url` for each of its targets (`worker.targets`, else those that
    /// sources name). No secrets: files with them are not read.
    Worker,
    /// Operator commands that read or change the ERP database: `erp.<target>.url` as for the worker.
    Operator,
    /// Commands that look at the configuration itself, or send a delivery.
    Nothing,
    /// A health check, in a container of either program: no file with the other's secrets is read.
    HealthCheck,
}

impl Needs {
    fn broker(self) -> bool {
        matches!(self, Self::Ingress | Self::Worker)
    }

    fn erp(self) -> bool {
        matches!(self, Self::Worker | Self::Operator)
    }

    fn erp_files(self) -> bool {
        !matches!(self, Self::Ingress | Self::HealthCheck)
    }

    fn secret_files(self) -> bool {
        !matches!(self, Self::Worker | Self::HealthCheck)
    }

    fn proof_of_sender(self) -> bool {
        self == Self::Ingress
    }
}

/// Everything the programs can be told, checked as a whole before the first socket opens.
#[derive(Debug, Clone)]
pub struct Config {
    /// Section `ingress`.
    pub ingress: Ingress,
    /// Section `worker`.
    pub worker: Worker,
    /// Section `broker`; absent in embedded mode.
    pub broker: Option<Broker>,
    /// Section `redis`; without it repeats are found by the database alone.
    pub redis: Option<Redis>,
    /// Section `archive`.
    pub archive: Archive,
    /// Section `retention`.
    pub retention: Retention,
    /// Section `erp.<target>`.
    pub erp: BTreeMap<TargetName, Erp>,
    /// Section `sources.<name>`.
    pub sources: BTreeMap<SourceName, Source>,
    /// Section `log`.
    pub log: Log,
    /// Section `traces`.
    pub traces: Traces,
}

/// Section `ingress`.
#[derive(Debug, Clone)]
pub struct Ingress {
    /// Address for deliveries.
    pub listen: SocketAddr,
    /// Address for `/livez`, `/readyz`, `/metrics`; never to be published.
    pub private_listen: SocketAddr,
    /// Where commands ask a running ingress, all that its host name stands for; without it at `private_listen`.
    pub private_url: Option<Url>,
    /// Folder of the spool.
    pub spool_dir: PathBuf,
    /// Most bytes in a process' own folder of the spool.
    pub spool_max_bytes: u64,
    /// Bytes that the spool leaves free on its disk.
    pub spool_min_free: u64,
    /// Largest body in bytes; a larger one is answered 413.
    pub max_body: usize,
    /// Body bytes held in memory at once over all requests; past it the answer is 503.
    pub max_bytes_in_flight: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// Most connections open at once.
    pub max_connections: usize,
    /// Deadline of the drain at shutdown.
    pub drain: Duration,
}

/// Section `worker`.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Address for `/livez`, `/readyz`, `/metrics`; never to be published.
    pub private_listen: SocketAddr,
    /// Pipelines per target: each has a channel and a database connection of its own.
    pub pipelines: usize,
    /// Bounds of one batch: `batch_messages`, `batch_bytes`, `batch_wait_ms`.
    pub batch: BatchLimits,
    /// Targets this process works for; empty means every configured one.
    pub targets: Vec<TargetName>,
    /// Deadline of the drain at shutdown.
    pub drain: Duration,
}

/// Section `broker`.
#[derive(Debug, Clone)]
pub struct Broker {
    /// `amqp://` or `amqps://` address with credentials.
    pub url: SecretString,
    /// How long a confirm may take.
    pub confirm_timeout: Duration,
}

/// Section `redis`.
#[derive(Debug, Clone)]
pub struct Redis {
    /// `redis://` or `rediss://` address with credentials.
    pub url: SecretString,
    /// Put before every key.
    pub prefix: String,
    /// How long an id is remembered.
    pub remember: Duration,
}

/// Section `archive`.
#[derive(Debug, Clone)]
pub struct Archive {
    /// How long accepted deliveries are kept after they were applied.
    pub keep: Duration,
}

/// Section `erp.<target>`.
#[derive(Debug, Clone)]
pub struct Erp {
    /// `postgres://` address with credentials, or `sqlite:` and the path of a file.
    pub url: SecretString,
    /// Most events that a worker process applies here in a second; 0 is no bound.
    pub max_events_per_second: u32,
}

/// Section `retention`.
#[derive(Debug, Clone)]
pub struct Retention {
    /// How many days after its arrival a settled event's body is kept.
    pub bodies_days: u32,
}

/// Section `sources.<name>`.
#[derive(Debug, Clone)]
pub struct Source {
    /// URL path that the sender posts to.
    pub path: String,
    /// Signing secrets, all valid at once so that one can be rotated.
    pub secrets: Vec<SecretString>,
    /// The custom header that was registered with the subscription.
    pub header: Option<CustomHeader>,
    /// Addresses the sender is known to use; empty means no list.
    pub allow: Vec<IpNet>,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// First part of every key that this source's events write.
    pub tenant: Tenant,
    /// ERP database the events go to.
    pub target: TargetName,
    /// What kind of data the source sends; one target takes one environment.
    pub environment: Environment,
    /// Time zone of the institute's calendar days.
    pub time_zone: TimeZone,
    /// Refuse what else would be accepted and warned of: an unlisted address, a wrong custom header.
    pub strict: bool,
    /// What to do with a bad signature from a listed address.
    pub on_bad_signature: OnBadSignature,
    /// Bounds on what is held per process and UTC day.
    pub hold_limit: HoldLimit,
    /// Event codes that are stored but not applied.
    pub ignore: Vec<EventCode>,
}

/// A header name and the value it must have.
#[derive(Debug, Clone)]
pub struct CustomHeader {
    /// Header name, lower case.
    pub name: String,
    /// Value, compared in constant time.
    pub value: SecretString,
}

/// What kind of data a source sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// Real pupils and real money.
    Production,
    /// The sender's acceptance environment.
    Uat,
    /// Our own inventions.
    Test,
}

/// What to do with a bad signature from a listed address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnBadSignature {
    /// Keep it aside for a person and answer 200.
    Hold,
    /// Answer 401.
    Refuse,
}

/// Bounds on what is held per source, process and day; past either the answer is 401 again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldLimit {
    /// Deliveries.
    pub deliveries: u64,
    /// Body bytes.
    pub bytes: u64,
}

/// Section `log`.
#[derive(Debug, Clone)]
pub struct Log {
    /// Filter in the form of tracing-subscriber's `EnvFilter`, such as `info,lapin=warn`.
    pub filter: String,
    /// Form of a line.
    pub format: LogFormat,
}

/// Section `traces`.
#[derive(Debug, Clone)]
pub struct Traces {
    /// Base address of an OTLP/HTTP receiver; without it no traces are made.
    pub otlp_url: Option<String>,
    /// Fraction of the deliveries that are traced.
    pub sample: Sample,
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people at a terminal.
    Readable,
    /// One JSON object a line.
    Json,
}
