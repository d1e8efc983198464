//! The simulated school, and the naive model as its judge.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jodo_test_support::school::{self, Sent, replay};
use serde_json::Value;

use super::*;

const RUN: Run = Run { seed: 5, events: 4_000, students: 150 };

fn history(run: Run) -> Vec<Sent> {
    World::new(run).map(|bytes| Sent { body: serde_json::from_str(&bytes).unwrap(), bytes }).collect()
}

fn truth(run: Run) -> Views {
    World::at_the_end(run).truth(&TimeZone::get("Asia/Kolkata").unwrap())
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
    history(run).iter().for_each(|sent| keys(&sent.body, &mut found));
    found
}

/// The rows in the columns that the naive model knows.
fn comparable(
    view: &BTreeMap<String, Row>,
    model: &BTreeMap<String, school::Row>,
) -> BTreeMap<String, school::Row> {
    let columns: BTreeSet<_> = model.values().flat_map(BTreeMap::keys).copied().collect();
    let row = |row: &Row| columns.iter().map(|column| (*column, row.get(column).cloned())).collect();
    view.iter().map(|(key, found)| (key.clone(), row(found))).collect()
}

#[test]
fn one_run_gives_the_same_bytes_each_time() {
    let bytes = |run| World::new(run).collect::<Vec<_>>();
    assert_eq!(bytes(RUN).len(), 4_000);
    assert_eq!(bytes(RUN), bytes(RUN));
    assert_eq!(truth(RUN), truth(RUN));
}

#[test]
fn runs_with_other_numbers_share_no_key_and_every_key_names_its_run() {
    let ours = keys_of(RUN);
    assert!(ours.iter().all(|key| key.starts_with("sim_5_4000_150")));
    for other in [Run { seed: 6, ..RUN }, Run { events: 4_001, ..RUN }, Run { students: 151, ..RUN }] {
        assert!(keys_of(other).is_disjoint(&ours), "{other}");
    }
    for keyed in history(RUN) {
        let payload = &keyed.body["payload"];
        let ids = [&keyed.body["event_id"], &payload["jodo_student_id"], &payload["student"]["identifier"]];
        let ids = ids.into_iter().chain([&payload["payment"]["id"], &payload["payment"]["transaction_id"]]);
        for id in ids.filter_map(Value::as_str).filter(|id| !id.is_empty()) {
            assert!(id.starts_with("sim_5_4000_150"), "{id}");
        }
    }
}

#[test]
fn the_truth_is_that_of_the_naive_model() {
    for seed in 0..3 {
        for (events, students) in [(3_000, 120), (40, 1), (500, 400)] {
            let run = Run { seed, events, students };
            let (truth, model) = (truth(run), replay("jodo", &history(run)));
            assert_eq!(comparable(&truth["jodo_students"], &model.students), model.students, "{run}");
            assert_eq!(comparable(&truth["jodo_manual_payments"], &model.payments), model.payments, "{run}");
        }
    }
}

#[test]
fn events_come_in_order_and_no_two_about_one_pupil_or_payment_share_a_second() {
    let mut seen = BTreeSet::new();
    let mut latest = 0;
    for sent in history(RUN) {
        let (time, payload) = (sent.body["timestamp"].as_i64().unwrap(), &sent.body["payload"]);
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
    let history = history(RUN);
    for sent in &history {
        let (payload, code) = (&sent.body["payload"], sent.body["event"].as_str().unwrap());
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
            ("event first", sent.bytes.starts_with(r#"{"event":"#)),
            ("event_id first", sent.bytes.starts_with(r#"{"event_id":"#)),
        ];
        seen.iter().filter(|(_, so)| *so).for_each(|(what, _)| *counts.entry(what).or_default() += 1);
    }
    assert_eq!(counts.len(), 6 + 11, "{counts:?}");
    assert!(counts.values().all(|count| *count >= 10), "{counts:?}");

    let truth = truth(RUN);
    let shown = |view: &str, column: &str, value: &str| {
        truth[view].values().filter(|row| row.get(column).is_some_and(|found| found == value)).count()
    };
    for (view, column, value) in [
        ("jodo_students", "enrolment", "active"),
        ("jodo_students", "enrolment", "dropped"),
        ("jodo_manual_payments", "state", "recorded"),
        ("jodo_manual_payments", "state", "cancelled"),
    ] {
        assert!(shown(view, column, value) >= 10, "{view}.{column} = {value}");
    }
    let paid_on = |row: &Row| row.get("paid_on").is_none_or(|day| day.starts_with("2026-0"));
    assert!(truth["jodo_manual_payments"].values().all(paid_on), "paid within the year");
    let next_day = |row: &&Row| row.get("paid_on").is_some_and(|day| !row["paid_at_utc"].starts_with(day));
    assert!(truth["jodo_manual_payments"].values().filter(next_day).count() >= 10, "paid in the evening");
    let owned = truth["jodo_manual_payments"].values().filter(|row| row.contains_key("pupil_key")).count();
    assert!(owned < truth["jodo_manual_payments"].len(), "some payments name nobody");
}

#[test]
fn the_overview_adds_up() {
    let truth = truth(RUN);
    let sum = |rows: &BTreeMap<String, Row>, column: &str| -> u64 {
        rows.values().filter_map(|row| row.get(column)?.parse::<u64>().ok()).sum()
    };
    let mut counted = truth["jodo_manual_payments"].clone();
    counted.retain(|_, row| row["state"] == "recorded" && row.contains_key("pupil_key"));
    assert_eq!(sum(&truth["jodo_student_overview"], "manual_payments"), counted.len() as u64);
    assert_eq!(sum(&truth["jodo_student_overview"], "manual_paid_paise"), sum(&counted, "amount_paise"));
}
