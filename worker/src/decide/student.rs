//! The pupil of an event: who it is, what is said about them, and what became of them.

use jodo_shared::contract::{Object, Problem};
use jodo_shared::outcome::Reason;

use super::event::Event;
use super::fields::read_block;
use super::findings::{Findings, Refusal};
use super::meaning::Student;
use super::meaning::blocks::{GRADE, JODO_STUDENT_ID, STUDENT};
use crate::entities::{STUDENT_IDS, STUDENTS};
use crate::table::Change;

const IDENTIFIER_PATH: &str = "payload.student.identifier";
const JODO_ID_PATH: &str = "payload.jodo_student_id";

/// The pupil that an event names.
pub(super) struct Pupil<'a> {
    /// Their key among our rows.
    pub(super) key: String,
    identifier: Option<String>,
    jodo_id: Option<String>,
    block: Object<'a>,
    /// How the block counts.
    how: &'static Student,
}

impl<'a> Pupil<'a> {
    /// Finds the pupil: by the ERP's own number, else by the sender's id, and by this event alone, never by what was
    /// seen before: nothing depends on the order. `None`, and worth a warning, when it names nobody; an event of the
    /// master data is then about nothing.
    ///
    /// The sender's id is a natural key, and unreadable stops the event, only where it is needed as one.
    pub(super) fn of(
        event: &Event<'a>,
        how: &'static Student,
        findings: &mut Findings,
    ) -> Result<Option<Self>, Refusal> {
        let block = findings.take(STUDENT.path, event.payload.member("student").object()).unwrap_or_default();
        let identifier =
            block.member("identifier").key().map_err(|problem| Refusal::key(IDENTIFIER_PATH, problem))?;
        let jodo_id = match event.payload.member(JODO_STUDENT_ID.member).key() {
            Ok(id) => id,
            Err(problem) if identifier.is_none() => return Err(Refusal::key(JODO_ID_PATH, problem)),
            Err(problem) => {
                findings.warn(JODO_ID_PATH, problem);
                None
            }
        };
        let key = match pupil_key(identifier.as_deref(), jodo_id.as_deref()) {
            Some(key) => key,
            None if how.enrolment.is_some() => {
                return Err(Refusal::at(IDENTIFIER_PATH, Reason::MissingKey));
            }
            None => {
                findings.warn(IDENTIFIER_PATH, Problem::Missing);
                return Ok(None);
            }
        };
        Ok(Some(Self { key, identifier, jodo_id, block, how }))
    }

    /// What the event says about the pupil: the profile, and the two ids seen together. The enrolment and the
    /// register of the sender's id come from master data only.
    pub(super) fn changes(self, event: &Event<'_>, findings: &mut Findings) -> Result<Vec<Change>, Refusal> {
        let clock = event.clock(self.how.rank);
        let mut registers = read_block(&STUDENT, (STUDENT.path, &self.block), &clock, event.zone, findings)?;
        if self.how.grade {
            let grade = findings.take(GRADE.path, self.block.member("grade").object()).unwrap_or_default();
            registers.extend(read_block(&GRADE, (GRADE.path, &grade), &clock, event.zone, findings)?);
        }
        let mut facts = Vec::new();
        if let Some((enrolment, rank)) = self.how.enrolment {
            facts.push((enrolment, event.clock(rank)));
            registers
                .extend(self.jodo_id.clone().map(|id| (JODO_STUDENT_ID.register, clock, vec![Some(id)])));
        }
        let key = vec![event.tenant.to_string(), self.key];
        let mut changes = vec![Change::Write { entity: &STUDENTS, key, registers, facts }];
        if let Some(id) = self.jodo_id {
            let line = vec![event.tenant.to_string(), id, self.identifier.unwrap_or_default()];
            changes.push(Change::Add { set: &STUDENT_IDS, line });
        }
        Ok(changes)
    }
}

/// The key of a pupil, by the ERP's own number, else by the sender's id.
pub(super) fn pupil_key(identifier: Option<&str>, jodo_id: Option<&str>) -> Option<String> {
    let own = identifier.map(|identifier| format!("erp:{identifier}"));
    own.or_else(|| jodo_id.map(|id| format!("jodo:{id}")))
}
