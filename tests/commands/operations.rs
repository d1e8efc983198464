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
