//! Loans, their tranches and their repayment: what is said of them, and their views.

use super::Row;
use super::book::{Book, Kind, World};
use super::event::Event;
use super::reading::{amount, date, datetime, key, paise, text};
use super::sheet::Sheet;
use super::words::{Known, Members, Word};

/// What ends an application.
pub(super) const LOAN_ENDS: &[&str] = &["expired", "canceled", "rejected"];

/// What an event of a loan itself says of it.
pub(super) fn hear_loan(event: &Event, book: &mut Book, rank: u8, fact: &'static str) {
    if let Some(id) = application_id(event) {
        book.note(Kind::Loan, &id, Word::telling(event.clock(rank), application(event)).and(fact));
    }
}

/// The tranches that are listed at the signature.
pub(super) fn hear_tranches_agreed(event: &Event, book: &mut Book, rank: u8) {
    let listed = event.payload["disbursements"].as_array().map(Vec::as_slice).unwrap_or_default();
    for tranche in listed {
        let Some(id) = key(&tranche["id"]) else { continue };
        let mut said = of_a_loan(event);
        said.put("planned_on", date(&tranche["date"]));
        said.put("amount", amount(&tranche["amount"]));
        let word = Word::telling(event.clock(rank), said).and("planned");
        let paid_out = tranche["is_disbursed"] == true;
        book.note(Kind::Tranche, &id, if paid_out { word.and("disbursed") } else { word });
    }
}

/// The tranche that was paid out.
pub(super) fn hear_tranche_paid_out(event: &Event, book: &mut Book, rank: u8) {
    let tranche = &event.payload["disbursement"];
    let Some(id) = key(&tranche["id"]) else { return };
    let mut said = of_a_loan(event);
    said.put("disbursed_on", date(&tranche["date"]));
    said.put("disbursed_amount", amount(&tranche["disbursed_amount"]));
    book.note(Kind::Tranche, &id, Word::telling(event.clock(rank), said).and("disbursed"));
}

/// A repayment, and what it says of the loan that it mentions.
pub(super) fn hear_emi(event: &Event, book: &mut Book, rank: u8, fact: &'static str) {
    let payment = &event.payload["payment"];
    let Some(id) = key(&payment["id"]) else { return };
    let mut said = of_a_loan(event);
    said.put("amount", amount(&payment["amount"]));
    said.put("due_date", date(&payment["due_date"]));
    said.put("paid_at", datetime(&payment["paid_at"]));
    book.note(Kind::Emi, &id, Word::telling(event.clock(rank), said).and(fact));
    if let Some(loan) = application_id(event) {
        book.note(Kind::Loan, &loan, Word::telling(event.clock(5), application(event)));
    }
}

fn application_id(event: &Event) -> Option<String> {
    key(&event.payload["application"]["id"])
}

fn application(event: &Event) -> Members {
    let application = &event.payload["application"];
    let mut said = Members::default();
    said.put("pupil", event.pupil());
    said.put("status", text(&application["status"]));
    said.put("amount", amount(&application["amount"]));
    said.put("agreement_signed_at", datetime(&application["agreement_signed_at"]));
    said
}

fn of_a_loan(event: &Event) -> Members {
    let mut said = Members::default();
    said.put("application_id", application_id(event));
    said.put("pupil", event.pupil());
    said
}

/// A loan's state. An end outranks the steps up to the approval, and the signature if it came later.
pub(super) fn loan_state(loan: &Known) -> &'static str {
    if loan.any(&["disbursed"]) {
        return "disbursed";
    }
    if let Some((end, clock)) = loan.newest(LOAN_ENDS)
        && loan.fact("agreement_signed").is_none_or(|signed| clock > signed)
    {
        return end;
    }
    let steps = ["agreement_signed", "final_approved", "filled", "started"];
    steps.into_iter().find(|step| loan.any(&[step])).unwrap_or("unknown")
}

/// Paise of a member that is an amount.
fn paise_of(known: &Known, name: &str) -> Option<i64> {
    known.get(name).and_then(paise)
}

/// What a tranche brought: as paid out, else as agreed.
pub(super) fn tranche_paise(tranche: &Known) -> Option<i64> {
    paise_of(tranche, "disbursed_amount").or_else(|| paise_of(tranche, "amount"))
}

/// `jodo_loans`.
pub(super) fn loans(world: &World) -> Vec<Row> {
    let row = |(id, loan): (&str, &Known)| {
        let sheet = Sheet::new(world).set("application_id", id).pupil(loan.get("pupil"));
        let sheet = sheet.set("state", loan_state(loan)).copy(loan, &["status", "agreement_signed_at"]);
        let sheet = sheet.money(["amount", "amount_paise"], paise_of(loan, "amount"));
        let signed = ["agreement_signed_at_utc", "agreement_signed_on"];
        sheet.moment(signed, loan.get("agreement_signed_at")).done()
    };
    world.all(Kind::Loan).map(row).collect()
}

/// `jodo_disbursements`.
pub(super) fn disbursements(world: &World) -> Vec<Row> {
    let row = |(id, tranche): (&str, &Known)| {
        let state = if tranche.any(&["disbursed"]) { "disbursed" } else { "planned" };
        let sheet = Sheet::new(world).set("disbursement_id", id).pupil(tranche.get("pupil"));
        let sheet = sheet.set("state", state);
        let sheet = sheet.copy(tranche, &["application_id", "planned_on", "disbursed_on"]);
        let sheet = sheet.money(["amount", "amount_paise"], paise_of(tranche, "amount"));
        let paid_out = ["disbursed_amount", "disbursed_amount_paise"];
        sheet.money(paid_out, paise_of(tranche, "disbursed_amount")).done()
    };
    world.all(Kind::Tranche).map(row).collect()
}

/// `jodo_loan_repayments`.
pub(super) fn repayments(world: &World) -> Vec<Row> {
    let row = |(id, emi): (&str, &Known)| {
        let sheet = Sheet::new(world).set("payment_id", id).pupil(emi.get("pupil"));
        let sheet = sheet.copy(emi, &["application_id", "paid_at"]).put("due_on", emi.get("due_date"));
        sheet.money(["amount", "amount_paise"], paise_of(emi, "amount")).paid(emi).done()
    };
    world.all(Kind::Emi).map(row).collect()
}
