//! A pupil: how they are, and what has been said of them.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::run::Run;
use super::spelling::{Members, one_in, pick, quoted};

/// What was said, by the column that shows it.
pub(super) type Told = BTreeMap<&'static str, String>;

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
    pub(super) identifier: Option<String>,
    pub(super) jodo_id: String,
    pub(super) told: Told,
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
            told: Told::new(),
            named: false,
            last: 0,
            paired: false,
            number,
            here: true,
            grade: rng.u8(1..=12),
            phone: rng.u32(..100),
            house: pick(rng, ["Kaveri", "Ganga", "Narmada"]),
        }
    }

    /// The key under which the views show them.
    pub(super) fn key(&self) -> String {
        match &self.identifier {
            Some(identifier) => format!("erp:{identifier}"),
            None => format!("jodo:{}", self.jodo_id),
        }
    }

    /// Life goes on; the sender says so only in its next event about the pupil (C§3.1).
    pub(super) fn live(&mut self, rng: &mut Rng) {
        match rng.u8(..16) {
            0 => self.grade = rng.u8(1..=12),
            1 => self.phone = rng.u32(..100),
            2 => self.house = pick(rng, ["Kaveri", "Ganga", "Narmada"]),
            _ => (),
        }
    }

    /// The pupil is registered.
    pub(super) fn register(&mut self, rng: &mut Rng) -> (&'static str, String) {
        self.told.insert("enrolment", "active".to_owned());
        ("masterdata.student.registered", self.master_data(rng))
    }

    /// The pupil leaves, or comes back.
    pub(super) fn leave_or_return(&mut self, rng: &mut Rng) -> (&'static str, String) {
        self.here = !self.here;
        let (code, enrolment) = if self.here {
            ("masterdata.student.activated", "active")
        } else {
            ("masterdata.student.dropped", "dropped")
        };
        self.told.insert("enrolment", enrolment.to_owned());
        (code, self.master_data(rng))
    }

    fn master_data(&mut self, rng: &mut Rng) -> String {
        let by_jodo_id = self.identifier.is_none() || (self.paired && one_in(rng, 8));
        let naming = if by_jodo_id { Naming::ByJodoId } else { Naming::Both };
        self.told.insert("jodo_student_id", self.jodo_id.clone());
        let block = self.block(rng, naming, true);
        Members::default().put("jodo_student_id", &quoted(&self.jodo_id)).put("student", &block).done()
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

    /// The student block (C§2), of which the pupil's row takes what is said.
    pub(super) fn block(&mut self, rng: &mut Rng, naming: Naming, master_data: bool) -> String {
        let mut told = Told::new();
        let mut block = Members::default();
        match &self.identifier {
            Some(identifier) if naming.says_identifier() => {
                block.put("identifier", &quoted(identifier));
                told.insert("identifier", identifier.clone());
            }
            _ => block.silent(rng, "identifier"),
        }
        let mut say = |rng: &mut Rng, name, column, value: Option<String>| match value {
            Some(value) if !one_in(rng, 12) => {
                block.put(name, &quoted(&value));
                told.insert(column, value);
            }
            _ => block.silent(rng, name),
        };
        let custom = (!self.number.is_multiple_of(3)).then(|| format!("FORM-{}", self.number));
        say(rng, "custom_identifier", "custom_identifier", custom);
        say(rng, "collector_code", "collector_code", (!master_data).then(|| "branch-1".to_owned()));
        say(rng, "primary_contact_number", "contact_number", Some(format!("90000000{:02}", self.phone)));
        let email =
            (!self.number.is_multiple_of(4)).then(|| format!("parent{}@parents.example", self.number));
        say(rng, "primary_contact_email", "contact_email", email);
        self.grade_and_years(rng, master_data, &mut block, &mut told);
        if master_data {
            self.notes(rng, &mut block, &mut told);
        }
        if naming != Naming::Nobody {
            self.told.append(&mut told);
            self.named = true;
            self.paired |= naming == Naming::Both;
        }
        block.done()
    }

    fn grade_and_years(&self, rng: &mut Rng, code_first: bool, block: &mut Members, told: &mut Told) {
        let (code, name) = (format!("G{}", self.grade), format!("Grade {}", self.grade));
        let mut members = [("code", quoted(&code)), ("name", quoted(&name))];
        if !code_first {
            members.reverse();
        }
        let mut grade = Members::default();
        members.iter().for_each(|(name, json)| _ = grade.put(name, json));
        block.put("grade", &grade.done());
        told.extend([("grade_code", code), ("grade_name", name)]);
        for (column, year) in [("academic_year_start", "2026"), ("academic_year_end", "2027")] {
            let json = if one_in(rng, 10) { quoted(year) } else { year.to_owned() };
            block.put(column, &json);
            told.insert(column, year.to_owned());
        }
    }

    fn notes(&self, rng: &mut Rng, block: &mut Members, told: &mut Told) {
        if one_in(rng, 6) {
            block.put("notes", "[]");
            return;
        }
        let value_first = one_in(rng, 2);
        let mut shown = Vec::new();
        let mut said = Vec::new();
        for (key, value) in
            [("admission", format!("REG-{:04}", self.number)), ("house", self.house.to_owned())]
        {
            let (key, value) = (quoted(key), quoted(&value));
            shown.push(format!(r#"{{"key":{key},"value":{value}}}"#));
            said.push(if value_first {
                format!(r#"{{"value":{value},"key":{key}}}"#)
            } else {
                shown[shown.len() - 1].clone()
            });
        }
        block.put("notes", &format!("[{}]", said.join(",")));
        told.insert("notes", format!("[{}]", shown.join(",")));
    }
}
