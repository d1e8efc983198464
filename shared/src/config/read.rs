//! Makes the typed sections of the tables. Only what one section can say of itself is checked here; `check` has the
//! rules between sections.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::{Mistakes, Problem};
use super::section::{Section, lines, one_text};
use super::values::{
    address_of, allowed, boolean, fraction, header_name, header_value, http_url, id, list, log_filter,
    network, non_empty, number, one_of, parsed, path, plain_url, secret, size, time_zone,
};
use super::{
    Archive, Broker, CustomHeader, Environment, Erp, HoldLimit, Ingress, Log, LogFormat, Needs,
    OnBadSignature, Redis, Retention, Source, Traces, Worker,
};
use crate::broker::BatchLimits;
use crate::ids::{SourceName, TargetName};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
/// RabbitMQ 4.0 refuses larger messages by default (its `max_message_size`), so a larger body could not be queued.
const LARGEST_BODY: u64 = 16 * MIB;

const LISTEN: &str = "an address and port such as 0.0.0.0:8080";
const ENVIRONMENTS: &[(&str, Environment)] =
    &[("production", Environment::Production), ("uat", Environment::Uat), ("test", Environment::Test)];
const BAD_SIGNATURE: &[(&str, OnBadSignature)] =
    &[("hold", OnBadSignature::Hold), ("refuse", OnBadSignature::Refuse)];
const LOG_FORMATS: &[(&str, LogFormat)] = &[("readable", LogFormat::Readable), ("json", LogFormat::Json)];

pub(super) fn ingress(mut section: Section<'_>) -> Option<Ingress> {
    let listen = section.take("listen", parsed(LISTEN));
    let private_listen = section.take("private_listen", parsed(LISTEN));
    let private_url = section.take_if_set("private_url", http_url);
    let spool_dir = section.take("spool_dir", non_empty);
    let spool_max_bytes = section.take("spool_max_bytes", size(MIB..=64 * 1024 * GIB));
    let spool_min_free = section.take("spool_min_free", size(0..=64 * 1024 * GIB));
    let max_body = section.take("max_body", size(KIB..=LARGEST_BODY));
    let max_bytes_in_flight = section.take("max_bytes_in_flight", size(KIB..=64 * GIB));
    let body_timeout = section.take("body_timeout_s", number(1..=300));
    let max_connections = section.take("max_connections", number(1..=1_000_000));
    let drain = section.take("drain_s", number(1..=3600));
    if let (Some(one), Some(all)) = (max_body, max_bytes_in_flight)
        && one > all
    {
        section.note("max_bytes_in_flight", Problem::Clash("must be at least", section.name_of("max_body")));
    }
    section.finish();
    Some(Ingress {
        listen: listen?,
        private_listen: private_listen?,
        private_url,
        spool_dir: spool_dir?.into(),
        spool_max_bytes: spool_max_bytes? as u64,
        spool_min_free: spool_min_free? as u64,
        max_body: max_body?,
        max_bytes_in_flight: max_bytes_in_flight?,
        body_timeout: Duration::from_secs(body_timeout?),
        max_connections: usize::try_from(max_connections?).ok()?,
        drain: Duration::from_secs(drain?),
    })
}

pub(super) fn worker(mut section: Section<'_>) -> Option<Worker> {
    let private_listen = section.take("private_listen", parsed(LISTEN));
    let pipelines = section.take("pipelines", number(1..=64));
    // Twice this many are prefetched, and AMQP counts them in 16 bits.
    let messages = section.take("batch_messages", number(1..=10_000));
    let bytes = section.take("batch_bytes", size(64 * KIB..=256 * MIB));
    let wait = section.take("batch_wait_ms", number(0..=10_000));
    let targets = section.take("targets", list(id::<TargetName>));
    let drain = section.take("drain_s", number(1..=3600));
    section.finish();
    let batch = BatchLimits {
        messages: usize::try_from(messages?).ok()?,
        bytes: bytes?,
        wait: Duration::from_millis(wait?),
    };
    Some(Worker {
        private_listen: private_listen?,
        pipelines: usize::try_from(pipelines?).ok()?,
        batch,
        targets: targets?,
        drain: Duration::from_secs(drain?),
    })
}

pub(super) fn broker(mut section: Section<'_>) -> Option<Broker> {
    let url =
        section.take_or_file("url", one_text, address_of(&["amqp", "amqps"], "an amqp:// or amqps:// URL"));
    let confirm_timeout = section.take("confirm_timeout_ms", number(10..=60_000));
    section.finish();
    Some(Broker { url: url?, confirm_timeout: Duration::from_millis(confirm_timeout?) })
}

pub(super) fn redis(mut section: Section<'_>) -> Option<Redis> {
    let url = section.take_or_file(
        "url",
        one_text,
        address_of(&["redis", "rediss"], "a redis:// or rediss:// URL"),
    );
    let prefix = section.take("prefix", redis_prefix);
    let days = section.take("remember_days", number(1..=366));
    section.finish();
    Some(Redis { url: url?, prefix: prefix?, remember: Duration::from_secs(days? * 24 * 60 * 60) })
}

pub(super) fn archive(mut section: Section<'_>) -> Option<Archive> {
    let days = section.take("days", number(1..=366));
    section.finish();
    Some(Archive { keep: Duration::from_secs(days? * 24 * 60 * 60) })
}

pub(super) fn retention(mut section: Section<'_>) -> Option<Retention> {
    // Shorter than the archive or a dispute is a slip of the pen: what is removed does not come back.
    let days = section.take("bodies_days", number(30..=36_500));
    section.finish();
    Some(Retention { bodies_days: u32::try_from(days?).ok()? })
}

fn redis_prefix(value: toml::Value) -> Result<String, Problem> {
    let prefix = non_empty(value)?;
    let plain = prefix.len() <= 100 && prefix.bytes().all(|b| b.is_ascii_graphic());
    if plain {
        Ok(prefix)
    } else {
        Err(Problem::Rule("must be 1 to 100 printable ASCII characters without blanks"))
    }
}

/// All `erp.<target>` sections; one with a mistake is left out, and where it is not needed one whose URL is in a file.
pub(super) fn erp(section: Section<'_>, needs: Needs, mistakes: &Mistakes) -> BTreeMap<TargetName, Erp> {
    let mut all = BTreeMap::new();
    for (name, mut section) in section.children() {
        let target = name.parse().map_err(|error| mistakes.add(format!("erp.{name}"), Problem::Id(error)));
        if !section.has("url") {
            section.note("url", Problem::Missing(String::new()));
        }
        let skipped = !needs.erp_files() && section.skip_file("url");
        let url = if skipped { None } else { section.take_or_file("url", one_text, database) };
        let pace = match section.has("max_events_per_second") {
            true => section.take("max_events_per_second", number(0..=1_000_000)),
            false => Some(0),
        };
        section.finish();
        if let (Ok(target), Some(url), Some(pace)) = (target, url, pace) {
            // Within the range above.
            let max_events_per_second = u32::try_from(pace).unwrap_or(u32::MAX);
            all.insert(target, Erp { url, max_events_per_second });
        }
    }
    all
}

/// A PostgreSQL address, or `sqlite:` and a path.
fn database(value: toml::Value) -> Result<secrecy::SecretString, Problem> {
    match value.as_str().and_then(|text| text.strip_prefix("sqlite:")) {
        Some("") => Err(Problem::Rule("must name a file after sqlite:")),
        Some(path) if path.starts_with("//") => Err(Problem::Rule("must be sqlite: and a path, without //")),
        Some(_) => secret(value),
        None => address_of(&["postgres", "postgresql"], "a postgres:// URL, or sqlite: and a path")(value),
    }
}

/// All `sources.<name>` sections; one with a mistake is left out.
pub(super) fn sources(
    section: Section<'_>,
    needs: Needs,
    mistakes: &Mistakes,
) -> BTreeMap<SourceName, Source> {
    let mut all = BTreeMap::new();
    for (name, section) in section.children() {
        let source = source(section, needs);
        match name.parse() {
            Ok(name) => all.extend(source.map(|source| (name, source))),
            Err(error) => mistakes.add(format!("sources.{name}"), Problem::Id(error)),
        }
    }
    all
}

fn source(mut section: Section<'_>, needs: Needs) -> Option<Source> {
    let unproved = !section.has("secrets") && !section.has("header");
    if needs.proof_of_sender() && unproved {
        section
            .note("secrets", Problem::Missing(", or a header: without either anybody could send".to_owned()));
    }
    let path = section.take("path", path);
    let skipped = !needs.secret_files() && section.skip_file("secrets");
    let secrets = if section.has("secrets") && !skipped {
        section.take_or_file("secrets", lines, secrets)
    } else {
        Some(Vec::new())
    };
    let header = if section.has("header") { header(section.section("header"), needs) } else { Some(None) };
    let allow = section.take("allow", list(allowed)).map(|lists| lists.concat());
    let trusted_proxies = section.take("trusted_proxies", list(network));
    let tenant = section.take("tenant", id);
    let target = section.take("target", id);
    let environment = section.take("environment", one_of(ENVIRONMENTS, "production, uat or test"));
    let time_zone = section.take("time_zone", time_zone);
    let strict = section.take("strict", boolean);
    let on_bad_signature = section.take("on_bad_signature", one_of(BAD_SIGNATURE, "hold or refuse"));
    let hold_limit = hold_limit(section.section("hold_limit"));
    let ignore = section.take("ignore", list(parsed("event codes, 1 to 200 bytes without NUL")));
    section.finish();
    Some(Source {
        path: path?,
        secrets: secrets?,
        header: header?,
        allow: allow?,
        trusted_proxies: trusted_proxies?,
        tenant: tenant?,
        target: target?,
        environment: environment?,
        time_zone: time_zone?,
        strict: strict?,
        on_bad_signature: on_bad_signature?,
        hold_limit: hold_limit?,
        ignore: ignore?,
    })
}

fn secrets(value: toml::Value) -> Result<Vec<secrecy::SecretString>, Problem> {
    let secrets = list(secret)(value)?;
    if secrets.is_empty() {
        return Err(Problem::Rule("must hold at least one secret; leave the key out to have none"));
    }
    Ok(secrets)
}

/// The inner `None` where its value is in a file that is for another program.
fn header(mut section: Section<'_>, needs: Needs) -> Option<Option<CustomHeader>> {
    let name = section.take("name", header_name);
    if !section.has("value") {
        section.note("value", Problem::Missing(String::new()));
    }
    let skipped = !needs.secret_files() && section.skip_file("value");
    let value = if skipped { None } else { section.take_or_file("value", one_text, header_value) };
    section.finish();
    if skipped { Some(None) } else { Some(Some(CustomHeader { name: name?, value: value? })) }
}

fn hold_limit(mut section: Section<'_>) -> Option<HoldLimit> {
    let deliveries = section.take("deliveries", number(0..=10_000_000));
    let bytes = section.take("bytes", size(0..=64 * GIB));
    section.finish();
    Some(HoldLimit { deliveries: deliveries?, bytes: bytes? as u64 })
}

pub(super) fn log(mut section: Section<'_>) -> Option<Log> {
    let filter = section.take("filter", log_filter);
    let format = section.take("format", one_of(LOG_FORMATS, "readable or json"));
    section.finish();
    Some(Log { filter: filter?, format: format? })
}

pub(super) fn traces(mut section: Section<'_>) -> Option<Traces> {
    let given = section.has("otlp_url");
    let otlp_url = section.take_if_set("otlp_url", plain_url);
    let sample = section.take("sample", fraction);
    section.finish();
    // One with a mistake is not taken for none.
    (otlp_url.is_some() || !given).then_some(())?;
    Some(Traces { otlp_url, sample: sample? })
}

macro_rules! words {
    ($type:ident, $words:ident) => {
        impl $type {
            /// The word that the configuration has for it.
            pub fn as_str(self) -> &'static str {
                // Every value is in its table: the tables are what it is read from.
                $words.iter().find(|(_, one)| *one == self).map_or("", |(word, _)| word)
            }
        }
    };
}

words!(Environment, ENVIRONMENTS);
words!(OnBadSignature, BAD_SIGNATURE);
words!(LogFormat, LOG_FORMATS);
