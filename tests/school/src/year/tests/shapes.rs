//! Bodies have the shape of the samples.

use std::fs;
use std::path::Path;

use super::*;

/// Members about which the sender may say nothing.
const OPTIONAL: [&str; 24] = [
    "identifier",
    "custom_identifier",
    "collector_code",
    "fullname",
    "primary_contact_number",
    "primary_contact_email",
    "mode",
    "product",
    "reference_id",
    "paid_at",
    "transaction_id",
    "settlement_utr",
    "settled_at",
    "email",
    "student_name",
    "grade",
    "new_admission",
    "date_of_birth",
    "academic_year_start",
    "academic_year_end",
    // Of manual payments, and of schedules that name a component otherwise.
    "notes",
    "amount",
    "details",
    "fee_component",
];

/// What an event says beyond its sample.
const MORE: [&str; 5] = [
    "direct.payment.added.payload.jodo_student_id",
    "direct.payment.updated.payload.jodo_student_id",
    "direct.payment.cancelled.payload.jodo_student_id",
    "flex.subscription.setup.payload.payment_schedule.details.component_type",
    "flex.subscription.updated.payload.payment_schedule.details.component_type",
];

/// The samples by their codes, as text and read.
fn samples() -> BTreeMap<String, (String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/events");
    let sample = |entry: std::io::Result<fs::DirEntry>| {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let sample: Value = serde_json::from_str(&text).unwrap();
        (code(&sample).to_owned(), (text, sample))
    };
    fs::read_dir(folder).unwrap().map(sample).collect()
}

/// The kind of a value, from which an amount of a manual payment may differ (C§7 row 2).
fn kind(value: &Value, path: &str) -> &'static str {
    match value {
        _ if path.starts_with("direct.") && path.ends_with(".amount") => "an amount",
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn compare(sample: &Value, body: &Value, path: &str) {
    match (sample, body) {
        (Value::Object(expected), Value::Object(found)) => {
            for (name, value) in found {
                let path = format!("{path}.{name}");
                match expected.get(name) {
                    Some(sample) if says(value) || !OPTIONAL.contains(&name.as_str()) => {
                        compare(sample, value, &path);
                    }
                    Some(_) => (),
                    None => assert!(MORE.contains(&path.as_str()), "{path}"),
                }
            }
            for name in expected.keys() {
                assert!(found.contains_key(name) || OPTIONAL.contains(&name.as_str()), "{path}.{name}");
            }
        }
        (Value::Array(expected), Value::Array(found)) => {
            for (sample, value) in expected.first().into_iter().cycle().zip(found) {
                compare(sample, value, path);
            }
        }
        // What a sample does not say is a text elsewhere.
        (Value::Null, found) => assert_eq!(kind(found, path), "a text", "{path}"),
        _ => assert_eq!(kind(sample, path), kind(body, path), "{path}"),
    }
}

#[test]
fn bodies_have_the_members_and_kinds_of_the_samples() {
    let samples = samples();
    for body in YEAR.iter() {
        compare(&samples[code(body)].1, body, code(body));
    }
}

#[test]
fn envelopes_have_the_order_of_the_samples() {
    let order = |text: &str| {
        let mut names = ["event_id", "event", "timestamp", "version"];
        names.sort_by_key(|name| text.find(&format!("\"{name}\":")));
        names
    };
    let orders: BTreeMap<_, _> =
        samples().into_iter().map(|(code, (text, _))| (code, order(&text))).collect();
    for (body, parsed) in RUN.bodies().zip(YEAR.iter()) {
        assert_eq!(order(&body), orders[code(parsed)], "{}", code(parsed));
    }
}

#[test]
fn only_a_mandates_grade_is_swapped() {
    for body in YEAR.iter() {
        let grade = &body["payload"]["student"]["grade"];
        if grade.is_object() {
            let swapped = code(body).starts_with("flex.mandate.");
            let name = if swapped { &grade["code"] } else { &grade["name"] };
            let name = name.as_str().unwrap();
            assert!(name.starts_with("Grade") || name.starts_with("कक्षा"), "{body}");
        }
    }
}
