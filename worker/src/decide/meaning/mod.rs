//! What each event means, as tables: which rows it writes, which facts it reports, how it ranks, and which member of its
//! payload becomes which register. `decide` and docs/EVENTS.md follow from them.
//!
//! [`codes`] has an entry for each code, [`blocks`] the objects of the payloads. A register or fact that is named there
//! and not declared in [`crate::entities`] does not compile.

pub mod blocks;
pub mod codes;

use jodo_shared::contract::KnownCode;

use self::codes::MEANINGS;
use crate::table::{Entity, Fact, Register};

/// What one event code stands for.
#[derive(Debug)]
pub struct Meaning {
    /// The code.
    pub code: KnownCode,
    /// What its student block says; `None` for the families that have none.
    pub student: Option<Student>,
    /// The row that it is about, beside the pupil's.
    pub row: Option<Row>,
    /// What else it writes: a parent that it mentions, or the tranches of a loan.
    pub also: Option<Row>,
}

impl Meaning {
    /// The rows it writes beside the pupil's, its own first.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.row.iter().chain(&self.also)
    }
}

/// How a student block counts.
#[derive(Debug, Clone, Copy)]
pub struct Student {
    /// Rank of what it says. Master data is about the pupil, the other families only mention the pupil.
    pub rank: u8,
    /// Whether its grade is read; mandate events have code and name swapped (C§2).
    pub grade: bool,
    /// What it reports of the pupil's enrolment. Such an event is about the pupil, who must be named.
    pub enrolment: Option<(&'static Fact, u8)>,
}

/// A row that an event writes.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Of which entity.
    pub entity: &'static Entity,
    /// Where the object is that holds its natural key.
    pub path: &'static str,
    /// The natural key's member in that object.
    pub key: &'static str,
    /// What the row is to the event.
    pub part: Part,
    /// Rank of what is said of it, among the events of the same second (C§7 row 14).
    pub rank: u8,
    /// How far the content counts.
    pub content: Content,
    /// The state that is reported.
    pub fact: Option<&'static Fact>,
    /// A state that is reported where a member of the object is `true`.
    pub fact_if: Option<(&'static str, &'static Fact)>,
    /// The members that are read: of that object, or of another where the key stands apart.
    pub block: &'static Block,
    /// The natural key of what it belongs to, elsewhere in the payload.
    pub parent: Option<&'static Block>,
    /// Where the pupil goes.
    pub pupil: Option<&'static Register>,
    /// What the code alone says.
    pub constant: Option<(&'static Register, &'static str)>,
    /// Where the day of the event goes, at the institute.
    pub day: Option<&'static Register>,
    /// The list in it, if there is one.
    pub list: Option<List>,
}

/// What a row is to the event that writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What the event is about: without its natural key the event waits for a person.
    Own,
    /// Something that it mentions, if it does.
    Mentioned,
    /// One row for each object of the list at the path.
    Each,
}

/// How far content counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// By the event's time, and by the row's rank among those of the same second.
    Ranked,
    /// Only while no other event has supplied it, whatever their times. C§8 lets a cancellation create a record, but
    /// takes its content from the newest of the others; a settlement may name only some of the lines.
    Fallback,
}

/// A list that becomes one register, as a whole, and lines of a set.
#[derive(Debug, Clone, Copy)]
pub enum List {
    /// Fee lines.
    FeeLines(FeeLines),
    /// The instalments of a plan: member `payment_schedule` of the payload.
    Schedule(&'static Register),
}

/// Fee lines of a payment.
#[derive(Debug, Clone, Copy)]
pub struct FeeLines {
    /// Where they are.
    pub path: &'static str,
    /// Where the list goes.
    pub register: &'static Register,
    /// How far the list counts.
    pub content: Content,
    /// Our word for the family of payments; part of the key of its settlements and lines.
    pub family: &'static str,
    /// Whether a line may say by which bank transfer it reached the institute (C§7 row 7).
    pub settles: bool,
    /// The fact that such a line is missing from an event that reports a settlement.
    pub without_utr: Option<&'static Fact>,
}

/// An object of the payload, and what becomes of its members.
#[derive(Debug)]
pub struct Block {
    /// Where it is in the body.
    pub path: &'static str,
    /// The members that are read, one register each.
    pub fields: &'static [Field],
}

/// One member of a payload.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub member: &'static str,
    /// How it is read.
    pub kind: Kind,
    /// Where it goes.
    pub register: &'static Register,
}

/// How a member is read; each kind fills the register's columns in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A natural key.
    Key,
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// Yes or no: `true` or `false`.
    Boolean,
    /// An amount: canonical text, paise.
    Money,
    /// A datetime: text, UTC instant, day at the institute.
    Moment,
    /// A calendar day.
    Date,
    /// Free text or a list, the latter as canonical JSON.
    Notes,
}

/// The meaning of a code; every known code has one.
pub fn meaning_of(code: KnownCode) -> Option<&'static Meaning> {
    MEANINGS.iter().find(|meaning| meaning.code == code)
}

/// Evaluated by the compiler only: a name that is not declared is a compile error.
const fn register(entity: &'static Entity, name: &str) -> &'static Register {
    let mut place = 0;
    while !same(entity.registers[place].name, name) {
        place += 1;
    }
    &entity.registers[place]
}

/// Evaluated by the compiler only, as [`register`].
const fn fact(entity: &'static Entity, name: &str) -> &'static Fact {
    let mut place = 0;
    while !same(entity.facts[place].name, name) {
        place += 1;
    }
    &entity.facts[place]
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut place = 0;
    while place < one.len() && place < other.len() && one[place] == other[place] {
        place += 1;
    }
    place == one.len() && place == other.len()
}

#[cfg(test)]
mod tests {
    use super::blocks::{GRADE, JODO_STUDENT_ID, STUDENT};
    use super::*;
    use crate::entities::{ENTITIES, SETTLEMENTS, STUDENTS};

    #[test]
    fn every_known_code_has_one_meaning() {
        for code in KnownCode::ALL {
            assert_eq!(MEANINGS.iter().filter(|meaning| meaning.code == *code).count(), 1, "{code}");
        }
        assert_eq!(MEANINGS.len(), KnownCode::ALL.len());
    }

    /// The registers of `entity` that some event fills, and the facts that some event reports.
    fn used(entity: &'static Entity) -> (Vec<&'static str>, Vec<&'static str>) {
        let (mut registers, mut facts) = (Vec::new(), Vec::new());
        for row in MEANINGS.iter().flat_map(Meaning::rows).filter(|row| row.entity == entity) {
            let fields = [row.block]
                .into_iter()
                .chain(row.parent)
                .flat_map(|block| block.fields)
                .map(|field| field.register);
            registers.extend(
                fields.chain(row.pupil).chain(row.constant.map(|(register, _)| register)).chain(row.day),
            );
            facts.extend(
                row.fact.iter().chain(row.fact_if.iter().map(|(_, fact)| fact)).map(|fact| fact.name),
            );
            match &row.list {
                Some(List::FeeLines(lines)) => {
                    registers.push(lines.register);
                    facts.extend(lines.without_utr.map(|fact| fact.name));
                }
                Some(List::Schedule(register)) => registers.push(register),
                None => (),
            }
        }
        (registers.into_iter().map(|register| register.name).collect(), facts)
    }

    #[test]
    fn every_register_is_filled_and_every_fact_reported_by_some_event() {
        for entity in ENTITIES.iter().filter(|entity| **entity != &SETTLEMENTS) {
            let (mut registers, mut facts) = used(entity);
            if *entity == &STUDENTS {
                registers.extend(
                    [&STUDENT, &GRADE].iter().flat_map(|block| block.fields).map(|f| f.register.name),
                );
                registers.push(JODO_STUDENT_ID.register.name);
                facts.extend(MEANINGS.iter().filter_map(|meaning| Some(meaning.student?.enrolment?.0.name)));
            }
            for register in entity.registers {
                assert!(registers.contains(&register.name), "{} {}", entity.name, register.name);
            }
            for fact in entity.facts {
                assert!(facts.contains(&fact.name), "{} {}", entity.name, fact.name);
            }
        }
    }
}
