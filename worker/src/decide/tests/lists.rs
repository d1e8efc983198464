//! Lists: how long they may be, and what stops an event because money would be lost with it.

use serde_json::json;

use super::*;
use crate::entities::{DISBURSEMENTS, SETTLEMENTS, SUBSCRIPTIONS};

const SETTLED: &str = "flex.instalment.settled";
const SIGNED: &str = "cred.loan.agreement_signed";
const LINES: &str = "/payload/payment/details";

#[track_caller]
fn assert_stopped(decision: &Decision, reason: Reason, detail: &str) {
    assert_eq!((decision.outcome, decision.reason), (Outcome::Quarantined, Some(reason)));
    assert_eq!(decision.detail.as_deref(), Some(detail));
}

fn settled_line() -> Value {
    json!({"fee_component": "BUS", "amount": 1, "settlement_utr": "U1"})
}

#[test]
fn a_settlement_whose_lines_cannot_be_read_as_a_whole_waits_for_a_person() {
    let path = "payload.payment.details";
    for lines in [json!("BUS"), json!(vec![settled_line(); 1_001])] {
        assert_stopped(&decide_json(&sample_with(SETTLED, LINES, lines)), Reason::UnreadableAmount, path);
    }
    let most = decide_json(&sample_with(SETTLED, LINES, json!(vec![settled_line(); 1_000])));
    assert_eq!(most.outcome, Outcome::Applied);
    let settlements = most
        .changes
        .iter()
        .filter(|change| matches!(change, Change::Write { entity, .. } if *entity == &SETTLEMENTS));
    assert_eq!(settlements.count(), 1_000);
}

#[test]
fn a_sum_of_lines_beyond_what_an_amount_may_be_waits_for_a_person() {
    let huge = json!({"amount": "999999999999999.99", "settlement_utr": "U1"});
    let decision = decide_json(&sample_with(SETTLED, LINES, json!(vec![huge; 100])));
    assert_stopped(&decision, Reason::UnreadableAmount, "payload.payment.details");
}

#[test]
fn parts_of_a_settlements_key_are_read_as_keys_are() {
    for (member, odd, reason) in [
        ("settlement_utr", json!(true), Reason::UnreadableKey),
        ("settlement_utr", json!("x".repeat(192)), Reason::KeyTooLong),
        ("fee_component", json!("x".repeat(192)), Reason::KeyTooLong),
    ] {
        let mut line = settled_line();
        line[member] = odd;
        let decision = decide_json(&sample_with(SETTLED, LINES, json!([line])));
        assert_stopped(&decision, reason, &format!("payload.payment.details[0].{member}"));
    }
    // Of a line that is not settled it is display only.
    let line = json!([{"fee_component": "x".repeat(192), "amount": 1}]);
    let decision = decide_json(&sample_with("flex.instalment.debited", LINES, line));
    assert_eq!(decision.outcome, Outcome::Applied);
    assert_eq!(warnings(&decision), [("payload.payment.details[0].fee_component", "too_long")]);
}

#[test]
fn a_list_of_tranches_is_read_once_and_no_further_than_anybody_is_billed() {
    let tranches = |count: usize| {
        let list = (0..count).map(|n| json!({"id": n, "amount": 1})).collect::<Vec<_>>();
        decide_json(&sample_with(SIGNED, "/payload/disbursements", json!(list)))
    };
    let most = tranches(1_000);
    let rows = most
        .changes
        .iter()
        .filter(|change| matches!(change, Change::Write { entity, .. } if *entity == &DISBURSEMENTS));
    assert_eq!((most.outcome, rows.count()), (Outcome::Applied, 1_000));
    assert_stopped(&tranches(1_001), Reason::UnreadableAmount, "payload.disbursements");
}

#[test]
fn the_lines_of_a_whole_schedule_are_bounded_together() {
    let instalment = json!({"due_date": "2026-07-05", "amount": 1, "details": vec![json!({}); 600]});
    let decision = decide_json(&sample_with(
        "flex.subscription.setup",
        "/payload/payment_schedule",
        json!([instalment, instalment]),
    ));
    assert_eq!(decision.outcome, Outcome::Applied);
    assert_eq!(warnings(&decision), [("payload.payment_schedule[1].details", "too_long")]);
    assert!(value(&decision, &SUBSCRIPTIONS, "schedule").is_some());
}

#[test]
fn an_event_that_waits_for_a_person_is_found_by_what_it_is_about() {
    let decision = decide_json(&sample_with(SETTLED, "/payload/payment/amount", json!("a lot")));
    assert_eq!(decision.outcome, Outcome::Quarantined);
    assert_eq!(decision.about.subject.as_deref(), Some("flex_payments:flex_661204"));
    assert_eq!(decision.about.pupil_key.as_deref(), Some("erp:GVS/2026/0417"));
    let order = decide_json(&sample_with("order.payment.debited", "/payload/order/details", json!(7)));
    assert_eq!(order.about.subject.as_deref(), Some("orders:order_7710294488213"));
    let applied = decide_json(&sample(SETTLED));
    assert_eq!(applied.about, decision.about);
}
