//! docs/OPERATIONS.md tells a person what each word means that the programs say.

use jodo_shared::metrics;
use jodo_shared::outcome::{Outcome, Reason};

const DOCUMENT: &str = include_str!("../../docs/OPERATIONS.md");

#[test]
fn every_outcome_reason_and_metric_is_explained() {
    let words = Outcome::ALL.map(Outcome::as_str).into_iter().chain(Reason::ALL.map(Reason::as_str));
    let rows = words.map(|word| format!("\n| `{word}` |"));
    let metrics = metrics::ALL.iter().map(|(_, name)| format!("`{name}`"));
    let missing: Vec<_> = rows.chain(metrics).filter(|text| !DOCUMENT.contains(text)).collect();
    assert!(missing.is_empty(), "not in docs/OPERATIONS.md: {missing:?}");
}

const ALERTS: &str = include_str!("../../deploy/prometheus/alerts.yml");
const TRIED: [&str; 2] = [
    include_str!("../../deploy/prometheus/alerts_test.yml"),
    include_str!("../../deploy/prometheus/silence_test.yml"),
];

/// Name and severity of each alert.
fn alerts() -> Vec<(&'static str, &'static str)> {
    let words = |word| ALERTS.lines().filter_map(move |line| line.trim().strip_prefix(word));
    let severities = words("labels: {severity: ").map(|rest| rest.trim_end_matches('}'));
    let alerts: Vec<_> = words("- alert: ").zip(severities).collect();
    assert_eq!(alerts.len(), words("expr: ").count(), "each alert has a severity");
    alerts
}

#[test]
fn every_alert_has_a_row_that_says_what_to_do() {
    for (name, severity) in alerts() {
        let mark = match severity {
            "page" => "❗ ",
            "look" => "",
            other => panic!("{name}: severity {other}"),
        };
        assert!(DOCUMENT.contains(&format!("\n| `{name}` | {mark}| ")), "{name}, {severity}: no such row");
    }
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `Jodo")).count();
    assert_eq!(rows, alerts().len(), "a row tells of an alert that is none");
}

#[test]
fn every_alert_points_into_the_document() {
    let anchors: Vec<_> = DOCUMENT.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
    let dos: Vec<_> = ALERTS.lines().filter_map(|line| line.trim().strip_prefix("do: ")).collect();
    assert_eq!(dos.len(), alerts().len());
    for text in dos {
        let (_, to) = text.rsplit_once("docs/OPERATIONS.md#").unwrap_or_else(|| panic!("{text}: no link"));
        assert!(anchors.iter().any(|anchor| anchor == to), "{text}");
    }
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    text.chars().filter(|c| c.is_alphanumeric() || *c == '-').collect()
}

#[test]
fn every_alert_is_tried_where_it_fires_and_where_it_stays_silent() {
    for (name, _) in alerts() {
        let asked = format!("- expr: ALERTS{{alertname=\"{name}\", alertstate=\"firing\"}}");
        // What follows: the time, then what is expected.
        let expected: Vec<_> = TRIED
            .iter()
            .flat_map(|text| text.split(&asked).skip(1))
            .filter_map(|rest| rest.lines().nth(2))
            .map(str::trim)
            .collect();
        assert!(expected.contains(&"exp_samples:"), "{name} is never tried where it fires");
        assert!(expected.contains(&"exp_samples: []"), "{name} is never tried where it stays silent");
    }
}
