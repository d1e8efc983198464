//! The end of a mandate (C§3.3). The plan goes on; often the payer gives a new mandate, and the bank confirms that.

use super::block::{Page, block, naming};
use super::calendar::{DAY, date, office_hour};
use super::plans::{Instalment, Plan};
use super::school::School;
use crate::spelling::{Members, pick};

/// What becomes of a plan's mandate.
#[derive(Clone, Copy)]
enum Fate {
    Holds,
    Cancelled,
    Expired,
}

const FATES: [Fate; 9] = [
    Fate::Holds,
    Fate::Holds,
    Fate::Cancelled,
    Fate::Holds,
    Fate::Holds,
    Fate::Holds,
    Fate::Expired,
    Fate::Holds,
    Fate::Holds,
];

/// Why a bank gives up a mandate.
const CATEGORIES: [&str; 4] = ["account_not_active", "bank_kyc_pending", "customer_revoked", "mandate_error"];

/// Ends the plan's mandate if it is its fate.
pub(super) fn end(
    school: &mut School,
    plan: &Plan<'_>,
    schedule: &[Instalment],
    is_ended: impl Fn(i64) -> bool,
) {
    let before = &schedule[school.rng.usize(1..schedule.len())];
    let day = before.due - school.rng.i64(12..20) * DAY;
    let at = office_hour(&mut school.rng, day);
    let id = school.ids.text("mandate");
    match school.next_of(FATES, "the fate of a mandate") {
        Fate::Holds => return,
        Fate::Cancelled => {
            let category = school.next_of(CATEGORIES, "the category of a cancellation");
            let mandate = Members::default()
                .text("id", &id)
                .text("status", "cancelled")
                .text("npci_category_code", category)
                .done();
            say(school, plan, "flex.mandate.cancelled", at, &mandate);
        }
        Fate::Expired => {
            let mandate = Members::default()
                .text("id", &id)
                .put("end_date", &date(at - DAY))
                .text("status", "expired")
                .done();
            say(school, plan, "flex.mandate.expired", at, &mandate);
        }
    }
    let renewed = at + school.rng.i64(DAY..8 * DAY);
    if school.every(2, "a new mandate") && !is_ended(renewed) {
        plan.say(school, "flex.subscription.active", "active", renewed, None);
    }
}

fn say(school: &mut School, plan: &Plan<'_>, code: &'static str, at: i64, mandate: &str) {
    let rng = &mut school.rng;
    let naming = naming(rng, plan.pupil, at);
    let block = block(rng, plan.pupil, Page::Mandate, naming, at);
    let status = pick(rng, ["active", "locked"]);
    let payload = Members::default()
        .put("jodo_student_id", &plan.pupil.number_as(true))
        .put("student", &block)
        .put("subscription", &plan.subscription(status, true))
        .put("mandate", mandate)
        .done();
    school.diary.note(at, code, payload);
}
