//! How a payment's money reaches the institute: in one event or in several.

use super::calendar::{DAY, END, midnight, office_hour};
use super::fees::{Line, Settlement, said};
use super::school::School;

/// A settled event to come: when, and the lines that it names, as JSON.
pub(super) struct Settled {
    pub(super) at: i64,
    pub(super) lines: Vec<String>,
}

/// In how many events the lines are settled.
#[derive(Clone, Copy)]
enum Way {
    AtOnce,
    InTwoParts,
    /// A line lacks its UTR, and gets it days later.
    OneUtrLater,
    /// It never does.
    OneUtrNever,
}

/// The settled events of a payment that was debited at a moment. `name` is the member that says a line's component.
pub(super) fn settle(school: &mut School, lines: &[Line], debited: i64, name: &str) -> Vec<Settled> {
    let first_day = midnight(debited) + school.rng.i64(1..=3) * DAY;
    let later_day = first_day + school.rng.i64(1..=6) * DAY;
    // Equal lines stand together and are settled together.
    let equal = lines.iter().take_while(|line| **line == lines[0]).count();
    let way = match (way(school), lines.len() > equal) {
        (Way::InTwoParts, false) => Way::AtOnce,
        (Way::OneUtrLater | Way::OneUtrNever, _) if equal > 1 => Way::AtOnce,
        (way, _) => way,
    };
    match way {
        Way::AtOnce => vec![settled(school, lines, first_day, name)],
        Way::InTwoParts => vec![
            settled(school, &lines[..equal], first_day, name),
            settled(school, &lines[equal..], later_day, name),
        ],
        Way::OneUtrLater => {
            vec![lacking_a_utr(school, lines, first_day, name), settled(school, &lines[..1], later_day, name)]
        }
        Way::OneUtrNever => vec![lacking_a_utr(school, lines, first_day, name)],
    }
}

fn way(school: &mut School) -> Way {
    if school.every(6, "settled in two parts") {
        Way::InTwoParts
    } else if school.every(60, "a UTR that comes later") {
        Way::OneUtrLater
    } else if school.every(200, "a UTR that never comes") {
        Way::OneUtrNever
    } else {
        Way::AtOnce
    }
}

/// Money that comes together, with one UTR for all of it, for all of that day's, or one for each component.
fn settled(school: &mut School, lines: &[Line], day: i64, name: &str) -> Settled {
    let at = office_hour(&mut school.rng, day);
    let style = school.rng.u8(..3);
    let mut utr = if style == 0 { school.ids.utr_of_day(at) } else { school.ids.text("UTR") };
    let mut said_lines = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        if style == 2 && place > 0 && *line != lines[place - 1] {
            utr = school.ids.text("UTR");
        }
        let settlement = Settlement { utr: Some(utr.clone()), at };
        said_lines.push(said(&mut school.rng, line, name, Some(&settlement)));
    }
    Settled { at: at + school.rng.i64(0..600), lines: said_lines }
}

/// The same, but the first line has no UTR.
fn lacking_a_utr(school: &mut School, lines: &[Line], day: i64, name: &str) -> Settled {
    let mut settled = settled(school, lines, day, name);
    let nothing = Settlement { utr: None, at: END };
    settled.lines[0] = said(&mut school.rng, &lines[0], name, Some(&nothing));
    settled
}
