//! Debits of a plan: presented to the bank, bounced, presented again, debited and settled (C§3.3).

use super::block::{Page, block, naming};
use super::calendar::{DAY, HOUR};
use super::fees::unsettled;
use super::payment::Payment;
use super::plans::{Instalment, Plan};
use super::school::School;
use super::settling::settle;
use crate::spelling::{Members, one_in, pick};

/// Collects an instalment from the day on which it is due.
pub(super) fn collect(school: &mut School, plan: &Plan<'_>, instalment: &Instalment) {
    let mut payment = new_payment(school, instalment);
    if school.every(8, "a debit bounces") {
        bounced(school, plan, &payment, payment.paid_at);
        if school.every(6, "never presented again") {
            return;
        }
        payment = present_again(school, instalment, payment);
        if school.every(6, "a debit bounces twice") {
            bounced(school, plan, &payment, payment.paid_at);
            payment = present_again(school, instalment, payment);
        }
    }
    // Some debits were never subscribed to.
    if !school.every(25, "an instalment's debit is not told") {
        debited(school, plan, &payment);
    }
    if school.every(100, "a debit bounces after all") {
        let at = payment.paid_at + school.rng.i64(6 * HOUR..2 * DAY);
        bounced(school, plan, &payment, at);
        if school.every(2, "a returned debit is not settled") {
            return;
        }
    }
    for settled in settle(school, &payment.lines, payment.paid_at, "fee_component") {
        let said = payment.said(&mut school.rng, &settled.lines);
        say(school, plan, "flex.instalment.settled", settled.at, &said);
    }
}

fn new_payment(school: &mut School, instalment: &Instalment) -> Payment {
    Payment {
        id: school.ids.text("flex"),
        reference: Some(school.ids.text("NACH")),
        product: "flex",
        mode: pick(&mut school.rng, ["enach", "enach", "upi_autopay"]),
        lines: instalment.lines.clone(),
        paid_at: instalment.due + school.rng.i64(9 * HOUR..13 * HOUR),
    }
}

/// Days later, mostly as a new payment, sometimes as the same.
fn present_again(school: &mut School, instalment: &Instalment, bounced: Payment) -> Payment {
    let again = new_payment(school, instalment);
    let same = school.every(4, "presented again as the same payment");
    let id = if same { bounced.id } else { again.id };
    Payment { id, paid_at: bounced.paid_at + school.rng.i64(2..6) * DAY, ..again }
}

fn debited(school: &mut School, plan: &Plan<'_>, payment: &Payment) {
    let lines = unsettled(&mut school.rng, &payment.lines, "fee_component");
    let said = payment.said(&mut school.rng, &lines);
    let at = payment.paid_at + school.rng.i64(1..200);
    say(school, plan, "flex.instalment.debited", at, &said);
}

fn bounced(school: &mut School, plan: &Plan<'_>, payment: &Payment, at: i64) {
    let lines = unsettled(&mut school.rng, &payment.lines, "fee_component");
    let said = payment.said_bounced(&mut school.rng, &lines);
    say(school, plan, "flex.instalment.bounced", at, &said);
}

fn say(school: &mut School, plan: &Plan<'_>, code: &'static str, at: i64, payment: &str) {
    let rng = &mut school.rng;
    let naming = naming(rng, plan.pupil, at);
    let block = block(rng, plan.pupil, Page::Payment, naming, at);
    let status = if one_in(rng, 20) { "locked" } else { "active" };
    let payload = Members::default()
        .put("jodo_student_id", &plan.pupil.number_as(false))
        .put("student", &block)
        .put("subscription", &plan.subscription(status, false))
        .put("payment", payment)
        .done();
    school.diary.note(at, code, payload);
}
