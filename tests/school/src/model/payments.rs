//! What is said of payments.

use serde_json::Value;

use super::book::{Book, Kind};
use super::event::Event;
use super::lines::{fee_lines, lacks_utr, lines_json, settlements};
use super::plans::{hear_plan_mentioned, plan_id};
use super::reading::{amount, date, datetime, flag, key, notes, text, whole};
use super::words::{Members, Word};

/// A payment that was made to the institute itself. A cancellation repeats its content, but has no say in it.
pub(super) fn hear_manual(event: &Event, book: &mut Book, rank: u8, fact: &'static str) {
    let payment = &event.payload["payment"];
    let Some(id) = key(&payment["id"]) else { return };
    let mut said = Members::default();
    said.put("pupil", event.pupil());
    said.put("amount", amount(&payment["amount"]));
    said.put("mode", text(&payment["mode"]));
    said.put("transaction_id", text(&payment["transaction_id"]));
    said.put("settlement_utr", text(&payment["settlement_utr"]));
    said.put("notes", notes(&payment["notes"]));
    said.put("paid_at", datetime(&payment["paid_at"]));
    said.put("details", lines_json(&fee_lines(&payment["details"])));
    let clock = if fact == "cancelled" { event.fallback() } else { event.clock(rank) };
    book.note(Kind::Manual, &id, Word::telling(clock, said));
    book.note_fact(Kind::Manual, &id, event, rank, fact);
}

/// An instalment or a downpayment, and the plan that it mentions.
pub(super) fn hear_flex(event: &Event, book: &mut Book, kind: &'static str, rank: u8, fact: &'static str) {
    let payment = &event.payload["payment"];
    let Some(id) = key(&payment["id"]) else { return };
    let mut said = of_a_payment(event);
    said.put("kind", Some(kind.to_owned()));
    said.put("subscription_id", plan_id(event));
    said.put("reference_id", text(&payment["reference_id"]));
    said.put("bounced_at", (fact == "bounced").then(|| event.instant()));
    note_payment(book, Kind::Flex, &id, Heard { event, rank, fact, said, details: &payment["details"] });
    hear_plan_mentioned(event, book);
}

/// A payment of a pupil without a plan.
pub(super) fn hear_pay(event: &Event, book: &mut Book, rank: u8, fact: &'static str) {
    let payment = &event.payload["payment"];
    let Some(id) = key(&payment["id"]) else { return };
    let said = of_a_payment(event);
    note_payment(book, Kind::Pay, &id, Heard { event, rank, fact, said, details: &payment["details"] });
}

fn of_a_payment(event: &Event) -> Members {
    let payment = &event.payload["payment"];
    let mut said = Members::default();
    said.put("pupil", event.pupil());
    said.put("amount", amount(&payment["amount"]));
    said.put("product", text(&payment["product"]));
    said.put("mode", text(&payment["mode"]));
    said.put("paid_at", datetime(&payment["paid_at"]));
    said
}

/// An order, a page's payment or a link's.
pub(super) fn hear_order(event: &Event, book: &mut Book, kind: &'static str, rank: u8, fact: &'static str) {
    let order = &event.payload["order"];
    let Some(id) = key(&event.payload["order_id"]) else { return };
    let mut said = Members::default();
    said.put("kind", Some(kind.to_owned()));
    said.put("name", text(&order["name"]));
    said.put("phone", text(&order["phone"]));
    said.put("identifier", text(&order["identifier"]));
    said.put("email", text(&order["email"]));
    said.put("student_name", text(&order["student_name"]));
    said.put("custom_identifier", text(&order["custom_identifier"]));
    said.put("date_of_birth", date(&order["date_of_birth"]));
    said.put("grade", text(&order["grade"]));
    said.put("new_admission", flag(&order["new_admission"]));
    said.put("academic_year_start", whole(&order["academic_year_start"]));
    said.put("academic_year_end", whole(&order["academic_year_end"]));
    said.put("transaction_id", text(&order["transaction_id"]));
    said.put("paid_at", datetime(&order["paid_at"]));
    said.put("status", text(&order["status"]));
    said.put("notes", notes(&order["notes"]));
    note_payment(book, Kind::Order, &id, Heard { event, rank, fact, said, details: &order["details"] });
}

/// What an event says of a payment through Jodo.
struct Heard<'a> {
    event: &'a Event,
    rank: u8,
    fact: &'static str,
    said: Members,
    details: &'a Value,
}

/// Of a settlement the lines are fallback, of an expiry everything: what they say stands only while nothing better is
/// known. What happened, and the settlements, always count.
fn note_payment(book: &mut Book, kind: Kind, id: &str, heard: Heard<'_>) {
    let Heard { event, rank, fact, mut said, details } = heard;
    let lines = fee_lines(details);
    said.put("details", lines_json(&lines));
    let fallback = match fact {
        "settled" => said.take("details"),
        "expired" => std::mem::take(&mut said),
        _ => Members::default(),
    };
    let mut word = Word::telling(event.clock(rank), said).and(fact);
    if matches!(fact, "debited" | "settled") {
        word.settlements = settlements(&lines);
    }
    if fact == "settled" && lacks_utr(&lines) {
        word = word.and("settled_without_utr");
    }
    book.note(kind, id, word);
    book.note(kind, id, Word::telling(event.fallback(), fallback));
}
