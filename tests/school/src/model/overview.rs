//! `jodo_student_overview`: one row per pupil with the plan, the loan and the sums.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Row;
use super::book::{Kind, World};
use super::loans::loan_state;
use super::plans::Plan;
use super::pupils::enrolment;
use super::receipts::Receipt;
use super::sheet::Sheet;
use super::words::{Clock, Known};

/// What a pupil has.
#[derive(Default)]
struct Having<'a> {
    plans: Vec<&'a Plan<'a>>,
    loans: Vec<(&'a str, &'a Known)>,
    receipts: Vec<&'a Receipt<'a>>,
}

/// `jodo_student_overview`.
pub(super) fn overview(world: &World, plans: &[Plan<'_>], receipts: &[Receipt<'_>]) -> Vec<Row> {
    let mut having: BTreeMap<&str, Having<'_>> = BTreeMap::new();
    for plan in plans {
        if let Some(pupil) = plan.known.get("pupil") {
            having.entry(pupil).or_default().plans.push(plan);
        }
    }
    for (id, loan) in world.all(Kind::Loan) {
        if let Some(pupil) = loan.get("pupil") {
            having.entry(pupil).or_default().loans.push((id, loan));
        }
    }
    for receipt in receipts {
        if let Some(pupil) = receipt.pupil {
            having.entry(pupil).or_default().receipts.push(receipt);
        }
    }
    let row = |(key, pupil)| row(world, key, pupil, &having.remove(key).unwrap_or_default());
    world.all(Kind::Pupil).map(row).collect()
}

fn row(world: &World, key: &str, pupil: &Known, having: &Having<'_>) -> Row {
    let plan = having.plans.iter().min_by_key(|plan| {
        let standing = match plan.state {
            "active" => 0,
            "set_up" => 1,
            "unknown" => 3,
            _ => 2,
        };
        (standing, Reverse(heard_of(plan.known)), Reverse(plan.id))
    });
    let loan = having.loans.iter().min_by_key(|(id, loan)| {
        let standing = match loan_state(loan) {
            "agreement_signed" | "disbursed" => 0,
            "started" | "filled" | "final_approved" => 1,
            "unknown" => 3,
            _ => 2,
        };
        (standing, Reverse(heard_of(loan)), Reverse(*id))
    });
    let paid = |counts_as: &str| {
        let counting = having.receipts.iter().filter(|receipt| receipt.counts_as == counts_as);
        Some(counting.filter_map(|receipt| receipt.amount).sum())
    };
    let all = |value: fn(&Receipt<'_>) -> i64| Some(having.receipts.iter().map(|it| value(it)).sum());

    let grade = pupil.get("grade_name").or(pupil.get("grade_code"));
    let sheet = Sheet::new(world).set("pupil_key", key).copy(pupil, &["identifier"]);
    let sheet = sheet.put("name", pupil.get("fullname")).put("grade", grade);
    let sheet = sheet.put("enrolment", enrolment(pupil));
    let sheet = sheet.put("plan", plan.map(|plan| plan.state));
    let sheet = sheet.money(["plan_total", "plan_total_paise"], plan.and_then(|plan| plan.total));
    let sheet = sheet.put("mandate", plan.and_then(|plan| plan.mandate));
    let sheet = sheet.put("loan", loan.map(|(_, loan)| loan_state(loan)));
    let sheet = sheet.money(["fees_paid", "fees_paid_paise"], paid("fee"));
    let sheet = sheet.money(["manual_paid", "manual_paid_paise"], paid("manual"));
    let sheet = sheet.money(["loan_paid", "loan_paid_paise"], paid("loan_disbursement"));
    let sheet = sheet.money(["paid", "paid_paise"], all(|receipt| receipt.amount.unwrap_or(0)));
    let sheet = sheet.money(["settled", "settled_paise"], all(|receipt| receipt.settled));
    sheet.money(["pending", "pending_paise"], all(|receipt| receipt.pending())).done()
}

/// When the thing was last heard of as this pupil's.
fn heard_of(known: &Known) -> Option<&Clock> {
    known.clock("pupil")
}
