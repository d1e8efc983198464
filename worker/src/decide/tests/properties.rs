//! What holds for every delivery: an answer, always the same one, and nothing in it that a database would refuse.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Map, json};

use super::*;
use crate::entities::SETTLEMENTS;
use crate::table::ColumnType;

/// How many tests share the cases.
const TESTS: u32 = 6;

/// An equal part of the cases that `JODO_TEST_DECIDE_CASES` asks for in all; 10,000 when it asks for none.
fn config() -> Config {
    let cases = std::env::var("JODO_TEST_DECIDE_CASES").map_or(10_000, |cases| cases.parse().unwrap());
    Config::with_cases(u32::div_ceil(cases, TESTS))
}

/// A decision fit for the database, whatever it was made of.
fn assert_sound(body: &[u8]) {
    let decision = decide_bytes(body);
    assert_eq!(decision, decide_bytes(body), "the same bytes mean the same");
    assert_eq!(decision.reason.is_some(), decision.outcome == Outcome::Quarantined);
    assert!(decision.changes.is_empty() || decision.outcome == Outcome::Applied);
    for change in &decision.changes {
        match change {
            Change::Add { set, line } => {
                assert_eq!(line.len(), set.columns.len() + 1);
                assert_eq!(line[0], "main");
                line.iter().for_each(|text| assert!(!text.contains('\0') && text.len() <= 196));
            }
            Change::Write { entity, key, registers, .. } => {
                assert_eq!(key.len(), entity.key.len() + 1);
                assert_eq!(key[0], "main");
                key.iter().for_each(|text| assert!(!text.contains('\0') && text.len() <= 196));
                // A settlement's component or amount may be missing; its payment and its bank transfer may not.
                let named = if *entity == &SETTLEMENTS { &key[1..=2] } else { &key[1..] };
                named.iter().for_each(|text| assert!(!text.is_empty()));
                let names: HashSet<_> = registers.iter().map(|(register, ..)| register.name).collect();
                assert_eq!(names.len(), registers.len(), "one value per register");
                for (register, _, values) in registers {
                    assert_eq!(values.len(), register.columns.len());
                    assert!(values[0].as_ref().is_some_and(|value| !value.is_empty()));
                    for (column, value) in register.columns.iter().zip(values) {
                        value.iter().for_each(|text| assert_fits(column.kind, text));
                    }
                }
            }
        }
    }
}

fn assert_fits(kind: ColumnType, text: &str) {
    assert!(!text.contains('\0'));
    match kind {
        ColumnType::Text => (),
        ColumnType::Integer => assert_eq!(text.parse::<i64>().unwrap().to_string(), text),
        ColumnType::Date => assert_eq!(text.parse::<jiff::civil::Date>().unwrap().to_string(), text),
        ColumnType::Instant => assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text),
        ColumnType::Money => {
            let (whole, places) = text.trim_start_matches('-').split_once('.').unwrap();
            assert!(places.len() == 2 && (1..=15).contains(&whole.len()), "{text}");
            assert!(whole == "0" || !whole.starts_with('0'), "{text}");
            assert!((whole.to_owned() + places).bytes().all(|b| b.is_ascii_digit()), "{text}");
            assert_ne!(text, "-0.00");
        }
    }
}

/// JSON values of every kind, those that mean something to a reader more often than chance would have them.
fn any_json() -> impl Strategy<Value = Value> {
    const TEXTS: &[&str] = &[
        "\0",
        "a\0b",
        "2026-06-02T05:00:00+05:30",
        "2026-06-02T05:00:00",
        "1e3",
        "-0",
        "00.10",
        "student_1",
    ];
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-100_000_i32..100_000).prop_map(|hundredths| json!(f64::from(hundredths) / 100.0)),
        ".*".prop_map(Value::from),
        proptest::sample::select(TEXTS).prop_map(Value::from),
        (180_usize..200).prop_map(|length| json!("k".repeat(length))),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map(member_name(), inner, 0..6)
                .prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

fn member_name() -> impl Strategy<Value = String> {
    const NAMES: &[&str] =
        &["payment", "student", "id", "identifier", "amount", "details", "grade", "notes", "paid_at"];
    prop_oneof![proptest::sample::select(NAMES).prop_map(str::to_owned), ".{0,6}"]
}

fn known_code() -> impl Strategy<Value = &'static str> {
    let codes: Vec<_> = KnownCode::ALL.iter().map(|code| code.as_str()).collect();
    proptest::sample::select(codes)
}

/// Every place in a JSON value, as pointers.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| places(member, &format!("{here}/{name}"), found));
        }
        Value::Array(elements) => {
            elements
                .iter()
                .enumerate()
                .for_each(|(n, element)| places(element, &format!("{here}/{n}"), found));
        }
        _ => (),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_decided(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        assert_sound(&body);
    }

    #[test]
    fn any_json_is_decided(body in any_json()) {
        assert_sound(body.to_string().as_bytes());
    }

    #[test]
    fn any_payload_under_a_known_code_is_decided(code in known_code(), payload in any_json()) {
        let body = json!({"event": code, "timestamp": 1_780_377_631, "event_id": "e", "payload": payload});
        assert_sound(body.to_string().as_bytes());
    }

    #[test]
    fn a_sample_with_any_members_replaced_is_decided(
        code in known_code(),
        replacements in proptest::collection::vec((any::<proptest::sample::Index>(), any_json()), 1..4),
    ) {
        let mut body = sample(code);
        for (index, value) in replacements {
            let mut found = Vec::new();
            places(&body, "", &mut found);
            if let Some(place) = body.pointer_mut(&found[index.index(found.len())]) {
                *place = value;
            }
        }
        assert_sound(body.to_string().as_bytes());
    }

    #[test]
    fn a_sample_with_any_bytes_overwritten_is_decided(
        code in known_code(),
        bytes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut body = sample_bytes(code);
        for (index, byte) in bytes {
            let place = index.index(body.len());
            body[place] = byte;
        }
        assert_sound(&body);
    }

    #[test]
    fn an_escape_put_anywhere_into_a_sample_is_decided(
        code in known_code(),
        index in any::<proptest::sample::Index>(),
        escape in proptest::sample::select(&[r"\u0000", r"\ud800", r"\udc00", r"\ud83d\ude00", r"\n"][..]),
    ) {
        let mut body = sample(code).to_string();
        let place = index.index(body.len());
        body.insert_str(place, escape);
        assert_sound(body.as_bytes());
    }
}
