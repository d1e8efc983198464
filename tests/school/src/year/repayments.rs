//! What borrowers repay to the lender, month by month (C§3.6).

use super::block::{Page, block, naming};
use super::calendar::{DAY, MINUTE, date, datetime, day_of_month, parents_hour};
use super::loans::Loan;
use super::school::School;
use crate::spelling::{Members, number, quoted};

/// Repays a loan on every fifth of a month after a moment, or once.
pub(super) fn repay(school: &mut School, loan: &Loan<'_>, after: i64, once: bool) {
    let months = (0..12).map(|month| day_of_month(month, 5)).filter(|due| *due > after + 7 * DAY);
    for due in months.take(if once { 1 } else { 12 }) {
        let paid_at = parents_hour(&mut school.rng, due);
        say(school, loan, due, paid_at);
    }
}

fn say(school: &mut School, loan: &Loan<'_>, due: i64, paid_at: i64) {
    let payment_id = school.ids.text("emi");
    let rng = &mut school.rng;
    let at = paid_at + rng.i64(1..2 * MINUTE);
    let naming = naming(rng, loan.pupil, at);
    let block = block(rng, loan.pupil, Page::MasterData, naming, at);
    // Texts on this page, even the amount.
    let amount = quoted(&number(rng, loan.paise));
    let application = Members::default()
        .text("id", &loan.id.to_string())
        .text("status", "agreement_signed")
        .put("amount", &amount)
        .put("agreement_signed_at", &datetime(rng, loan.signed))
        .done();
    let payment = Members::default()
        .text("id", &payment_id)
        .put("due_date", &date(due))
        .put("paid_at", &datetime(rng, paid_at))
        .put("amount", &number(rng, loan.paise / 12))
        .done();
    let payload = Members::default()
        .put("jodo_student_id", &loan.pupil.number_as(true))
        .put("student", &block)
        .put("application", &application)
        .put("payment", &payment)
        .done();
    school.diary.note(at, "cred.emi.debited", payload);
}
