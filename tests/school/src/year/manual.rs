//! Manual payments: what the school's office keys in, corrects and voids (C§3.2).

use fastrand::Rng;

use super::block::{Naming, Page, block};
use super::calendar::{DAY, HOUR, START, datetime, midnight, office_hour, parents_hour};
use super::fees::{Line, lines, sum};
use super::pupil::Pupil;
use super::school::School;
use crate::spelling::{Members, amount, list, one_in, pick, quoted};

const MODES: [&str; 4] = ["cash", "cheque", "bank_transfer", "others"];
const NOTES: [&str; 4] = ["Cheque 004411, term 1", "Paid at the \"counter\"", "नकद भुगतान", "Paid by NEFT"];

const ADDED: &str = "direct.payment.added";
const UPDATED: &str = "direct.payment.updated";
const CANCELLED: &str = "direct.payment.cancelled";

/// A manual payment as the office has it.
struct Payment<'a> {
    id: String,
    payer: &'a Pupil,
    /// Whether its events tell whose it is.
    names_payer: bool,
    transaction: Option<String>,
    lines: Vec<Line>,
    mode: &'static str,
    utr: Option<String>,
    notes: Option<&'static str>,
    paid_at: i64,
}

/// The office enters a payment, and looks at it again now and then.
pub(super) fn pay(school: &mut School, pupil: &Pupil, all: &[Pupil]) {
    let mut payment = new_payment(school, pupil);
    let mut day = midnight(payment.paid_at) + school.rng.i64(0..4) * DAY + DAY;
    if !school.every(15, "a manual payment's entry is not told") {
        payment.say(school, ADDED, day);
    }
    for _ in 0..school.next_of([0, 1, 0, 2, 1], "how many corrections") {
        day += school.rng.i64(1..15) * DAY;
        payment.correct(school, all);
        payment.say(school, UPDATED, day);
    }
    if school.every(6, "a manual payment is voided") {
        day += school.rng.i64(1..20) * DAY;
        payment.say(school, CANCELLED, day);
        if school.every(4, "corrected after it was voided") {
            day += school.rng.i64(1..5) * DAY;
            payment.correct(school, all);
            payment.say(school, UPDATED, day);
        }
    }
}

fn new_payment<'a>(school: &mut School, payer: &'a Pupil) -> Payment<'a> {
    let day = START + school.rng.i64(0..300) * DAY;
    Payment {
        id: school.ids.text("direct"),
        payer,
        names_payer: !school.every(25, "a manual payment of nobody"),
        transaction: (!one_in(&mut school.rng, 5)).then(|| school.ids.text("RCPT")),
        lines: lines(school),
        mode: pick(&mut school.rng, MODES),
        utr: one_in(&mut school.rng, 3).then(|| school.ids.text("UTR")),
        notes: (!one_in(&mut school.rng, 4)).then(|| pick(&mut school.rng, NOTES)),
        paid_at: parents_hour(&mut school.rng, day),
    }
}

impl<'a> Payment<'a> {
    /// The office finds a mistake.
    fn correct(&mut self, school: &mut School, all: &'a [Pupil]) {
        match school.next_of([0, 1, 2, 3, 4, 5, 6], "what was wrong") {
            0 | 1 => self.lines = lines(school),
            2 => self.mode = pick(&mut school.rng, MODES),
            3 => self.notes = Some(pick(&mut school.rng, NOTES)),
            4 => self.paid_at -= school.rng.i64(HOUR..DAY),
            // It was entered for the wrong child.
            5 => self.payer = &all[school.rng.usize(..all.len())],
            _ => self.utr = Some(school.ids.text("UTR")),
        }
    }

    fn say(&self, school: &mut School, code: &'static str, day: i64) {
        // A correction may say only a part (C§3.2 leaves that open).
        let partly = code == UPDATED && school.every(5, "a correction in part");
        let rng = &mut school.rng;
        let at = office_hour(rng, day);
        let record = self.record(rng, partly);
        let naming = if self.names_payer { Naming::Full } else { Naming::WithoutIdentifier };
        let block = block(rng, self.payer, Page::Payment, naming, at);
        let mut payload = Members::default();
        payload.put("payment", &record).put("student", &block);
        // The sender's id is not promised here, but a pupil without the ERP's number is known by nothing else.
        if self.names_payer && (self.payer.identifier.is_none() || one_in(rng, 8)) {
            payload.put("jodo_student_id", &quoted(&self.payer.master_data_id));
        }
        school.diary.note(at, code, payload.done());
    }

    fn record(&self, rng: &mut Rng, partly: bool) -> String {
        let mut record = Members::default();
        record.text("id", &self.id);
        let says_amount = !(partly && rng.bool());
        if says_amount {
            record.put("amount", &amount(rng, sum(&self.lines), false));
        }
        let paid_at = datetime(rng, self.paid_at);
        let texts = [
            ("mode", Some(quoted(self.mode))),
            ("transaction_id", self.transaction.as_deref().map(quoted)),
            ("settlement_utr", self.utr.as_deref().map(quoted)),
            ("notes", self.notes.map(quoted)),
            ("paid_at", Some(paid_at)),
        ];
        for (name, json) in texts {
            match json {
                Some(json) if !(one_in(rng, 15) || partly && rng.bool()) => _ = record.put(name, &json),
                _ => record.silent(rng, name),
            }
        }
        // With the amount, so that the lines always add up to it.
        if says_amount {
            let said: Vec<_> = self.lines.iter().map(|line| said(rng, line)).collect();
            record.put("details", &list(&said));
        }
        record.done()
    }
}

/// A line, whose amount is mostly a text here.
fn said(rng: &mut Rng, line: &Line) -> String {
    let amount = amount(rng, line.paise, true);
    Members::default().text("fee_component", line.component).put("amount", &amount).done()
}
