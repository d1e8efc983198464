//! What a person should look at: payments and ids.

use serde_json::{Value, json};

use super::{assert_no_anomaly, assert_only_anomaly, cells, digits, judged, keys, said, said_as};

fn heard(code: &str, second: i64, payment: &Value) -> String {
    said(code, second, json!({ "payment": payment }))
}

fn payment(amount: i64, lines: &Value) -> Value {
    json!({ "id": "p", "amount": amount, "details": lines })
}

fn settled_line(amount: i64, utr: &str) -> Value {
    json!({ "amount": amount, "settlement_utr": utr })
}

fn order(step: &str, second: i64, details: &Value) -> String {
    let payload = json!({ "order_id": "o", "order": { "details": details } });
    said(&format!("payment_link.payment.{step}"), second, payload)
}

#[test]
fn an_event_id_may_repeat_with_the_same_content_only() {
    let payload = |amount: Value| json!({ "payment": { "id": "p", "amount": amount } });
    let first = said_as("e", "pay.payment.debited", 1, payload(json!(10)));
    let same = said_as("e", "pay.payment.debited", 2, payload(json!(10.0)));
    let other = said_as("e", "pay.payment.settled", 3, payload(json!(10)));
    assert_no_anomaly(&[first.clone(), same.clone()]);

    let views = judged(&[first.clone(), same.clone(), other.clone()]);
    let reused: Vec<_> =
        keys(&views, "jodo_anomalies").into_iter().filter(|key| key.starts_with("event_id_reused")).collect();
    assert_eq!(reused.len(), 3);
    let key = format!("event_id_reused / e / pay.payment.settled / {}", digits(&other));
    let columns = ["event_time", "earlier_clock_key", "tenant"];
    assert_eq!(cells(&views, "jodo_anomalies", &key, columns), ["3", "", "school"]);
}

#[test]
fn lines_that_do_not_add_up_are_told_with_the_events_that_said_so() {
    for (code, family) in [("direct.payment.added", "manual"), ("pay.payment.debited", "pay")] {
        let body = heard(code, 5, &payment(100, &json!([{ "amount": 60 }])));
        let bodies = std::slice::from_ref(&body);
        assert_only_anomaly(bodies, ["lines_differ", "p", family], "5", &body, &body);
        assert_no_anomaly(&[heard(code, 5, &payment(60, &json!([{ "amount": "60.00" }])))]);
        assert_no_anomaly(&[heard(code, 5, &payment(100, &json!([{ "amount": 60 }, {}])))]);
        assert_no_anomaly(&[heard(code, 5, &json!({ "id": "p", "amount": 100 }))]);
    }
    let lines = heard("flex.instalment.debited", 5, &json!({ "id": "p", "details": [{ "amount": 60 }] }));
    let amount = heard("flex.instalment.bounced", 3, &json!({ "id": "p", "amount": 100 }));
    let what = ["lines_differ", "p", "flex"];
    assert_only_anomaly(&[lines.clone(), amount.clone()], what, "5", &lines, &amount);
}

#[test]
fn a_fallback_amount_is_the_earlier_one_and_fallback_lines_are_not_compared() {
    let added = heard("direct.payment.added", 9, &json!({ "id": "p", "details": [{ "amount": 60 }] }));
    let voided = heard("direct.payment.cancelled", 99, &json!({ "id": "p", "amount": 100 }));
    let what = ["lines_differ", "p", "manual"];
    assert_only_anomaly(&[added.clone(), voided.clone()], what, "9", &added, &voided);

    // They may be a part of the whole.
    let added = heard("direct.payment.added", 9, &json!({ "id": "p", "amount": 100 }));
    let voided = heard("direct.payment.cancelled", 99, &json!({ "id": "p", "details": [{ "amount": 60 }] }));
    assert!(judged(&[added, voided])["jodo_anomalies"].is_empty());
}

#[test]
fn more_may_be_settled_than_was_paid() {
    let debited = heard("pay.payment.debited", 1, &payment(100, &json!([{ "amount": 100 }])));
    let settled = heard(
        "pay.payment.settled",
        2,
        &payment(100, &json!([settled_line(100, "U1"), settled_line(100, "U2")])),
    );
    let what = ["settled_more_than_paid", "p", "pay"];
    assert_only_anomaly(&[debited.clone(), settled.clone()], what, "2", &settled, "");
    let views = judged(&[debited, settled]);
    assert_eq!(cells(&views, "jodo_receipts", "pay / p", ["settled", "pending"]), ["200.00", "-100.00"]);

    // Of an order the lines are the amount, and the report may be missing.
    let debited = order("debited", 1, &json!([settled_line(5, "U1")]));
    let corrected = order("debited", 2, &json!([{ "amount": 4 }]));
    let bodies = [debited, corrected];
    assert_only_anomaly(&bodies, ["settled_more_than_paid", "o", "order"], "", "", "");
}

#[test]
fn settled_without_a_utr_is_told_until_the_utr_comes() {
    let without = heard("pay.payment.settled", 2, &payment(10, &json!([{ "amount": 10 }])));
    let no_lines = heard("pay.payment.settled", 3, &json!({ "id": "p", "amount": 10 }));
    let with = heard("pay.payment.settled", 4, &payment(10, &json!([settled_line(10, "U")])));
    let what = ["settled_without_utr", "p", "pay"];
    assert_only_anomaly(std::slice::from_ref(&without), what, "2", &without, "");
    assert_only_anomaly(&[without.clone(), no_lines.clone()], what, "3", &no_lines, "");
    assert_no_anomaly(&[without.clone(), no_lines, with.clone()]);
    // The line that is known is another one, and still open.
    let debited =
        heard("pay.payment.debited", 1, &payment(10, &json!([{ "fee_component": "A", "amount": 10 }])));
    assert_only_anomaly(&[debited, without.clone(), with], what, "2", &without, "");
}

#[test]
fn a_debit_may_come_back() {
    let debited = |second| heard("flex.instalment.debited", second, &payment(10, &json!([])));
    let bounced = |second| heard("flex.instalment.bounced", second, &payment(10, &json!([])));
    let what = ["bounced_after_debit", "p", "flex"];
    assert_only_anomaly(&[debited(5), bounced(6)], what, "6", &bounced(6), &debited(5));
    assert_no_anomaly(&[debited(5), bounced(5)]);
    assert_no_anomaly(&[debited(5), bounced(4)]);
}

#[test]
fn a_link_may_be_paid_and_expired() {
    let lines = json!([{ "amount": 1 }]);
    let expired = |second| order("expired", second, &lines);
    let (debited, settled) =
        (order("debited", 5, &lines), order("settled", 6, &json!([settled_line(1, "U")])));
    let what = ["paid_after_expiry", "o", "payment_link"];
    assert_only_anomaly(&[expired(4), debited.clone()], what, "5", &debited, &expired(4));
    assert_only_anomaly(&[expired(9), debited.clone()], what, "9", &expired(9), &debited);
    assert_only_anomaly(&[expired(9), debited, settled.clone()], what, "9", &expired(9), &settled);
}

#[test]
fn a_voided_payment_may_be_corrected() {
    let heard = |step, second| heard(&format!("direct.payment.{step}"), second, &json!({ "id": "p" }));
    let bodies = [heard("added", 1), heard("cancelled", 2), heard("updated", 3)];
    let what = ["changed_after_cancellation", "p", "manual"];
    assert_only_anomaly(&bodies, what, "3", &bodies[2], &bodies[1]);
    assert_no_anomaly(&[heard("added", 1), heard("cancelled", 2), heard("updated", 2)]);
}
