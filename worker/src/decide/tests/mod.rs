//! Helpers of the tests of `decide`, and what it makes of the sender's samples.

mod bad_input;
mod lists;
mod properties;
mod rules;

use std::collections::HashSet;
use std::fmt::Write;

use jiff::Timestamp;
use jodo_shared::message::Message;
use serde_json::Value;

use super::*;
use crate::table::{Clock, Entity};
use crate::testing;

fn message(body: &[u8]) -> Message {
    testing::message("jodo", "main", body.to_vec())
}

fn decide_bytes(body: &[u8]) -> Decision {
    decide(&message(body), Some(&testing::rules()))
}

fn decide_json(body: &Value) -> Decision {
    decide_bytes(body.to_string().as_bytes())
}

/// The bytes of the sample of `code` in tests/fixtures/events.
fn sample_bytes(code: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../tests/fixtures/events/{code}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn sample(code: &str) -> Value {
    serde_json::from_slice(&sample_bytes(code)).unwrap()
}

/// The sample of `code` with one member, named by its JSON pointer, replaced.
fn sample_with(code: &str, pointer: &str, value: Value) -> Value {
    let mut body = sample(code);
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = value;
    body
}

/// The sample of `code`, spelled as text, with the first occurrence of `from` replaced: for what [`Value`] cannot say.
fn sample_spelled(code: &str, from: &str, to: &str) -> Decision {
    let text = sample(code).to_string();
    assert!(text.contains(from), "{from} is not in the sample");
    decide_bytes(text.replacen(from, to, 1).as_bytes())
}

/// The values that a decision writes to a register of an entity, and their clock.
fn written(decision: &Decision, entity: &Entity, register: &str) -> Option<(String, Vec<Option<String>>)> {
    decision.changes.iter().find_map(|change| match change {
        Change::Write { entity: own, registers, .. } if *own == entity => registers
            .iter()
            .find(|(own, ..)| own.name == register)
            .map(|(_, clock, values)| (clock.as_str().to_owned(), values.clone())),
        _ => None,
    })
}

/// The first column of what a decision writes to a register.
fn value(decision: &Decision, entity: &Entity, register: &str) -> Option<String> {
    written(decision, entity, register).and_then(|(_, values)| values.into_iter().next().flatten())
}

/// The key of the row of an entity that a decision touches.
fn row_key(decision: &Decision, entity: &Entity) -> Option<Vec<String>> {
    decision.changes.iter().find_map(|change| match change {
        Change::Write { entity: own, key, .. } if *own == entity => Some(key.clone()),
        _ => None,
    })
}

fn warnings(decision: &Decision) -> Vec<(&str, &str)> {
    decision.warnings.iter().map(|warning| (warning.path.as_str(), warning.problem.as_str())).collect()
}

/// A decision as text, one line for each thing that it says.
fn render(decision: &Decision) -> String {
    let mut text = String::new();
    let time = decision.time;
    writeln!(text, "{} reason={:?} detail={:?}", decision.outcome, decision.reason, decision.detail).unwrap();
    writeln!(text, "event_id={:?} code={:?} time={time:?}", decision.event_id, decision.code).unwrap();
    writeln!(text, "payload_digest={:?}", decision.payload_digest).unwrap();
    for Warning { path, problem } in &decision.warnings {
        writeln!(text, "warning {path} {problem}").unwrap();
    }
    for change in &decision.changes {
        match change {
            Change::Write { entity, key, registers, facts } => {
                writeln!(text, "write {} {key:?}", entity.name).unwrap();
                for (register, clock, values) in registers {
                    writeln!(text, "  {} {values:?} at {}", register.name, clock.as_str()).unwrap();
                }
                for (fact, clock) in facts {
                    writeln!(text, "  fact {} at {}", fact.name, clock.as_str()).unwrap();
                }
            }
            Change::Add { set, line } => writeln!(text, "add {} {line:?}", set.name).unwrap(),
        }
    }
    text
}

#[test]
fn the_samples_of_all_codes_mean_what_their_snapshots_say() {
    for code in KnownCode::ALL {
        let decision = decide_bytes(&sample_bytes(code.as_str()));
        assert_eq!(decision.outcome, Outcome::Applied, "{code}");
        assert!(decision.warnings.is_empty(), "{code}");
        insta::assert_snapshot!(code.as_str(), render(&decision));
    }
}
