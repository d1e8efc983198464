//! From a block of the payload to values of registers, by the tables of [`super::meaning`].

use jiff::tz::TimeZone;
use jodo_shared::contract::{MAX_LIST_BYTES, Member, Money, Object, Problem};
use jodo_shared::outcome::Reason;
use serde_json::{Map, Value};

use super::findings::{Findings, Refusal};
use super::meaning::{Block, Kind};
use crate::table::{Clock, Register};

/// A register, when it was reported, and a value for each of its columns; the first is always there.
pub(super) type Written = (&'static Register, Clock, Vec<Option<String>>);

/// Reads the members of one block. An absent member writes nothing, so that silence erases nothing.
pub(super) fn read_block(
    block: &Block,
    object: &Object<'_>,
    clock: &Clock,
    zone: &TimeZone,
    findings: &mut Findings,
) -> Result<Vec<Written>, Refusal> {
    let mut written = Vec::new();
    for field in block.fields {
        let path = format!("{}.{}", block.path, field.member);
        if let Some(values) = read_member(field.kind, object.member(field.member), &path, zone, findings)? {
            written.push((field.register, clock.clone(), values));
        }
    }
    Ok(written)
}

fn read_member(
    kind: Kind,
    member: Member<'_>,
    path: &str,
    zone: &TimeZone,
    findings: &mut Findings,
) -> Result<Option<Vec<Option<String>>>, Refusal> {
    let one = |text: String| vec![Some(text)];
    Ok(match kind {
        Kind::Key => member.key().map_err(|problem| Refusal::key(path, problem))?.map(one),
        Kind::Text => findings.take(path, member.text()).map(one),
        Kind::Notes => findings.take(path, member.notes()).map(one),
        Kind::Integer => findings.take(path, member.integer()).map(|number| one(number.to_string())),
        Kind::Money => {
            money(member, path)?.map(|money| vec![Some(money.to_string()), Some(money.paise().to_string())])
        }
        Kind::Moment => findings.take(path, member.datetime(zone)).map(|moment| {
            let (utc, day) = moment.instant.map(|instant| (instant.utc, instant.local_date)).unzip();
            vec![Some(moment.text), utc, day]
        }),
        Kind::FeeLines => fee_lines(member, path, findings)?,
    })
}

fn money(member: Member<'_>, path: &str) -> Result<Option<Money>, Refusal> {
    member.money().map_err(|_| Refusal::at(path, Reason::UnreadableAmount))
}

/// Fee lines as one list, each with the members that could be read, and the sum of their amounts in paise, which is
/// unknown when a line has none. A line of which nothing could be read stays as `{}`: how many there are is known.
fn fee_lines(
    member: Member<'_>,
    path: &str,
    findings: &mut Findings,
) -> Result<Option<Vec<Option<String>>>, Refusal> {
    let Some(elements) = findings.take(path, member.elements()) else { return Ok(None) };
    let mut lines = Vec::new();
    let mut sum = Some(0_i64);
    for (place, element) in elements.into_iter().enumerate() {
        let path = format!("{path}[{place}]");
        let line = findings.take(&path, element.object()).unwrap_or_default();
        let amount = money(line.member("amount"), &format!("{path}.amount"))?;
        let component = fee_component(&line, &path, findings);
        let members = [("amount", amount.map(|amount| amount.to_string())), ("fee_component", component)];
        let members =
            members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::String(text?))));
        lines.push(Value::Object(Map::from_iter(members)));
        sum = sum.zip(amount).and_then(|(sum, amount)| sum.checked_add(amount.paise()));
    }
    let text = Value::Array(lines).to_string();
    if text.len() > MAX_LIST_BYTES {
        findings.warn(path, Problem::TooLong);
        return Ok(None);
    }
    Ok(Some(vec![Some(text), sum.map(|sum| sum.to_string())]))
}

/// What a line is for; order-type pages and the read API call it `component_type` (C§7 row 4).
fn fee_component(line: &Object<'_>, path: &str, findings: &mut Findings) -> Option<String> {
    ["fee_component", "component_type"]
        .into_iter()
        .find_map(|name| findings.take(format_args!("{path}.{name}"), line.member(name).text()))
}
