//! The effective configuration for people, without what must stay secret.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use toml::{Table, Value};
use url::Url;

use super::{Config, Erp, Ingress, Source, Worker};

const REDACTED: &str = "[redacted]";

impl Config {
    /// The effective configuration as TOML text; secrets, header values, passwords and the queries of URLs are
    /// `[redacted]`, so it cannot be read back as it is.
    pub fn redacted(&self) -> String {
        let mut whole = Table::new();
        insert(&mut whole, "ingress", ingress(&self.ingress));
        insert(&mut whole, "worker", worker(&self.worker));
        if let Some(broker) = &self.broker {
            let timeout = millis(broker.confirm_timeout);
            insert(&mut whole, "broker", table([("url", url(&broker.url)), ("confirm_timeout_ms", timeout)]));
        }
        if let Some(redis) = &self.redis {
            let days = number(redis.remember.as_secs() / (24 * 60 * 60));
            let redis = [("url", url(&redis.url)), ("prefix", text(&redis.prefix)), ("remember_days", days)];
            insert(&mut whole, "redis", table(redis));
        }
        let days = number(self.archive.keep.as_secs() / (24 * 60 * 60));
        insert(&mut whole, "archive", table([("days", days)]));
        let days = number(u64::from(self.retention.bodies_days));
        insert(&mut whole, "retention", table([("bodies_days", days)]));
        insert(&mut whole, "erp", table(self.erp.iter().map(|(name, one)| (name.as_str(), erp(one)))));
        let sources = self.sources.iter().map(|(name, one)| (name.as_str(), source(one)));
        insert(&mut whole, "sources", table(sources));
        let log = [("filter", text(&self.log.filter)), ("format", text(self.log.format.as_str()))];
        insert(&mut whole, "log", table(log));
        let receiver = self.traces.otlp_url.iter().map(|url| ("otlp_url", text(url)));
        let sample = [("sample", Value::Float(self.traces.sample.fraction()))];
        insert(&mut whole, "traces", table(receiver.chain(sample)));
        whole.to_string()
    }
}

fn ingress(ingress: &Ingress) -> Value {
    let mut all = vec![
        ("listen", text(&ingress.listen)),
        ("private_listen", text(&ingress.private_listen)),
        ("spool_dir", text(&ingress.spool_dir.display())),
        ("spool_max_bytes", number(ingress.spool_max_bytes)),
        ("spool_min_free", number(ingress.spool_min_free)),
        ("max_body", number(ingress.max_body as u64)),
        ("max_bytes_in_flight", number(ingress.max_bytes_in_flight as u64)),
        ("body_timeout_s", number(ingress.body_timeout.as_secs())),
        ("max_connections", number(ingress.max_connections as u64)),
        ("drain_s", number(ingress.drain.as_secs())),
    ];
    all.extend(ingress.private_url.as_ref().map(|url| ("private_url", text(url))));
    table(all)
}

fn worker(worker: &Worker) -> Value {
    table([
        ("private_listen", text(&worker.private_listen)),
        ("pipelines", number(worker.pipelines as u64)),
        ("batch_messages", number(worker.batch.messages as u64)),
        ("batch_bytes", number(worker.batch.bytes as u64)),
        ("batch_wait_ms", millis(worker.batch.wait)),
        ("targets", texts(&worker.targets)),
        ("drain_s", number(worker.drain.as_secs())),
    ])
}

fn erp(erp: &Erp) -> Value {
    let pace = number(u64::from(erp.max_events_per_second));
    table([("url", url(&erp.url)), ("max_events_per_second", pace)])
}

fn source(source: &Source) -> Value {
    let limit =
        [("deliveries", number(source.hold_limit.deliveries)), ("bytes", number(source.hold_limit.bytes))];
    let mut all = vec![
        ("path", text(&source.path)),
        ("allow", texts(&source.allow)),
        ("trusted_proxies", texts(&source.trusted_proxies)),
        ("tenant", text(&source.tenant)),
        ("target", text(&source.target)),
        ("environment", text(source.environment.as_str())),
        ("time_zone", text(source.time_zone.iana_name().unwrap_or_default())),
        ("strict", Value::Boolean(source.strict)),
        ("on_bad_signature", text(source.on_bad_signature.as_str())),
        ("hold_limit", table(limit)),
        ("ignore", texts(&source.ignore)),
    ];
    if !source.secrets.is_empty() {
        all.push(("secrets", texts(source.secrets.iter().map(|_| REDACTED))));
    }
    if let Some(header) = &source.header {
        all.push(("header", table([("name", text(&header.name)), ("value", text(REDACTED))])));
    }
    table(all)
}

/// A URL without its password and query. A user name that stands alone is hidden too: in `redis://x@host` it may be
/// the password, misplaced.
fn url(secret: &SecretString) -> Value {
    if secret.expose_secret().starts_with("sqlite:") {
        return text(secret.expose_secret());
    }
    let Ok(url) = Url::parse(secret.expose_secret()) else { return text(REDACTED) };
    let credentials = match (url.username(), url.password()) {
        ("", None) => String::new(),
        (_, None) => format!("{REDACTED}@"),
        (user, Some(_)) => format!("{user}:{REDACTED}@"),
    };
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query = url.query().map(|_| format!("?{REDACTED}")).unwrap_or_default();
    text(&format!("{}://{credentials}{host}{port}{}{query}", url.scheme(), url.path()))
}

fn insert(whole: &mut Table, key: &str, value: Value) {
    whole.insert(key.to_owned(), value);
}

fn table<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn text(value: &(impl ToString + ?Sized)) -> Value {
    Value::String(value.to_string())
}

fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Value {
    Value::Array(values.into_iter().map(|value| text(&value)).collect())
}

/// Every number here was read from TOML or within a range that fits.
fn number(value: u64) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

fn millis(duration: Duration) -> Value {
    number(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}
