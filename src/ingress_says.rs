//! What the ingress says of itself: how near the sender is to switching a subscription off, what its spool holds and how
//! much more it may take.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use jodo_shared::metrics::{SPOOL_LEFT_BYTES, SPOOL_TIME_TO_FULL, SPOOL_WAITING, SPOOLING, STRIKES};
use serde::Serialize;

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

/// Asks the ingress whose private listener is at `private`; `None` when it does not answer.
pub(crate) async fn ask(private: SocketAddr) -> Option<Said> {
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWER).build().ok()?;
    let answer = client.get(format!("http://{private}/metrics")).send().await.ok()?;
    let answer = answer.error_for_status().ok()?.bytes().await.ok()?;
    Some(read(&String::from_utf8_lossy(&answer)))
}

/// Lines such as `jodo_sync_strikes{source="jodo",code="other"} 3`.
fn read(page: &str) -> Said {
    let mut said = Said::default();
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
            SPOOLING => said.spooling = value > 0.0,
            SPOOL_TIME_TO_FULL if value.is_finite() => {
                said.full_in_seconds = Some(said.full_in_seconds.map_or(value, |first| first.min(value)));
            }
            _ => {}
        }
    }
    said
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
        let said = read(page);
        assert_eq!(said.strikes("jodo"), Strikes { in_a_row: 12, code: "direct.payment.added".into() });
        assert_eq!(said.strikes("branch").in_a_row, 0);
        let main = IngressSpool { waiting: 7, spooling: true, full_in_seconds: Some(7_200.0) };
        assert_eq!((said.spool("main"), said.spool("branch").waiting), (main, 0));
        assert_eq!(said.room(), Some(Room { bytes: 3_000, full_in_seconds: Some(7_200.0) }));
        assert_eq!(read("").room(), None);
    }
}
