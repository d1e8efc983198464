//! How near the sender is to switching a subscription off, as the ingress counts it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use jodo_shared::metrics::STRIKES;
use serde::Serialize;

/// How long the ingress may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Deliveries of one source that were not answered 2xx, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Strikes {
    pub(super) in_a_row: u32,
    /// Of which kind of event; the longest row.
    pub(super) code: String,
}

/// The longest row of each source that has one, by the ingress whose private listener is at `private`. `None` when it
/// does not answer.
pub(super) async fn of_ingress(private: SocketAddr) -> Option<BTreeMap<String, Strikes>> {
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWER).build().ok()?;
    let answer = client.get(format!("http://{private}/metrics")).send().await.ok()?;
    let answer = answer.error_for_status().ok()?.bytes().await.ok()?;
    Some(read(&String::from_utf8_lossy(&answer)))
}

/// Lines such as `jodo_sync_strikes{source="jodo",code="other"} 3`.
fn read(page: &str) -> BTreeMap<String, Strikes> {
    let mut worst: BTreeMap<String, Strikes> = BTreeMap::new();
    for line in page.lines() {
        let Some((labels, value)) = line.strip_prefix(STRIKES).and_then(|rest| rest.rsplit_once(' ')) else {
            continue;
        };
        let (Some(source), Some(code)) = (label(labels, "source"), label(labels, "code")) else { continue };
        let in_a_row = value.parse().unwrap_or_default();
        let known = worst.entry(source.to_owned()).or_default();
        if in_a_row > known.in_a_row {
            *known = Strikes { in_a_row, code: code.to_owned() };
        }
    }
    worst
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
    fn the_longest_row_of_each_source_is_read() {
        let page = "# TYPE jodo_sync_strikes gauge\n\
            jodo_sync_strikes{source=\"jodo\",code=\"other\"} 3\n\
            jodo_sync_strikes{code=\"direct.payment.added\",source=\"jodo\"} 12\n\
            jodo_sync_strikes{source=\"branch\",code=\"other\"} 0\n\
            jodo_sync_publishes_total{source=\"jodo\",code=\"other\"} 99\n";
        let strikes = read(page);
        let worst = Strikes { in_a_row: 12, code: "direct.payment.added".into() };
        assert_eq!((strikes.len(), &strikes["jodo"], strikes["branch"].in_a_row), (2, &worst, 0));
    }
}
