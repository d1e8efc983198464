//! What each event means, as tables: which facts it reports, how it ranks, and which member of its payload becomes
//! which register. `decide` and docs/EVENTS.md follow from them.
//!
//! A register or fact that is named here and not declared in [`crate::entities`] does not compile.

use jodo_shared::contract::KnownCode;

use crate::entities::{MANUAL_PAYMENTS, STUDENTS};
use crate::table::{Entity, Fact, Register};

/// What one event code stands for.
#[derive(Debug)]
pub struct Meaning {
    /// The code.
    pub code: KnownCode,
    /// What it is about.
    pub subject: Subject,
    /// The state that it reports.
    pub fact: &'static Fact,
    /// Rank of that report among those of the same second.
    pub fact_rank: u8,
    /// Rank of what its student block says. Master data is about the pupil, a payment only mentions the pupil.
    pub profile_rank: u8,
}

/// What an event is about, beside the pupil that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The pupil's enrolment.
    Enrolment,
    /// A manual payment.
    ManualPayment(Content),
}

/// How far the content of a record counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// By the event's time, and with this rank among those of the same second.
    Ranked(u8),
    /// Only while no other event has supplied it, whatever their times: C§8 lets a cancellation create a record, but
    /// takes its content from the newest of the others.
    Fallback,
}

/// Every code that this version merges. At equal seconds the state that goes further has the higher rank (C§7 row
/// 14); how facts combine into a state (C§8) is in the views.
pub static MEANINGS: &[Meaning] = &[
    enrolment(KnownCode::StudentRegistered, "registered", 10),
    enrolment(KnownCode::StudentDropped, "dropped", 20),
    enrolment(KnownCode::StudentActivated, "activated", 30),
    manual_payment(KnownCode::DirectPaymentAdded, "added", 10, Content::Ranked(10)),
    manual_payment(KnownCode::DirectPaymentUpdated, "updated", 20, Content::Ranked(20)),
    manual_payment(KnownCode::DirectPaymentCancelled, "cancelled", 30, Content::Fallback),
];

/// The meaning of a code; `None` while this version only stores it.
pub fn meaning_of(code: KnownCode) -> Option<&'static Meaning> {
    MEANINGS.iter().find(|meaning| meaning.code == code)
}

const fn enrolment(code: KnownCode, state: &str, rank: u8) -> Meaning {
    let fact = fact(&STUDENTS, state);
    Meaning { code, subject: Subject::Enrolment, fact, fact_rank: rank, profile_rank: 20 }
}

const fn manual_payment(code: KnownCode, state: &str, rank: u8, content: Content) -> Meaning {
    let fact = fact(&MANUAL_PAYMENTS, state);
    Meaning { code, subject: Subject::ManualPayment(content), fact, fact_rank: rank, profile_rank: 10 }
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
    /// An amount: canonical text, paise.
    Money,
    /// A datetime: text, UTC instant, day at the institute.
    Moment,
    /// Free text or a list, the latter as canonical JSON.
    Notes,
    /// Fee lines: canonical JSON, sum in paise.
    FeeLines,
}

/// The student block, as far as it is flat (C§2).
pub static STUDENT: Block = Block {
    path: "payload.student",
    fields: &[
        field("identifier", Kind::Key, &STUDENTS, "identifier"),
        field("custom_identifier", Kind::Text, &STUDENTS, "custom_identifier"),
        field("collector_code", Kind::Text, &STUDENTS, "collector_code"),
        field("fullname", Kind::Text, &STUDENTS, "fullname"),
        field("academic_year_start", Kind::Integer, &STUDENTS, "academic_year_start"),
        field("academic_year_end", Kind::Integer, &STUDENTS, "academic_year_end"),
        field("primary_contact_number", Kind::Text, &STUDENTS, "contact_number"),
        field("primary_contact_email", Kind::Text, &STUDENTS, "contact_email"),
        field("notes", Kind::Notes, &STUDENTS, "notes"),
    ],
};

/// The grade within the student block.
pub static GRADE: Block = Block {
    path: "payload.student.grade",
    fields: &[
        field("code", Kind::Text, &STUDENTS, "grade_code"),
        field("name", Kind::Text, &STUDENTS, "grade_name"),
    ],
};

/// The sender's own number of the pupil, beside the student block. Only master data settles which is the pupil's.
pub static JODO_STUDENT_ID: Field = field("jodo_student_id", Kind::Key, &STUDENTS, "jodo_student_id");

/// A manual payment (C§3.2).
pub static MANUAL_PAYMENT: Block = Block {
    path: "payload.payment",
    fields: &[
        field("amount", Kind::Money, &MANUAL_PAYMENTS, "amount"),
        field("mode", Kind::Text, &MANUAL_PAYMENTS, "mode"),
        field("transaction_id", Kind::Text, &MANUAL_PAYMENTS, "transaction_id"),
        field("settlement_utr", Kind::Text, &MANUAL_PAYMENTS, "settlement_utr"),
        field("notes", Kind::Notes, &MANUAL_PAYMENTS, "notes"),
        field("paid_at", Kind::Moment, &MANUAL_PAYMENTS, "paid_at"),
        field("details", Kind::FeeLines, &MANUAL_PAYMENTS, "details"),
    ],
};

/// Whose a manual payment is; its value is derived, no single member holds it.
pub static PAYMENT_PUPIL: &Register = register(&MANUAL_PAYMENTS, "pupil");

const fn field(member: &'static str, kind: Kind, entity: &'static Entity, name: &str) -> Field {
    Field { member, kind, register: register(entity, name) }
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
    use super::*;

    #[test]
    fn exactly_the_codes_that_count_as_merged_have_a_meaning() {
        for code in KnownCode::ALL {
            assert_eq!(meaning_of(*code).is_some(), code.is_merged(), "{code}");
        }
    }

    #[test]
    fn every_register_is_filled_by_exactly_one_field() {
        let of = |blocks: &[&Block], single: &'static Register| {
            let fields = blocks.iter().flat_map(|block| block.fields);
            fields.map(|field| field.register).chain([single]).collect::<Vec<_>>()
        };
        for (entity, filled) in [
            (&STUDENTS, of(&[&STUDENT, &GRADE], JODO_STUDENT_ID.register)),
            (&MANUAL_PAYMENTS, of(&[&MANUAL_PAYMENT], PAYMENT_PUPIL)),
        ] {
            assert_eq!(filled.len(), entity.registers.len());
            for register in entity.registers {
                assert!(filled.contains(&register), "{}", register.name);
            }
        }
    }
}
