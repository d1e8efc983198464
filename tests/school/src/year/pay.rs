//! Payments of parents through Pay, linked to their child (C§3.4).

use super::block::{Page, block, naming};
use super::calendar::{DAY, START, parents_hour};
use super::fees::{lines, unsettled};
use super::payment::Payment;
use super::pupil::Pupil;
use super::school::School;
use super::settling::settle;
use crate::spelling::{Members, pick};

/// A pupil's parents pay.
pub(super) fn pay(school: &mut School, pupil: &Pupil) {
    let day = START + school.rng.i64(5..358) * DAY;
    let payment = Payment {
        id: school.ids.text("pg"),
        reference: None,
        product: "pg",
        mode: pick(&mut school.rng, ["pg", "upi", "card", "netbanking"]),
        lines: lines(school),
        paid_at: parents_hour(&mut school.rng, day),
    };
    if !school.every(20, "a debit of Pay is not told") {
        let lines = unsettled(&mut school.rng, &payment.lines, "fee_component");
        let at = payment.paid_at + school.rng.i64(1..60);
        say(school, pupil, "pay.payment.debited", at, &payment, &lines);
    }
    for settled in settle(school, &payment.lines, payment.paid_at, "fee_component") {
        say(school, pupil, "pay.payment.settled", settled.at, &payment, &settled.lines);
    }
}

fn say(school: &mut School, pupil: &Pupil, code: &'static str, at: i64, payment: &Payment, lines: &[String]) {
    let rng = &mut school.rng;
    let payment = payment.said(rng, lines);
    let naming = naming(rng, pupil, at);
    let block = block(rng, pupil, Page::Payment, naming, at);
    let payload = Members::default()
        .put("jodo_student_id", &pupil.number_as(false))
        .put("student", &block)
        .put("payment", &payment)
        .done();
    school.diary.note(at, code, payload);
}
