//! Down-payments of plans, which name neither the plan nor Jodo's id of the pupil (C§3.3).

use super::block::{Naming, Page, block};
use super::calendar::{DAY, START, parents_hour};
use super::fees::{lines, unsettled};
use super::payment::Payment;
use super::pupil::Pupil;
use super::school::School;
use super::settling::settle;
use crate::spelling::{Members, pick};

/// A pupil's parents pay a part at once.
pub(super) fn pay(school: &mut School, pupil: &Pupil) {
    // Nothing would tell whose it is.
    if pupil.identifier.is_none() {
        return;
    }
    let day = START + school.rng.i64(5..90) * DAY;
    let payment = Payment {
        id: school.ids.text("flex_dp"),
        reference: None,
        product: "flex",
        mode: pick(&mut school.rng, ["upi", "card", "netbanking"]),
        lines: lines(school),
        paid_at: parents_hour(&mut school.rng, day),
    };
    if !school.every(20, "a down-payment's debit is not told") {
        let lines = unsettled(&mut school.rng, &payment.lines, "fee_component");
        let at = payment.paid_at + school.rng.i64(1..60);
        say(school, pupil, "flex.downpayment.debited", at, &payment, &lines);
    }
    for settled in settle(school, &payment.lines, payment.paid_at, "fee_component") {
        say(school, pupil, "flex.downpayment.settled", settled.at, &payment, &settled.lines);
    }
}

fn say(school: &mut School, pupil: &Pupil, code: &'static str, at: i64, payment: &Payment, lines: &[String]) {
    let rng = &mut school.rng;
    let payment = payment.said(rng, lines);
    let block = block(rng, pupil, Page::Payment, Naming::Full, at);
    let payload = Members::default().put("payment", &payment).put("student", &block).done();
    school.diary.note(at, code, payload);
}
