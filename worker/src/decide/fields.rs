//! From a block of the payload to values of registers, by the tables of [`super::meaning`].

use std::fmt::{self, Display};

use jiff::tz::TimeZone;
use jodo_shared::contract::{Member, Money, Object};
use jodo_shared::outcome::Reason;

use super::findings::{Findings, Refusal};
use super::meaning::{Block, Kind};
use crate::table::{Clock, Register};

/// A register, when it was reported, and a value for each of its columns; the first is always there.
pub(super) type Written = (&'static Register, Clock, Vec<Option<String>>);

/// Reads the members of one block. An absent member writes nothing, so that silence erases nothing. `path` is where
/// `object` is: the block's, or of one element of a list.
pub(super) fn read_block(
    block: &Block,
    (path, object): (&str, &Object<'_>),
    clock: &Clock,
    zone: &TimeZone,
    findings: &mut Findings,
) -> Result<Vec<Written>, Refusal> {
    let mut written = Vec::new();
    for field in block.fields {
        let path = format_args!("{path}.{}", field.member);
        if let Some(values) = read_member(field.kind, object.member(field.member), path, zone, findings)? {
            written.push((field.register, *clock, values));
        }
    }
    Ok(written)
}

fn read_member(
    kind: Kind,
    member: Member<'_>,
    path: fmt::Arguments<'_>,
    zone: &TimeZone,
    findings: &mut Findings,
) -> Result<Option<Vec<Option<String>>>, Refusal> {
    let one = |text: String| vec![Some(text)];
    Ok(match kind {
        Kind::Key => member.key().map_err(|problem| Refusal::key(path, problem))?.map(one),
        Kind::Text => findings.take(path, member.text()).map(one),
        Kind::Notes => findings.take(path, member.notes()).map(one),
        Kind::Integer => findings.take(path, member.integer()).map(|number| one(number.to_string())),
        Kind::Boolean => findings.take(path, member.boolean()).map(|yes| one(yes.to_string())),
        Kind::Date => findings.take(path, member.date(zone)).map(one),
        Kind::Money => money(member, path)?.map(|money| amount(money).to_vec()),
        Kind::Moment => moment(member, path, zone, findings),
    })
}

/// An amount; `None` when it is absent.
pub(super) fn money(member: Member<'_>, path: impl Display) -> Result<Option<Money>, Refusal> {
    member.money().map_err(|_| Refusal::at(path, Reason::UnreadableAmount))
}

/// The columns of an amount: canonical text, paise.
pub(super) fn amount(money: Money) -> [Option<String>; 2] {
    [Some(money.to_string()), Some(money.paise().to_string())]
}

/// The columns of a datetime: text, UTC instant, day at the institute.
pub(super) fn moment(
    member: Member<'_>,
    path: impl Display,
    zone: &TimeZone,
    findings: &mut Findings,
) -> Option<Vec<Option<String>>> {
    let moment = findings.take(path, member.datetime(zone))?;
    let (utc, day) = moment.instant.map(|instant| (instant.utc, instant.local_date)).unzip();
    Some(vec![Some(moment.text), utc, day])
}
