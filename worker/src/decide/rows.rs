//! The rows of an event, beside the pupil's.

use jodo_shared::contract::{Member, Object, Problem};
use jodo_shared::outcome::Reason;

use super::event::Event;
use super::fields::{Written, read_block};
use super::findings::{Findings, Refusal};
use super::lists::{self, Lists};
use super::meaning::{Block, List, Part, Row};
use crate::table::{Change, Fact};

/// What the event says of one kind of row; `pupil_key` is whom it names.
pub(super) fn changes(
    event: &Event<'_>,
    row: &Row,
    pupil_key: Option<&str>,
    findings: &mut Findings,
) -> Result<Vec<Change>, Refusal> {
    let parent = row.parent.map(|block| elsewhere(event, row, block, findings)).transpose()?;
    let parent = parent.unwrap_or_default();
    let mut changes = Vec::new();
    for (path, object) in objects(event, row, findings)? {
        let key_path = format_args!("{path}.{}", row.key);
        let key = object.member(row.key).key().map_err(|problem| Refusal::key(key_path, problem))?;
        match (key, row.part) {
            (Some(key), _) => {
                let one = of_one(event, row, (&path, &object), key, pupil_key, &parent, findings);
                changes.extend(one?);
            }
            (None, Part::Own) => return Err(Refusal::at(key_path, Reason::MissingKey)),
            (None, Part::Each) => findings.warn(key_path, Problem::Missing),
            (None, Part::Mentioned) => (),
        }
    }
    Ok(changes)
}

/// The objects that become a row each, and where they are.
///
/// A list that cannot be read stops the event: money may be in it.
fn objects<'a>(
    event: &Event<'a>,
    row: &Row,
    findings: &mut Findings,
) -> Result<Vec<(String, Object<'a>)>, Refusal> {
    if row.part != Part::Each {
        return Ok(vec![(row.path.to_owned(), event.object(row.path, findings))]);
    }
    let elements = lists::elements(event, row.path, findings);
    let elements = elements.map_err(|_| Refusal::at(row.path, Reason::UnreadableAmount))?;
    let object = |(place, element): (usize, Member<'a>)| {
        let path = format!("{}[{place}]", row.path);
        let object = findings.take(&path, element.object()).unwrap_or_default();
        (path, object)
    };
    Ok(elements.into_iter().enumerate().map(object).collect())
}

/// The members of an object elsewhere in the payload.
fn elsewhere(
    event: &Event<'_>,
    row: &Row,
    block: &Block,
    findings: &mut Findings,
) -> Result<Vec<Written>, Refusal> {
    let object = event.object(block.path, findings);
    let clock = event.content_clock(row.rank, row.content);
    read_block(block, (block.path, &object), &clock, event.zone, findings)
}

/// What is known without the row's own object: whose it is, and what code and time say.
fn given(event: &Event<'_>, row: &Row, pupil_key: Option<&str>) -> Vec<Written> {
    let clock = event.content_clock(row.rank, row.content);
    let day = row.day.map(|_| event.day()).unwrap_or_default();
    let given = row.pupil.zip(pupil_key).into_iter().chain(row.constant).chain(row.day.zip(Some(&*day)));
    given.map(|(register, value)| (register, clock, vec![Some(value.to_owned())])).collect()
}

/// The changes to the row of natural key `key`, which `object` describes.
fn of_one(
    event: &Event<'_>,
    row: &Row,
    object: (&str, &Object<'_>),
    key: String,
    pupil_key: Option<&str>,
    parent: &[Written],
    findings: &mut Findings,
) -> Result<Vec<Change>, Refusal> {
    let clock = event.content_clock(row.rank, row.content);
    let mut registers = given(event, row, pupil_key);
    registers.extend(if row.block.path == row.path {
        read_block(row.block, object, &clock, event.zone, findings)?
    } else {
        elsewhere(event, row, row.block, findings)?
    });
    registers.extend_from_slice(parent);
    let Lists { register, fact, changes } = match &row.list {
        Some(List::FeeLines(lines)) => lists::fee_lines(event, lines, row.rank, &key, findings)?,
        Some(List::Schedule(register)) => lists::schedule(event, register, row.rank, &key, findings)?,
        None => Lists::default(),
    };
    registers.extend(register);
    let reported = row.fact.into_iter().chain(fact_if(row, object, findings)).chain(fact);
    let facts = reported.map(|fact| (fact, event.clock(row.rank))).collect();
    let key = vec![event.tenant.to_string(), key];
    let write = Change::Write { entity: row.entity, key, registers, facts };
    Ok(std::iter::once(write).chain(changes).collect())
}

/// The state that a member of the object may report.
fn fact_if(row: &Row, (path, object): (&str, &Object<'_>), findings: &mut Findings) -> Option<&'static Fact> {
    let (member, fact) = row.fact_if?;
    let says_so = findings.take(format_args!("{path}.{member}"), object.member(member).boolean());
    says_so.unwrap_or(false).then_some(fact)
}
