//! Fee lines.

use fastrand::Rng;

use super::calendar::datetime;
use super::school::School;
use crate::spelling::{Members, number, one_in, pick};

/// The components of fees, as pages about pupils name them.
pub(super) const COMPONENTS: [&str; 5] =
    ["TUITION_FEE", "TRANSPORT_FEE", "LAB_FEE", "EXAM_FEE", "LIBRARY_FEE"];

/// A part of a payment.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) component: &'static str,
    pub(super) paise: u64,
}

/// What is said of a line's settlement: the bank's reference, and when.
pub(super) struct Settlement {
    pub(super) utr: Option<String>,
    pub(super) at: i64,
}

/// One to three lines of different components. Now and then two lines are equal, and stand together.
pub(super) fn lines(school: &mut School) -> Vec<Line> {
    let doubled = school.every(15, "two equal lines");
    let rng = &mut school.rng;
    let first = rng.usize(..COMPONENTS.len() - 2);
    let count = rng.usize(1..=3);
    let components = COMPONENTS.iter().skip(first).take(count);
    let mut lines: Vec<_> = components.map(|component| Line { component, paise: paise(rng) }).collect();
    if doubled {
        lines.insert(0, lines[0].clone());
    }
    lines
}

/// An amount as schools ask for it: mostly round.
pub(super) fn paise(rng: &mut Rng) -> u64 {
    match rng.u8(..8) {
        0 => rng.u64(10_000..3_000_000),
        1 => rng.u64(1_000..300_000) * 10,
        _ => rng.u64(1..60) * 50_000,
    }
}

/// The sum of lines.
pub(super) fn sum(lines: &[Line]) -> u64 {
    lines.iter().map(|line| line.paise).sum()
}

/// A line as JSON; `name` is the member that says its component (C§7 row 4).
pub(super) fn said(rng: &mut Rng, line: &Line, name: &str, settlement: Option<&Settlement>) -> String {
    let mut members = Members::default();
    members.text(name, line.component).put("amount", &number(rng, line.paise));
    match settlement {
        Some(Settlement { utr: Some(utr), at }) => {
            members.text("settlement_utr", utr).put("settled_at", &datetime(rng, *at));
        }
        // Both are null until the money is there.
        Some(Settlement { utr: None, .. }) => {
            members.put("settlement_utr", "null").put("settled_at", "null");
        }
        None => (),
    }
    members.done()
}

/// Lines as JSON before they are settled.
pub(super) fn unsettled(rng: &mut Rng, lines: &[Line], name: &str) -> Vec<String> {
    lines.iter().map(|line| said(rng, line, name, None)).collect()
}

/// How lines of an order are named: labels and codes (C§3.5).
pub(super) fn order_lines(rng: &mut Rng) -> Vec<Line> {
    let labels = [
        "Science Camp Fee",
        "Payable Amount",
        "Admission Fee",
        "ADMISSION_FEE",
        "8926",
        "वार्षिकोत्सव शुल्क",
        "\"Sports\" kit",
    ];
    let first = Line { component: pick(rng, labels), paise: paise(rng) };
    if one_in(rng, 3) { vec![first, Line { component: "Late fine", paise: 10_050 }] } else { vec![first] }
}
