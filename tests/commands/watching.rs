//! What the docker-compose deployment gives to Prometheus and Grafana names what there is.

use std::collections::BTreeSet;

use jodo_shared::metrics;
use serde_json::Value;

const DASHBOARD: &str = include_str!("../../deploy/grafana/dashboards/jodo-sync.json");
const DATA_SOURCE: &str = include_str!("../../deploy/grafana/provisioning/datasources/prometheus.yml");
const RULES: [&str; 3] = [
    include_str!("../../deploy/prometheus/alerts.yml"),
    include_str!("../../deploy/prometheus/alerts_test.yml"),
    include_str!("../../deploy/prometheus/silence_test.yml"),
];

fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    dashboard["panels"].as_array().expect("panels").clone()
}

#[test]
fn every_panel_says_what_it_shows_and_asks_the_provisioned_data_source() {
    let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let mut ids = BTreeSet::new();
    let mut asking = 0;
    for panel in panels() {
        let title = panel["title"].as_str().expect("a title").to_owned();
        assert!(ids.insert(panel["id"].as_i64()), "{title}: its id is taken");
        if panel["type"] == "row" {
            continue;
        }
        assert!(text(&panel["description"]), "{title}");
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "{title}");
        for asked in targets.iter().chain([&panel]) {
            let uid = asked["datasource"]["uid"].as_str().expect("a uid");
            assert!(DATA_SOURCE.contains(&format!("uid: {uid}\n")), "{title}: {uid}");
        }
        assert!(targets.iter().all(|target| text(&target["expr"])), "{title}");
        asking += 1;
    }
    assert!(asking > 30, "{asking}");
}

#[test]
fn panels_do_not_lie_on_each_other() {
    let mut taken = BTreeSet::new();
    for panel in panels() {
        let [x, y, w, h] =
            ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().expect("a number"));
        assert!(x + w <= 24, "{}", panel["title"]);
        for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(place), "{} lies on another", panel["title"]);
        }
    }
}

#[test]
fn rules_and_dashboard_name_only_metrics_that_there_are() {
    let known: BTreeSet<_> = metrics::ALL.iter().map(|(_, name)| *name).collect();
    let is_known = |word: &str| {
        let parts = ["", "_bucket", "_sum", "_count"];
        parts.iter().any(|part| word.strip_suffix(part).is_some_and(|name| known.contains(name)))
    };
    let mut found = BTreeSet::new();
    for text in RULES.into_iter().chain([DASHBOARD]) {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        found.extend(words.filter(|word| word.starts_with("jodo_sync_")));
    }
    let strange: Vec<_> = found.iter().filter(|word| !is_known(word)).collect();
    assert!(strange.is_empty(), "no such metrics: {strange:?}");
    assert!(found.len() > 30, "{found:?}");
}
