//! Which settlement settles which line.

use serde_json::{Value, json};

use super::{cells, judged, keys, said};

fn pay(step: &str, second: i64, details: &Value) -> String {
    let payment = json!({ "id": "p", "amount": 300, "paid_at": "2026-06-01T00:00:00Z", "details": details });
    said(&format!("pay.payment.{step}"), second, json!({ "payment": payment }))
}

fn line(component: &str, utr: &str) -> Value {
    json!({ "fee_component": component, "amount": 100, "settlement_utr": utr,
        "settled_at": "2026-06-03T00:00:00Z" })
}

#[test]
fn a_payment_is_partly_settled_until_every_line_is() {
    let debited = pay("debited", 1, &json!([line("A", ""), line("B", ""), line("C", "")]));
    let some = pay("settled", 2, &json!([line("A", "U1"), line("B", ""), line("C", "")]));
    let rest = pay("settled", 3, &json!([line("B", "U2"), line("C", "U2")]));
    let columns = ["state", "settled", "settled_paise", "pending"];
    let views = judged(&[debited.clone(), some.clone()]);
    let expected = ["partly_settled", "100.00", "10000", "200.00"];
    assert_eq!(cells(&views, "jodo_receipts", "pay / p", columns), expected);
    assert_eq!(cells(&views, "jodo_fee_lines", "pay / p / B / 100.00 / 1", ["state", "utr"]), ["paid", ""]);

    let views = judged(&[debited, some, rest]);
    assert_eq!(cells(&views, "jodo_receipts", "pay / p", columns), ["settled", "300.00", "30000", "0.00"]);
    let columns = ["lines", "amount", "amount_paise", "credited_on"];
    assert_eq!(cells(&views, "jodo_bank_credits", "U2", columns), ["2", "200.00", "20000", "2026-06-03"]);
}

#[test]
fn equal_lines_are_told_apart_by_their_place() {
    let debited = pay("debited", 1, &json!([line("A", ""), line("A", ""), line("A", "")]));
    // The bytes order the UTRs: U10 before U9. Two lines of one event may have the same.
    let settled = pay("settled", 2, &json!([line("A", "U9"), line("A", "U10"), line("A", "U9")]));
    let views = judged(&[debited.clone(), settled.clone()]);
    let utr = |n: usize| cells(&views, "jodo_fee_lines", &format!("pay / p / A / 100.00 / {n}"), ["utr"])[0];
    assert_eq!([utr(1), utr(2), utr(3)], ["U10", "U9", "U9"]);

    // What is reported again is no new settlement.
    let again = pay("settled", 3, &json!([line("A", "U9")]));
    assert_eq!(judged(&[debited.clone(), settled.clone(), again])["jodo_fee_lines"], views["jodo_fee_lines"]);

    // One line is open, and it is the last.
    let two = pay("settled", 2, &json!([line("A", "U9"), line("A", "U10")]));
    let views = judged(&[debited, two]);
    let state =
        |n: usize| cells(&views, "jodo_fee_lines", &format!("pay / p / A / 100.00 / {n}"), ["state"])[0];
    assert_eq!([state(1), state(2), state(3)], ["settled", "settled", "paid"]);
}

#[test]
fn the_tenth_settlement_of_a_utr_comes_after_the_ninth() {
    let settled =
        |n| json!({ "amount": 1, "settlement_utr": "U", "settled_at": format!("2026-06-{n:02}T00:00:00Z") });
    let lines: Vec<Value> = (1..=11).map(settled).collect();
    let views = judged(&[pay("settled", 1, &json!(lines))]);
    for n in 1..=11 {
        let key = format!("pay / p /  / 1.00 / {n}");
        assert_eq!(cells(&views, "jodo_fee_lines", &key, ["settled_on"]), [format!("2026-06-{n:02}")]);
    }
}

#[test]
fn a_settlement_without_a_line_is_a_line_of_its_own() {
    let debited = pay("debited", 1, &json!([line("A", "")]));
    let settled = pay("settled", 2, &json!([line("A", "U1"), line("A", "U2")]));
    let views = judged(&[debited, settled]);
    let stray = "pay / p / A / 100.00 / 2";
    assert_eq!(keys(&views, "jodo_fee_lines"), ["pay / p / A / 100.00 / 1", stray]);
    assert_eq!(cells(&views, "jodo_fee_lines", stray, ["state", "utr"]), ["settled", "U2"]);
    assert_eq!(cells(&views, "jodo_pay_payments", "p", ["state", "settled_paise"]), ["settled", "20000"]);
}

#[test]
fn the_time_of_a_settlement_is_the_newest_that_was_named() {
    let timed = |time: Value| json!([{ "amount": 100, "settlement_utr": "U", "settled_at": time }]);
    let views = judged(&[
        pay("settled", 1, &timed(json!("2026-06-03T20:00:00Z"))),
        pay("settled", 2, &timed(json!("2026-06-02T20:00:00Z"))),
        pay("settled", 3, &timed(json!(null))),
    ]);
    let columns = ["settled_at_utc", "settled_on", "paid_on"];
    let expected = ["2026-06-02T20:00:00Z", "2026-06-03", "2026-06-01"];
    assert_eq!(cells(&views, "jodo_fee_lines", "pay / p /  / 100.00 / 1", columns), expected);
}

#[test]
fn settled_without_lines_or_utrs_is_a_state_of_its_own_for_no_money_is_seen() {
    let views = judged(&[pay("settled", 1, &json!([]))]);
    let columns = ["state", "amount", "settled", "pending"];
    assert_eq!(
        cells(&views, "jodo_receipts", "pay / p", columns),
        ["settled_without_utr", "300.00", "0.00", "300.00"]
    );
    assert_eq!(
        cells(&views, "jodo_fee_lines", "pay / p /  / 300.00 / 1", ["state", "amount"]),
        ["paid", "300.00"]
    );
}

#[test]
fn a_utr_in_the_report_of_a_debit_is_a_settlement_too() {
    let views = judged(&[pay("debited", 1, &json!([line("A", "U1")]))]);
    assert_eq!(cells(&views, "jodo_pay_payments", "p", ["state"]), ["settled"]);
}
