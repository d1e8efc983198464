//! What the ingress says of itself: how near the sender is to switching a subscription off, what its spool holds and how
//! much more it may take.

use std::collections::BTreeMap;
use std::time::Duration;

use jodo_shared::config::Ingress;
use jodo_shared::metrics::{SPOOL_LEFT_BYTES, SPOOL_TIME_TO_FULL, SPOOL_WAITING, SPOOLING, STRIKES};
use serde::Serialize;
use tokio::net::lookup_host;
use tokio::task::JoinSet;

/// How long the ingress may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Deliveries of one source that were not answered 2xx, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Strikes {
    pub(crate) in_a_row: u32,
    /// Of which kind of event; the longest row.
    pub(crate) code: String,
}

/// What an ingress keeps of a target because RabbitMQ has not taken it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct IngressSpool {
    pub(crate) waiting: u64,
    /// Whether what comes now goes there.
    pub(crate) spooling: bool,
    /// How long there is room at the pace of the last minute; `None` while nothing is used, or not known yet.
    pub(crate) full_in_seconds: Option<f64>,
}

/// What more the spool may take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Room {
    /// In its fullest folder.
    pub(crate) bytes: u64,
    /// How long that lasts at the pace of the last minute; `None` while nothing is used, or not known yet.
    pub(crate) full_in_seconds: Option<f64>,
}

/// What the metrics of an ingress tell.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Said {
    /// The longest row of each source that has one.
    strikes: BTreeMap<String, Strikes>,
    waiting: BTreeMap<String, u64>,
    spooling: bool,
    left_bytes: Option<u64>,
    full_in_seconds: Option<f64>,
}

impl Said {
    /// Of one source.
    pub(crate) fn strikes(&self, source: &str) -> Strikes {
        self.strikes.get(source).cloned().unwrap_or_default()
    }

    /// Of one target.
    pub(crate) fn spool(&self, target: &str) -> IngressSpool {
        IngressSpool {
            waiting: self.waiting.get(target).copied().unwrap_or_default(),
            spooling: self.spooling,
            full_in_seconds: self.full_in_seconds,
        }
    }

    /// Of the spool; `None` when it has none.
    pub(crate) fn room(&self) -> Option<Room> {
        let full_in_seconds = self.full_in_seconds;
        self.left_bytes.map(|bytes| Room { bytes, full_in_seconds })
    }
}

/// Where an ingress is asked, as `host:port`.
pub(crate) fn place(ingress: &Ingress) -> String {
    let url = ingress.private_url.as_ref();
    let elsewhere = url.and_then(|url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?)));
    elsewhere.unwrap_or_else(|| ingress.private_listen.to_string())
}

/// Asks every ingress process at its [`place`] and takes what they say together; `None` when none answers.
pub(crate) async fn ask(ingress: &Ingress) -> Option<Said> {
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWER).build().ok()?;
    let mut asked = JoinSet::new();
    for address in lookup_host(place(ingress)).await.ok()? {
        let question = client.get(format!("http://{address}/metrics"));
        asked.spawn(async move { question.send().await?.error_for_status()?.text().await });
    }
    let answers = asked.join_all().await;
    let mut answered = answers.iter().flatten().peekable();
    answered.peek()?;
    let mut said = Said::default();
    answered.for_each(|page| read(page, &mut said));
    Some(said)
}

/// Lines such as `jodo_sync_strikes{source="jodo",code="other"} 3`.
fn read(page: &str, said: &mut Said) {
    for line in page.lines() {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let Ok(value) = value.parse::<f64>() else { continue };
        match name {
            STRIKES => {
                let (Some(source), Some(code)) = (label(labels, "source"), label(labels, "code")) else {
                    continue;
                };
                let known = said.strikes.entry(source.to_owned()).or_default();
                if value > f64::from(known.in_a_row) {
                    *known = Strikes { in_a_row: value as u32, code: code.to_owned() };
                }
            }
            SPOOL_WAITING => {
                let target = label(labels, "target").unwrap_or_default().to_owned();
                *said.waiting.entry(target).or_default() += value as u64;
            }
            SPOOL_LEFT_BYTES => {
                let left = value as u64;
                said.left_bytes = Some(said.left_bytes.map_or(left, |least| least.min(left)));
            }
            SPOOLING => said.spooling |= value > 0.0,
            SPOOL_TIME_TO_FULL if value.is_finite() => {
                said.full_in_seconds = Some(said.full_in_seconds.map_or(value, |first| first.min(value)));
            }
            _ => {}
        }
    }
}

/// A label's value: names of sources and codes need no escapes.
fn label<'l>(labels: &'l str, name: &str) -> Option<&'l str> {
    let (_, rest) = labels.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_row_of_each_source_and_the_spool_are_read() {
        let page = "# TYPE jodo_sync_strikes gauge\n\
            jodo_sync_strikes{source=\"jodo\",code=\"other\"} 3\n\
            jodo_sync_strikes{code=\"direct.payment.added\",source=\"jodo\"} 12\n\
            jodo_sync_strikes{source=\"branch\",code=\"other\"} 0\n\
            jodo_sync_spooling 1\n\
            jodo_sync_spool_waiting{folder=\"0\",target=\"main\"} 5\n\
            jodo_sync_spool_waiting{folder=\"1\",target=\"main\"} 2\n\
            jodo_sync_spool_left_bytes{folder=\"0\"} 5000\n\
            jodo_sync_spool_left_bytes{folder=\"1\"} 3000\n\
            jodo_sync_spool_full_in_duration_seconds{folder=\"0\"} 7200\n\
            jodo_sync_spool_full_in_duration_seconds{folder=\"1\"} +Inf\n\
            jodo_sync_publishes_total{source=\"jodo\",code=\"other\"} 99\n";
        let mut said = Said::default();
        read(page, &mut said);
        assert_eq!(said.strikes("jodo"), Strikes { in_a_row: 12, code: "direct.payment.added".into() });
        assert_eq!(said.strikes("branch").in_a_row, 0);
        // A second process adds its own.
        read("jodo_sync_spooling 0\njodo_sync_strikes{source=\"branch\",code=\"other\"} 2\n", &mut said);
        assert_eq!(said.strikes("branch").in_a_row, 2);
        let main = IngressSpool { waiting: 7, spooling: true, full_in_seconds: Some(7_200.0) };
        assert_eq!((said.spool("main"), said.spool("branch").waiting), (main, 0));
        assert_eq!(said.room(), Some(Room { bytes: 3_000, full_in_seconds: Some(7_200.0) }));
        assert_eq!(Said::default().room(), None);
    }
}
