//! A pupil.

use std::cell::Cell;

use fastrand::Rng;

use super::calendar::{DAY, START};
use super::school::School;
use crate::run::Run;
use crate::spelling::{one_in, pick, quoted};

const FIRST_NAMES: [&str; 10] =
    ["Ananya", "Ishaan", "Jasleen", "Zoya", "Merin", "Kabir", "Tara \"Tuli\"", "Devika", "अनन्या", "Rohan"];
const LAST_NAMES: [&str; 8] =
    ["Kulkarni", "Deshmukh", "Bedi", "Mir", "Thankachan", "D'Mello", "शर्मा", "Iyer"];
const SECTIONS: [(&str, &str); 4] =
    [("MAR", "Marigold"), ("TEA", "Teak"), ("LOT", "Lotus"), ("JAS", "Jasmine")];

/// A grade: its code and its label.
#[derive(Clone)]
pub(super) struct Grade {
    pub(super) code: String,
    pub(super) name: String,
}

/// A pupil.
pub(super) struct Pupil {
    /// How many came before.
    pub(super) place: u64,
    /// The ERP's own number; a few have none.
    pub(super) identifier: Option<String>,
    /// Jodo's id in the master data.
    pub(super) master_data_id: String,
    /// Jodo's id elsewhere. Only the ERP's number tells that both are one pupil.
    pub(super) number: u64,
    /// Whether an event has said this id and the ERP's number together: only then may one leave the latter out.
    pub(super) paired: Cell<bool>,
    pub(super) fullname: String,
    pub(super) parent: String,
    pub(super) house: &'static str,
    grades: [Grade; 2],
    phones: [u32; 2],
    /// When the second grade and the second telephone came; for many after the year.
    changed: [i64; 2],
}

impl Pupil {
    pub(super) fn new(school: &mut School, run: Run, place: u64) -> Self {
        let nameless = school.every(25, "a pupil without an identifier");
        let number = school.ids.number();
        let rng = &mut school.rng;
        let last_name = pick(rng, LAST_NAMES);
        Self {
            place,
            identifier: (!nameless).then(|| format!("{run}/A/{place:04}")),
            master_data_id: if nameless { number.to_string() } else { format!("{run}_student_{place}") },
            number,
            paired: Cell::new(false),
            fullname: format!("{} {last_name}", pick(rng, FIRST_NAMES)),
            parent: format!("{} {last_name}", pick(rng, FIRST_NAMES)),
            house: pick(rng, ["Kaveri", "Ganga", "Narmada"]),
            grades: [grade(rng), grade(rng)],
            phones: [rng.u32(..100), rng.u32(..100)],
            changed: [START + rng.i64(0..1_200) * DAY, START + rng.i64(0..1_200) * DAY],
        }
    }

    /// Their grade at a moment.
    pub(super) fn grade(&self, at: i64) -> &Grade {
        &self.grades[usize::from(at >= self.changed[0])]
    }

    /// The telephone at a moment.
    pub(super) fn phone(&self, at: i64) -> String {
        format!("90000000{:02}", self.phones[usize::from(at >= self.changed[1])])
    }

    /// The address of the parents; some have given none.
    pub(super) fn email(&self) -> Option<String> {
        (!self.place.is_multiple_of(4)).then(|| format!("parent{}@parents.example", self.place))
    }

    /// The id as a JSON integer, or as the text of it on the pages that say so (C§2).
    pub(super) fn number_as(&self, text: bool) -> String {
        if text { quoted(&self.number.to_string()) } else { self.number.to_string() }
    }
}

fn grade(rng: &mut Rng) -> Grade {
    let (code, name) = pick(rng, SECTIONS);
    let class = rng.u8(1..=12);
    if one_in(rng, 20) {
        return Grade { code: format!("C{class}"), name: format!("कक्षा {class}") };
    }
    Grade { code: format!("G{class}-{code}"), name: format!("Grade {class} {name}") }
}
