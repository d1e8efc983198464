//! Fee lines and payment schedules, as Jodo sends them and as JSON in the views.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::reading::{amount, canonical, date, datetime, paise, text};
use super::words::Settlement;

/// One fee line.
pub(super) struct FeeLine {
    pub(super) component: Option<String>,
    pub(super) amount: Option<String>,
    utr: Option<String>,
    settled_at: Option<String>,
}

impl FeeLine {
    /// A line that has only an amount.
    pub(super) fn of_amount(amount: Option<String>) -> Self {
        Self { component: None, amount, utr: None, settled_at: None }
    }
}

/// The lines of `details`, be it Jodo's or the JSON that [`lines_json`] makes.
pub(super) fn fee_lines(details: &Value) -> Vec<FeeLine> {
    let list = details.as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |line: &Value| FeeLine {
        component: text(&line["fee_component"]).or_else(|| text(&line["component_type"])),
        amount: amount(&line["amount"]),
        utr: text(&line["settlement_utr"]),
        settled_at: datetime(&line["settled_at"]),
    };
    list.iter().map(line).collect()
}

/// The lines of a view's JSON.
pub(super) fn lines_of(json: Option<&str>) -> Vec<FeeLine> {
    fee_lines(&parsed(json))
}

/// The lines as JSON; without lines there is none.
pub(super) fn lines_json(lines: &[FeeLine]) -> Option<String> {
    let line = |line: &FeeLine| {
        object([("amount", text_value(&line.amount)), ("fee_component", text_value(&line.component))])
    };
    some_list(lines.iter().map(line).collect()).map(|list| canonical(&list))
}

/// What the lines add up to, in paise; unknown without lines, or when one has no amount.
pub(super) fn lines_sum(lines: &[FeeLine]) -> Option<i64> {
    sum(lines.iter().map(|line| line.amount.as_deref()))
}

/// Whether a line has no UTR, or no line is there that could.
pub(super) fn lacks_utr(lines: &[FeeLine]) -> bool {
    lines.is_empty() || lines.iter().any(|line| line.utr.is_none())
}

/// The settlements that the lines of one event name, each with its time if it has one.
pub(super) fn settlements(lines: &[FeeLine]) -> Vec<(Settlement, Option<String>)> {
    let mut counts: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    let mut settlements = Vec::new();
    for line in lines {
        let Some(utr) = line.utr.clone() else { continue };
        let component = line.component.clone().unwrap_or_default();
        let amount = line.amount.clone().unwrap_or_default();
        let n = counts.entry((component.clone(), amount.clone(), utr.clone())).or_default();
        *n += 1;
        settlements.push((Settlement { component, amount, utr, n: *n }, line.settled_at.clone()));
    }
    settlements
}

/// A payment schedule as JSON; without entries there is none.
pub(super) fn schedule_json(schedule: &Value) -> Option<String> {
    let entry = |entry: &Value| {
        let details = lines_json(&fee_lines(&entry["details"]));
        object([
            ("amount", text_value(&amount(&entry["amount"]))),
            ("details", details.map(|json| parsed(Some(&json)))),
            ("due_date", text_value(&date(&entry["due_date"]))),
        ])
    };
    some_list(schedule.as_array()?.iter().map(entry).collect()).map(|list| canonical(&list))
}

/// One entry of a schedule.
pub(super) struct Due {
    pub(super) on: Option<String>,
    pub(super) amount: Option<String>,
}

/// The entries of a view's schedule.
pub(super) fn schedule_of(json: Option<&str>) -> Vec<Due> {
    let schedule = parsed(json);
    let list = schedule.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|entry| Due { on: text(&entry["due_date"]), amount: text(&entry["amount"]) }).collect()
}

/// What a schedule adds up to, in paise; unknown without entries, or when one has no amount.
pub(super) fn schedule_sum(entries: &[Due]) -> Option<i64> {
    sum(entries.iter().map(|entry| entry.amount.as_deref()))
}

fn sum<'a>(mut amounts: impl ExactSizeIterator<Item = Option<&'a str>>) -> Option<i64> {
    if amounts.len() == 0 {
        return None;
    }
    amounts.try_fold(0, |sum, amount| Some(sum + paise(amount?)?))
}

fn parsed(json: Option<&str>) -> Value {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

fn text_value(text: &Option<String>) -> Option<Value> {
    text.clone().map(Value::from)
}

fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

fn some_list(list: Vec<Value>) -> Option<Value> {
    (!list.is_empty()).then_some(Value::Array(list))
}
