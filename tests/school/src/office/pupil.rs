//! A pupil of the office: how they are, and what an event says of them.

use fastrand::Rng;

use crate::run::Run;
use crate::spelling::{Members, list, one_in, pick, quoted};

const HOUSES: [&str; 3] = ["Kaveri", "Ganga", "Narmada"];

/// By which of a pupil's two numbers an event names them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    Both,
    ByIdentifier,
    ByJodoId,
    /// By none: whose it is, nobody can tell.
    Nobody,
}

impl Naming {
    fn says_identifier(self) -> bool {
        matches!(self, Self::Both | Self::ByIdentifier)
    }

    pub(super) fn says_jodo_id(self) -> bool {
        matches!(self, Self::Both | Self::ByJodoId)
    }
}

/// A pupil.
pub(super) struct Pupil {
    /// The ERP's own number; a few have none.
    identifier: Option<String>,
    pub(super) jodo_id: String,
    /// Whether any event has named them.
    pub(super) named: bool,
    /// Second of the latest event about them.
    pub(super) last: i64,
    /// Whether an event has named both numbers: only then may one leave the ERP's out and still be understood.
    paired: bool,
    number: u64,
    here: bool,
    grade: u8,
    phone: u32,
    house: &'static str,
}

impl Pupil {
    pub(super) fn new(rng: &mut Rng, run: Run, number: u64) -> Self {
        Self {
            identifier: (!one_in(rng, 20)).then(|| format!("{run}/A/{number:04}")),
            jodo_id: format!("{run}_student_{number}"),
            named: false,
            last: 0,
            paired: false,
            number,
            here: true,
            grade: rng.u8(1..=12),
            phone: rng.u32(..100),
            house: pick(rng, HOUSES),
        }
    }

    /// Life goes on; the sender says so only in its next event about the pupil (C§3.1).
    pub(super) fn live(&mut self, rng: &mut Rng) {
        match rng.u8(..16) {
            0 => self.grade = rng.u8(1..=12),
            1 => self.phone = rng.u32(..100),
            2 => self.house = pick(rng, HOUSES),
            _ => (),
        }
    }

    /// The pupil is registered.
    pub(super) fn register(&mut self, rng: &mut Rng) -> (&'static str, String) {
        ("masterdata.student.registered", self.master_data(rng))
    }

    /// The pupil leaves, or comes back.
    pub(super) fn leave_or_return(&mut self, rng: &mut Rng) -> (&'static str, String) {
        self.here = !self.here;
        let code = if self.here { "masterdata.student.activated" } else { "masterdata.student.dropped" };
        (code, self.master_data(rng))
    }

    fn master_data(&mut self, rng: &mut Rng) -> String {
        let by_jodo_id = self.identifier.is_none() || (self.paired && one_in(rng, 8));
        let naming = if by_jodo_id { Naming::ByJodoId } else { Naming::Both };
        let block = self.block(rng, naming, true);
        Members::default().text("jodo_student_id", &self.jodo_id).put("student", &block).done()
    }

    /// How a payment names its pupil; the sender's id is not promised there (C§3.2).
    pub(super) fn naming_in_payment(&self, rng: &mut Rng) -> Naming {
        match rng.u8(..50) {
            0 => Naming::Nobody,
            _ if self.identifier.is_none() => Naming::ByJodoId,
            1..5 if self.paired => Naming::ByJodoId,
            5..10 => Naming::Both,
            _ => Naming::ByIdentifier,
        }
    }

    /// The student block (C§2).
    pub(super) fn block(&mut self, rng: &mut Rng, naming: Naming, master_data: bool) -> String {
        let mut block = Members::default();
        match &self.identifier {
            Some(identifier) if naming.says_identifier() => _ = block.text("identifier", identifier),
            _ => block.silent(rng, "identifier"),
        }
        let mut say = |rng: &mut Rng, name, value: Option<String>| match value {
            Some(value) if !one_in(rng, 12) => _ = block.text(name, &value),
            _ => block.silent(rng, name),
        };
        let custom = (!self.number.is_multiple_of(3)).then(|| format!("FORM-{}", self.number));
        say(rng, "custom_identifier", custom);
        say(rng, "collector_code", (!master_data).then(|| "branch-1".to_owned()));
        say(rng, "primary_contact_number", Some(format!("90000000{:02}", self.phone)));
        let email =
            (!self.number.is_multiple_of(4)).then(|| format!("parent{}@parents.example", self.number));
        say(rng, "primary_contact_email", email);
        self.grade_and_years(rng, master_data, &mut block);
        if master_data {
            self.notes(rng, &mut block);
        }
        if naming != Naming::Nobody {
            self.named = true;
            self.paired |= naming == Naming::Both;
        }
        block.done()
    }

    fn grade_and_years(&self, rng: &mut Rng, code_first: bool, block: &mut Members) {
        let mut members = [("code", format!("G{}", self.grade)), ("name", format!("Grade {}", self.grade))];
        if !code_first {
            members.reverse();
        }
        let mut grade = Members::default();
        members.iter().for_each(|(name, text)| _ = grade.text(name, text));
        block.put("grade", &grade.done());
        for (name, year) in [("academic_year_start", "2026"), ("academic_year_end", "2027")] {
            let json = if one_in(rng, 10) { quoted(year) } else { year.to_owned() };
            block.put(name, &json);
        }
    }

    fn notes(&self, rng: &mut Rng, block: &mut Members) {
        if one_in(rng, 6) {
            block.put("notes", "[]");
            return;
        }
        let value_first = one_in(rng, 2);
        let said = [("admission", format!("REG-{:04}", self.number)), ("house", self.house.to_owned())].map(
            |(key, value)| {
                let mut members = [("key", key), ("value", value.as_str())];
                if value_first {
                    members.reverse();
                }
                let mut note = Members::default();
                members.iter().for_each(|(name, text)| _ = note.text(name, text));
                note.done()
            },
        );
        block.put("notes", &list(&said));
    }
}
