//! The naive model: the whole history at once, in order, into the rows that the views should show. It shares no code
//! with the worker.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Sent;

/// A view's row: column to text.
pub type Row = BTreeMap<&'static str, Option<String>>;

/// What the views should show.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct World {
    /// `jodo_students` by pupil key.
    pub students: BTreeMap<String, Row>,
    /// `jodo_manual_payments` by payment id.
    pub payments: BTreeMap<String, Row>,
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn digits_of(source: &str, sent: &Sent) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{source}\0{}", sent.bytes));
    hex::encode(hash.finalize())[..16].to_owned()
}

/// Two decimals, by hand.
fn money(value: &Value) -> Option<String> {
    let text = text(value)?;
    let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
    Some(format!("{whole}.{places:0<2}"))
}

/// Every jodo id that was seen beside exactly one of the ERP's numbers, and that number.
fn known_ids(history: &[Sent]) -> BTreeMap<String, String> {
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for sent in history {
        let payload = &sent.body["payload"];
        let pair = (text(&payload["jodo_student_id"]), text(&payload["student"]["identifier"]));
        if let (Some(id), Some(identifier)) = pair {
            seen.entry(id).or_default().insert(identifier);
        }
    }
    let only =
        |identifiers: BTreeSet<String>| (identifiers.len() == 1).then(|| identifiers.into_iter().next());
    seen.into_iter().filter_map(|(id, identifiers)| Some((id, only(identifiers)??))).collect()
}

/// Reads what `source` sent in order of occurrence and returns the world it leaves. The order of the slice is of no
/// account.
pub fn replay(source: &str, history: &[Sent]) -> World {
    let known = known_ids(history);
    let pupil_of = |payload: &Value| {
        let id = text(&payload["jodo_student_id"]);
        let identifier = text(&payload["student"]["identifier"]).or_else(|| known.get(id.as_ref()?).cloned());
        identifier.map(|own| format!("erp:{own}")).or_else(|| Some(format!("jodo:{}", id?)))
    };
    let code = |sent: &Sent| sent.body["event"].as_str().unwrap_or_default().to_owned();
    let in_order = |rank: &dyn Fn(&str) -> u8| {
        let mut ordered: Vec<_> = history.iter().collect();
        ordered.sort_by_cached_key(|sent| {
            (sent.body["timestamp"].as_i64(), rank(&code(sent)), digits_of(source, sent))
        });
        ordered
    };
    let mut world = World::default();

    // Profiles: masterdata has the last word within a second.
    for sent in in_order(&|code| u8::from(code.starts_with("masterdata."))) {
        let payload = &sent.body["payload"];
        let Some(pupil) = pupil_of(payload) else { continue };
        let row = world.students.entry(pupil).or_default();
        let student = &payload["student"];
        let mut put = |column, value: Option<String>| {
            if value.is_some() || !row.contains_key(column) {
                row.insert(column, value);
            }
        };
        put("identifier", text(&student["identifier"]));
        put("fullname", text(&student["fullname"]));
        put("grade_code", text(&student["grade"]["code"]));
        put("grade_name", text(&student["grade"]["name"]));
        put("contact_number", text(&student["primary_contact_number"]));
        put("enrolment", None);
        let from_masterdata = code(sent).starts_with("masterdata.");
        put("jodo_student_id", text(&payload["jodo_student_id"]).filter(|_| from_masterdata));
    }
    // Enrolment: a pupil who was dropped and reinstated within one second is reinstated.
    for sent in in_order(&|code| u8::from(code.ends_with(".activated"))) {
        let Some(row) = pupil_of(&sent.body["payload"]).and_then(|pupil| world.students.get_mut(&pupil))
        else {
            continue;
        };
        let enrolment = match code(sent).as_str() {
            "masterdata.student.dropped" => "dropped",
            "masterdata.student.activated" => "active",
            "masterdata.student.registered" if row["enrolment"].is_none() => "active",
            _ => continue,
        };
        row.insert("enrolment", Some(enrolment.to_owned()));
    }
    // Payments: what was cancelled speaks first, so that any other word about the same member replaces it.
    let mut ordered = in_order(&|code| u8::from(code.ends_with(".updated")));
    let cancelled = |sent: &&Sent| code(sent).ends_with(".cancelled");
    ordered.sort_by_cached_key(|sent| {
        if cancelled(sent) { (0, digits_of(source, sent)) } else { (1, String::new()) }
    });
    for sent in ordered {
        let payment = &sent.body["payload"]["payment"];
        let Some(id) = text(&payment["id"]) else { continue };
        let row = world.payments.entry(id).or_default();
        let mut put = |column, value: Option<String>| {
            if value.is_some() || !row.contains_key(column) {
                row.insert(column, value);
            }
        };
        put("pupil_key", pupil_of(&sent.body["payload"]));
        put("amount", money(&payment["amount"]));
        put("mode", text(&payment["mode"]));
        put("settlement_utr", text(&payment["settlement_utr"]));
        put("state", cancelled(&sent).then(|| "cancelled".to_owned()));
    }
    for row in world.payments.values_mut() {
        row.entry("state").and_modify(|state| {
            state.get_or_insert_with(|| "recorded".to_owned());
        });
    }
    world
}
