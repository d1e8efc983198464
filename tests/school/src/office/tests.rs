//! The office, event by event.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::run::{PREFIX, Run, Scenario};

const RUN: Run = office(5, 4_000, 150);

const fn office(seed: u64, events: u64, students: u64) -> Run {
    Run { seed, students, scenario: Scenario::Office { events } }
}

fn history(run: Run) -> Vec<Value> {
    run.bodies().map(|body| serde_json::from_str(&body).unwrap()).collect()
}

/// Every text that begins like an invented key.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.starts_with(PREFIX) => _ = found.insert(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
        Value::Object(members) => members.values().for_each(|value| keys(value, found)),
        _ => (),
    }
}

fn keys_of(run: Run) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    history(run).iter().for_each(|body| keys(body, &mut found));
    found
}

#[test]
fn one_run_gives_the_same_bytes_each_time() {
    let bytes = |run: Run| run.bodies().collect::<Vec<_>>();
    assert_eq!(bytes(RUN).len(), 4_000);
    assert_eq!(bytes(RUN), bytes(RUN));
}

#[test]
fn runs_with_other_numbers_share_no_key_and_every_key_names_its_run() {
    let ours = keys_of(RUN);
    assert!(ours.iter().all(|key| key.starts_with("sim_5_4000_150")));
    for other in [office(6, 4_000, 150), office(5, 4_001, 150), office(5, 4_000, 151)] {
        assert!(keys_of(other).is_disjoint(&ours), "{other}");
    }
}

#[test]
fn events_come_in_order_and_no_two_about_one_pupil_or_payment_share_a_second() {
    let mut seen = BTreeSet::new();
    let mut latest = 0;
    for body in history(RUN) {
        let (time, payload) = (body["timestamp"].as_i64().unwrap(), &body["payload"]);
        assert!(time >= latest);
        latest = time;
        for key in [&payload["jodo_student_id"], &payload["student"]["identifier"], &payload["payment"]["id"]]
        {
            if let Some(key) = key.as_str().filter(|key| !key.is_empty()) {
                assert!(seen.insert((time, key.to_owned())), "{key} twice at {time}");
            }
        }
    }
}

#[test]
fn everything_odd_about_the_sender_happens() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let bodies: Vec<_> = RUN.bodies().collect();
    let history = history(RUN);
    for (bytes, body) in bodies.iter().zip(&history) {
        let (payload, code) = (&body["payload"], body["event"].as_str().unwrap());
        let (payment, student) = (&payload["payment"], &payload["student"]);
        let identifier = student["identifier"].as_str().is_some_and(|id| !id.is_empty());
        let seen = [
            (code, true),
            ("by the sender's id alone", payload["jodo_student_id"].is_string() && !identifier),
            ("nobody named", !payload["jodo_student_id"].is_string() && !identifier),
            ("amount as a number", payment["amount"].is_number()),
            ("amount as a text", payment["amount"].is_string()),
            ("a correction in part", code.ends_with("updated") && payment["amount"].is_null()),
            ("notes as a list", student["notes"].as_array().is_some_and(|notes| !notes.is_empty())),
            ("a null member", student["collector_code"].is_null()),
            ("a member left out", student.get("collector_code").is_none()),
            ("an empty member", student["collector_code"] == ""),
            ("event first", bytes.starts_with(r#"{"event":"#)),
            ("event_id first", bytes.starts_with(r#"{"event_id":"#)),
        ];
        seen.iter().filter(|(_, so)| *so).for_each(|(what, _)| *counts.entry(what).or_default() += 1);
    }
    assert_eq!(counts.len(), 6 + 11, "{counts:?}");
    assert!(counts.values().all(|count| *count >= 10), "{counts:?}");
}
