//! A value of a register in words. The words follow from the declaration; lists are told briefly.

use jodo_worker::table::{ColumnType, Register};
use serde_json::Value;

/// Longest text that is told whole, in characters; the JSON output has all of it.
const LONGEST: usize = 120;

/// A value of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// `amount 22000.00`.
    Short(String),
    /// `fee lines: TUITION_FEE 20000.00, TRANSPORT_FEE 2000.00`; has commas of its own.
    List(String),
}

/// The value that an event wrote to `register`.
pub(super) fn told(register: &Register, columns: &[Option<String>]) -> Told {
    let first = columns.first().and_then(Option::as_deref).unwrap_or_default();
    let day = columns.get(2).and_then(Option::as_deref);
    match register.name {
        "details" => Told::List(format!("fee lines: {}", fee_lines(first))),
        "schedule" => {
            let sum = columns.get(1).and_then(Option::as_deref);
            Told::List(format!("schedule: {}", schedule(first, sum)))
        }
        "notes" => notes(first),
        "pupil" => Told::Short(format!("pupil {}", number_of(first))),
        "subscription" => Told::Short(format!("plan {}", cut(first))),
        "application" => Told::Short(format!("loan {}", cut(first))),
        name if is_moment(register) => {
            let what = words(name.strip_suffix("_at").unwrap_or(name));
            Told::Short(format!("{what} on {}", day.unwrap_or(first)))
        }
        name => Told::Short(format!("{} {}", words(name), cut(first))),
    }
}

/// A pupil's key without its `erp:` or `jodo:`.
pub(super) fn number_of(pupil_key: &str) -> &str {
    pupil_key.split_once(':').map_or(pupil_key, |(_, number)| number)
}

/// A name of the declaration as people write it: `settled_without_utr` is `settled without UTR`.
pub(super) fn words(name: &str) -> String {
    let words = name.split('_').map(|word| match word {
        "utr" => "UTR",
        "npci" => "NPCI",
        "id" => "ID",
        "jodo" => "Jodo",
        "fullname" => "full name",
        word => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether a register holds a datetime: its text, its instant, and its day at the institute.
fn is_moment(register: &Register) -> bool {
    register.columns.iter().any(|column| column.kind == ColumnType::Instant)
}

/// `TUITION_FEE 20000.00, TRANSPORT_FEE 2000.00`.
fn fee_lines(json: &str) -> String {
    let Ok(Value::Array(lines)) = serde_json::from_str(json) else { return cut(json) };
    let lines = lines.iter().map(|line| {
        let component = line["fee_component"].as_str().unwrap_or_default();
        fee_line(component, line["amount"].as_str().unwrap_or_default())
    });
    lines.collect::<Vec<_>>().join(", ")
}

/// `TUITION_FEE 20000.00`; either may be unknown.
pub(super) fn fee_line(component: &str, amount: &str) -> String {
    match (component, amount) {
        ("", amount) => format!("a line without a fee head {amount}").trim_end().to_owned(),
        (component, "") => format!("{} of unknown amount", cut(component)),
        (component, amount) => format!("{} {amount}", cut(component)),
    }
}

/// `3 instalments from 2026-07-05 to 2026-11-05, 62000.00 in all`.
fn schedule(json: &str, sum: Option<&str>) -> String {
    let Ok(Value::Array(instalments)) = serde_json::from_str(json) else { return cut(json) };
    let mut days: Vec<_> = instalments.iter().filter_map(|one| one["due_date"].as_str()).collect();
    days.sort_unstable();
    let span = match (days.first(), days.last()) {
        (Some(first), Some(last)) if first != last => format!(" from {first} to {last}"),
        (Some(day), _) => format!(" on {day}"),
        _ => String::new(),
    };
    let sum = sum.map(|sum| format!(", {sum} in all")).unwrap_or_default();
    crate::wording::count(instalments.len() as i64, "instalment", "instalments") + &span + &sum
}

/// Free text in quotes; a list as `registration number REG-0731, house Kaveri`.
fn notes(text: &str) -> Told {
    let Ok(Value::Array(pairs)) = serde_json::from_str(text) else {
        return Told::Short(format!("notes “{}”", cut(text)));
    };
    if pairs.is_empty() {
        return Told::Short("no notes".to_owned());
    }
    let pairs = pairs.iter().map(|pair| match (pair["key"].as_str(), pair["value"].as_str()) {
        (Some(key), Some(value)) => format!("{} {value}", key.replace('_', " ")),
        _ => pair.to_string(),
    });
    Told::List(format!("notes: {}", cut(&pairs.collect::<Vec<_>>().join(", "))))
}

/// A text of bounded length.
fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jodo_worker::entities::{EMIS, FLEX_PAYMENTS, LOANS, ORDERS, SUBSCRIPTIONS};
    use jodo_worker::table::Entity;

    use super::*;

    fn tell(entity: &Entity, register: &str, columns: &[&str]) -> String {
        let register = entity.registers.iter().find(|one| one.name == register).unwrap();
        let columns: Vec<_> =
            columns.iter().map(|text| Some((*text).to_owned()).filter(|text| !text.is_empty())).collect();
        match told(register, &columns) {
            Told::Short(text) | Told::List(text) => text,
        }
    }

    #[test]
    fn values_are_told_by_their_names_and_kinds() {
        assert_eq!(tell(&FLEX_PAYMENTS, "amount", &["22000.00", "2200000"]), "amount 22000.00");
        assert_eq!(tell(&FLEX_PAYMENTS, "reference_id", &["NACH26"]), "reference ID NACH26");
        assert_eq!(tell(&FLEX_PAYMENTS, "subscription", &["88140"]), "plan 88140");
        assert_eq!(tell(&EMIS, "due_on", &["2026-08-05"]), "due on 2026-08-05");
        let signed = ["2026-06-05T06:20:33Z", "2026-06-05T06:20:33Z", "2026-06-05"];
        assert_eq!(tell(&LOANS, "agreement_signed_at", &signed), "agreement signed on 2026-06-05");
        assert_eq!(tell(&ORDERS, "paid_at", &["yesterday", "", ""]), "paid on yesterday");
    }

    #[test]
    fn lists_are_told_briefly() {
        let lines = r#"[{"amount":"20000.00","fee_component":"TUITION_FEE"},{"amount":"1.00"},{}]"#;
        assert_eq!(
            tell(&ORDERS, "details", &[lines]),
            "fee lines: TUITION_FEE 20000.00, a line without a fee head 1.00, a line without a fee head"
        );
        let plan = r#"[{"amount":"2.00","due_date":"2026-09-05"},{"due_date":"2026-07-05"}]"#;
        assert_eq!(
            tell(&SUBSCRIPTIONS, "schedule", &[plan, "62000.00"]),
            "schedule: 2 instalments from 2026-07-05 to 2026-09-05, 62000.00 in all"
        );
        assert_eq!(tell(&SUBSCRIPTIONS, "schedule", &["[{}]", ""]), "schedule: 1 instalment");
    }

    #[test]
    fn notes_are_a_text_or_a_list() {
        assert_eq!(tell(&ORDERS, "notes", &["Cheque 004411, term 1"]), "notes “Cheque 004411, term 1”");
        let pairs = r#"[{"key":"erp_reference_id","value":"ERP-93"},{"value":1}]"#;
        assert_eq!(tell(&ORDERS, "notes", &[pairs]), r#"notes: erp reference id ERP-93, {"value":1}"#);
        assert_eq!(tell(&ORDERS, "notes", &["[]"]), "no notes");
        assert_eq!(tell(&ORDERS, "notes", &[&"é".repeat(200)]), format!("notes “{}…”", "é".repeat(120)));
    }
}
