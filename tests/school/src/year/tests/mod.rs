//! The school year.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;

use super::{Event, Year};
use crate::run::{PREFIX, Run, Scenario};

mod keys;
mod oddities;
mod shapes;

const RUN: Run = run(7, 200);

/// The events of [`RUN`].
static YEAR: LazyLock<Vec<Value>> = LazyLock::new(|| history(RUN));

const fn run(seed: u64, students: u64) -> Run {
    Run { seed, students, scenario: Scenario::SchoolYear }
}

fn history(run: Run) -> Vec<Value> {
    run.bodies().map(|body| serde_json::from_str(&body).unwrap()).collect()
}

fn code(body: &Value) -> &str {
    body["event"].as_str().unwrap()
}

/// Whether a member says something (C§7 row 12).
fn says(member: &Value) -> bool {
    !member.is_null() && member != ""
}

#[test]
fn one_run_gives_the_same_bytes_each_time() {
    let bytes = |run: Run| run.bodies().collect::<Vec<_>>();
    assert_eq!(bytes(RUN), bytes(RUN));
    assert_ne!(bytes(RUN), bytes(run(8, 200)));
}

#[test]
fn each_event_has_its_own_second_of_the_year() {
    let mut latest = super::calendar::START;
    let mut bodies = RUN.bodies();
    for Event { time, body } in Year::new(RUN) {
        assert!(time > latest);
        latest = time;
        assert!(body.contains(&format!("\"timestamp\":{time},")));
        assert_eq!(bodies.next(), Some(body));
    }
    assert!(latest < super::calendar::END + super::calendar::HOUR);
    assert_eq!(bodies.next(), None);
}

#[test]
fn events_of_every_code_happen_in_a_school_of_two_hundred() {
    for seed in 0..4 {
        let history = history(run(seed, 200));
        let codes: BTreeSet<_> = history.iter().map(code).collect();
        assert_eq!(codes.len(), 36, "{seed}: {codes:?}");
        let each = history.len() / 200;
        assert!((15..=25).contains(&each), "{seed}: {each}");
    }
}

#[test]
fn a_school_may_be_small() {
    for students in 1..20 {
        assert!(run(3, students).bodies().next().is_some());
    }
}

#[test]
fn no_amount_has_more_than_two_places() {
    for body in RUN.bodies() {
        for (_, rest) in body.match_indices("amount\":").map(|(at, name)| body.split_at(at + name.len())) {
            let spelled = rest.trim_start_matches('"').split(['"', ',', '}']).next().unwrap();
            let (rupees, paise) = spelled.split_once('.').unwrap_or((spelled, ""));
            assert!(rupees.parse::<u64>().is_ok() && paise.len() <= 2, "{spelled}");
        }
    }
}

#[test]
fn lines_add_up_to_the_amount_unless_only_a_part_is_settled() {
    let paise = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (text.parse::<f64>().unwrap() * 100.0).round() as u64
    };
    let sum =
        |lines: &Value| lines.as_array().unwrap().iter().map(|line| paise(&line["amount"])).sum::<u64>();
    for body in YEAR.iter() {
        let payment = &body["payload"]["payment"];
        if says(&payment["details"]) {
            let (amount, sum) = (paise(&payment["amount"]), sum(&payment["details"]));
            assert!(sum == amount || sum < amount && code(body).ends_with("settled"), "{body}");
        }
        for instalment in body["payload"]["payment_schedule"].as_array().into_iter().flatten() {
            assert_eq!(sum(&instalment["details"]), paise(&instalment["amount"]));
        }
    }
}

#[test]
fn the_sender_spells_in_many_ways() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for body in RUN.bodies() {
        // Already tomorrow in India.
        let evening = |at: usize| {
            let moment = &body[at + "\"paid_at\":\"".len()..];
            moment[19..].starts_with('Z') && &moment[11..16] >= "18:30"
        };
        let seen = [
            ("in UTC", body.contains("Z\"")),
            ("in India", body.contains("+05:30\"")),
            ("in the evening", body.match_indices("\"paid_at\":\"2026").any(|(at, _)| evening(at))),
            ("Hindi", body.contains("कक्षा")),
            ("a quotation", body.contains("\\\"")),
            ("an amount that looks whole", body.contains("000,")),
            ("an amount with a point", body.contains("00.0,")),
            ("an amount in a text", body.contains("amount\":\"")),
            ("a line with component_type in a plan", body.contains("[{\"component_type\":\"TUITION_FEE")),
            ("null", body.contains(":null")),
            ("an empty text", body.contains(":\"\"")),
            ("no notes", body.contains("\"notes\":[]")),
        ];
        seen.iter().for_each(|(what, so)| *counts.entry(what).or_default() += usize::from(*so));
    }
    assert!(counts.values().all(|count| *count > 0), "{counts:?}");
}
