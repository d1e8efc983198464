//! Lists of the payload: fee lines with what of them reached the institute, and the instalments of a plan. Each becomes
//! one register, as a whole and as canonical JSON, and lines of a set that bear the clock of that register.

use std::collections::HashMap;

use jodo_shared::contract::{MAX_LIST_BYTES, Member, Money, Object, Problem};
use jodo_shared::ids::MAX_KEY_BYTES;
use jodo_shared::outcome::Reason;
use serde_json::{Map, Value};

use super::event::Event;
use super::fields::{Written, amount, moment, money};
use super::findings::{Findings, Refusal};
use super::meaning::FeeLines;
use crate::entities::{FEE_LINES, SCHEDULE_LINES, SETTLEMENTS};
use crate::table::{Change, Clock, Fact, Register};

/// Most lines of one list. People are billed for a dozen things; a thousand is no list of those.
const MAX_LINES: usize = 1_000;

/// What a list says.
#[derive(Default)]
pub(super) struct Lists {
    /// The list as a whole; none when it is absent or cannot be kept.
    pub(super) register: Option<Written>,
    /// What it reports of its owner.
    pub(super) fact: Option<&'static Fact>,
    /// Its lines.
    pub(super) changes: Vec<Change>,
}

/// One line of a list as read.
#[derive(Default)]
struct Line {
    component: Option<String>,
    amount: Option<Money>,
    utr: Option<String>,
    settled_at: Option<Vec<Option<String>>>,
}

impl Line {
    /// `{"amount":…,"fee_component":…}`, as far as either is known.
    fn in_json(&self) -> Value {
        json([
            ("amount", self.amount.map(text)),
            ("fee_component", self.component.clone().map(Value::String)),
        ])
    }
}

/// The fee lines of a payment, and those of them that reached the institute. Where the lines may tell of settled money,
/// a list that cannot be read as a whole stops the event: nothing else would bring that money back.
pub(super) fn fee_lines(
    event: &Event<'_>,
    list: &FeeLines,
    rank: u8,
    payment: &str,
    findings: &mut Findings,
) -> Result<Lists, Refusal> {
    let elements = match (elements(event, list.path, findings), list.settles) {
        (Ok(elements), _) => elements,
        (Err(_), true) => return Err(Refusal::at(list.path, Reason::UnreadableAmount)),
        (Err(problem), false) => {
            findings.warn(list.path, problem);
            Vec::new()
        }
    };
    let lines = read_lines(&elements, list.path, list.settles.then_some(event), findings)?;
    let amounts = lines.iter().filter_map(|line| line.amount);
    if sum(amounts).is_none() {
        return Err(Refusal::at(list.path, Reason::UnreadableAmount));
    }
    let clock = event.content_clock(rank, list.content);
    let whole: Vec<_> = lines.iter().map(Line::in_json).collect();
    let register =
        register(list.register, &clock, &whole, lines.iter().map(|line| line.amount), list.path, findings);
    if list.settles && register.is_none() && !lines.is_empty() {
        return Err(Refusal::at(list.path, Reason::UnreadableAmount));
    }
    let mut changes = Vec::new();
    if register.is_some() {
        changes.extend(lines.iter().zip(1..).map(|(line, n): (_, u32)| Change::Add {
            set: &FEE_LINES,
            line: vec![
                event.tenant.to_string(),
                list.family.to_owned(),
                payment.to_owned(),
                clock.as_str().to_owned(),
                n.to_string(),
                line.component.clone().unwrap_or_default(),
                line.amount.map(|amount| amount.to_string()).unwrap_or_default(),
            ],
        }));
    }
    let settled = lines.iter().filter(|line| line.utr.is_some()).count();
    let fact = list.without_utr.filter(|_| lines.is_empty() || settled < lines.len());
    changes.extend(settlements(event, list.family, rank, payment, lines));
    Ok(Lists { register, fact, changes })
}

/// The lines that name their bank transfer, each under what tells it from others. Equal lines of one event are
/// numbered; an equal line of another event is the same one.
fn settlements(
    event: &Event<'_>,
    family: &str,
    rank: u8,
    payment: &str,
    lines: Vec<Line>,
) -> impl Iterator<Item = Change> {
    let mut seen: HashMap<_, u32> = HashMap::new();
    let clock = event.clock(rank);
    let settled = &SETTLEMENTS.facts[0];
    let settled_at = &SETTLEMENTS.registers[0];
    lines.into_iter().filter_map(move |line| {
        let amount = line.amount.map(|amount| amount.to_string()).unwrap_or_default();
        let (component, utr) = (line.component.unwrap_or_default(), line.utr?);
        let n = seen.entry((component.clone(), amount.clone(), utr.clone())).or_default();
        *n += 1;
        let key = [&event.tenant.to_string(), family, payment, &component, &amount, &utr, &n.to_string()];
        Some(Change::Write {
            entity: &SETTLEMENTS,
            key: key.map(str::to_owned).to_vec(),
            registers: line.settled_at.map(|at| (settled_at, clock, at)).into_iter().collect(),
            facts: vec![(settled, clock)],
        })
    })
}

/// The instalments of a plan.
pub(super) fn schedule(
    event: &Event<'_>,
    to: &'static Register,
    rank: u8,
    plan: &str,
    findings: &mut Findings,
) -> Result<Lists, Refusal> {
    const PATH: &str = "payload.payment_schedule";
    let clock = event.clock(rank);
    let (mut whole, mut amounts, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    let instalments = taken(elements(event, PATH, findings), PATH, findings);
    let mut lines_left = MAX_LINES;
    for (place, element) in instalments.into_iter().enumerate() {
        let path = format!("{PATH}[{place}]");
        let instalment = findings.take(&path, element.object()).unwrap_or_default();
        let due =
            findings.take(format_args!("{path}.due_date"), instalment.member("due_date").date(event.zone));
        let amount = money(instalment.member("amount"), format_args!("{path}.amount"))?;
        let details = format!("{path}.details");
        let lines = bounded(instalment.member("details"), lines_left);
        let lines = taken(lines, &details, findings);
        lines_left -= lines.len();
        let lines = read_lines(&lines, &details, None, findings)?;
        let lines = (!lines.is_empty()).then(|| lines.iter().map(Line::in_json).collect());
        whole.push(json([
            ("amount", amount.map(text)),
            ("details", lines),
            ("due_date", due.clone().map(Value::String)),
        ]));
        amounts.push(amount);
        let line =
            [plan, clock.as_str(), &(place + 1).to_string(), &due.unwrap_or_default()].map(str::to_owned);
        let amount = amount.map(|amount| amount.to_string()).unwrap_or_default();
        let line = std::iter::once(event.tenant.to_string()).chain(line).chain([amount]).collect();
        changes.push(Change::Add { set: &SCHEDULE_LINES, line });
    }
    let register = register(to, &clock, &whole, amounts.into_iter(), PATH, findings);
    if register.is_none() {
        changes.clear();
    }
    Ok(Lists { register, fact: None, changes })
}

/// The elements of the list at a path; none where there is nothing.
///
/// # Errors
/// When it is no list, or a longer one than anybody is billed by.
pub(super) fn elements<'a>(
    event: &Event<'a>,
    path: &str,
    findings: &mut Findings,
) -> Result<Vec<Member<'a>>, Problem> {
    let (parent, member) = path.rsplit_once('.').unwrap_or(("payload", path));
    let object = event.object(parent, findings);
    bounded(object.member(member), MAX_LINES)
}

/// A list of at most `most` elements; none where there is nothing.
fn bounded(member: Member<'_>, most: usize) -> Result<Vec<Member<'_>>, Problem> {
    match member.elements().split() {
        (Some(elements), _) if elements.len() > most => Err(Problem::TooLong),
        (elements, None) => Ok(elements.unwrap_or_default()),
        (_, Some(problem)) => Err(problem),
    }
}

/// The elements, or none and a warning.
fn taken<'a>(
    elements: Result<Vec<Member<'a>>, Problem>,
    path: &str,
    findings: &mut Findings,
) -> Vec<Member<'a>> {
    elements.unwrap_or_else(|problem| {
        findings.warn(path, problem);
        Vec::new()
    })
}

/// A sum; `None` when it has more digits than an amount may have.
fn sum(mut amounts: impl Iterator<Item = Money>) -> Option<Money> {
    amounts.try_fold(Money::ZERO, Money::plus)
}

/// Reads fee lines. A line of which nothing could be read stays as an empty one: how many there are is known.
/// Their bank transfers are read where `settling` is the event.
fn read_lines(
    elements: &[Member<'_>],
    path: &str,
    settling: Option<&Event<'_>>,
    findings: &mut Findings,
) -> Result<Vec<Line>, Refusal> {
    let mut lines = Vec::new();
    for (place, element) in elements.iter().enumerate() {
        let path = format!("{path}[{place}]");
        let object = findings.take(&path, element.object()).unwrap_or_default();
        let mut line = Line {
            amount: money(object.member("amount"), format_args!("{path}.amount"))?,
            ..Line::default()
        };
        if let Some(event) = settling {
            line.utr = key_part(&object, "settlement_utr", &path)?;
            let at = format_args!("{path}.settled_at");
            line.settled_at = moment(object.member("settled_at"), at, event.zone, findings);
        }
        // Of a settled line it is a part of the key.
        line.component = match &line.utr {
            Some(_) => {
                key_part(&object, "fee_component", &path)?.or(key_part(&object, "component_type", &path)?)
            }
            None => component(&object, &path, findings),
        };
        lines.push(line);
    }
    Ok(lines)
}

/// What a line is for; order-type pages and the read API call it `component_type` (C§7 row 4).
fn component(line: &Object<'_>, path: &str, findings: &mut Findings) -> Option<String> {
    ["fee_component", "component_type"].into_iter().find_map(|name| short_text(line, name, path, findings))
}

/// A text that is a part of a settlement's key: two must not become one.
fn key_part(object: &Object<'_>, name: &str, path: &str) -> Result<Option<String>, Refusal> {
    object.member(name).key().map_err(|problem| Refusal::key(format_args!("{path}.{name}"), problem))
}

/// A text that is bounded as a key is.
fn short_text(object: &Object<'_>, name: &str, path: &str, findings: &mut Findings) -> Option<String> {
    let path = format_args!("{path}.{name}");
    let text = findings.take(path, object.member(name).text())?;
    if text.len() > MAX_KEY_BYTES {
        findings.warn(path, Problem::TooLong);
        return None;
    }
    Some(text)
}

/// A list as a register: its JSON, and the sum of its amounts, which is unknown when one of them is. `None` when it is
/// empty or too long to be kept.
fn register(
    register: &'static Register,
    clock: &Clock,
    whole: &[Value],
    amounts: impl Iterator<Item = Option<Money>>,
    path: &str,
    findings: &mut Findings,
) -> Option<Written> {
    if whole.is_empty() {
        return None;
    }
    // Values of our own making, which cannot fail to become JSON.
    let json = serde_json::to_string(whole).unwrap_or_default();
    if json.len() > MAX_LIST_BYTES {
        findings.warn(path, Problem::TooLong);
        return None;
    }
    let known = amounts.collect::<Option<Vec<_>>>();
    let [sum, paise] = known.and_then(|known| sum(known.into_iter())).map(amount).unwrap_or_default();
    Some((register, *clock, vec![Some(json), sum, paise]))
}

fn text(money: Money) -> Value {
    Value::String(money.to_string())
}

/// An object of those members that have a value.
fn json<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(Map::from_iter(members))
}
