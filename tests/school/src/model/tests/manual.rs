//! Payments that were made to the institute itself.

use serde_json::{Value, json};

use super::{by_digits, cells, judged, keys, said};

fn manual(step: &str, second: i64, mut payment: Value) -> String {
    payment["id"] = json!("d");
    let payload = json!({ "student": { "identifier": "1" }, "payment": payment });
    said(&format!("direct.payment.{step}"), second, payload)
}

#[test]
fn the_newest_word_on_each_member_stands() {
    let views = judged(&[
        manual("added", 1, json!({ "amount": "100.5", "mode": "cash", "paid_at": "2026-06-02T20:00:00Z" })),
        manual("updated", 2, json!({ "amount": 90, "mode": null, "transaction_id": "R1" })),
    ]);
    let columns = ["state", "amount", "amount_paise", "mode", "transaction_id", "paid_at_utc", "paid_on"];
    let expected = ["recorded", "90.00", "9000", "cash", "R1", "2026-06-02T20:00:00Z", "2026-06-03"];
    assert_eq!(cells(&views, "jodo_manual_payments", "d", columns), expected);
    let columns = ["counts_as", "state", "reference", "amount", "settled", "pending"];
    let expected = ["manual", "recorded", "R1", "90.00", "90.00", "0.00"];
    assert_eq!(cells(&views, "jodo_receipts", "manual / d", columns), expected);
}

#[test]
fn a_correction_of_the_same_second_is_the_later() {
    let views =
        judged(&[manual("updated", 1, json!({ "amount": 2 })), manual("added", 1, json!({ "amount": 1 }))]);
    assert_eq!(cells(&views, "jodo_manual_payments", "d", ["amount"]), ["2.00"]);
}

#[test]
fn voided_is_final_and_what_the_voiding_says_fills_gaps_only() {
    let views = judged(&[
        manual("added", 1, json!({ "amount": 100 })),
        manual("cancelled", 2, json!({ "amount": 999, "mode": "cheque" })),
    ]);
    let columns = ["state", "amount", "mode", "pupil_key"];
    assert_eq!(
        cells(&views, "jodo_manual_payments", "d", columns),
        ["cancelled", "100.00", "cheque", "erp:1"]
    );
    assert_eq!(keys(&views, "jodo_receipts"), [""; 0]);
    assert_eq!(cells(&views, "jodo_fee_lines", "manual / d /  / 100.00 / 1", ["state"]), ["cancelled"]);
}

#[test]
fn among_voidings_the_digits_decide_and_not_the_time() {
    let early = manual("cancelled", 1, json!({ "amount": 1 }));
    let late = manual("cancelled", 2, json!({ "amount": 2 }));
    let (_, last) = by_digits(early.clone(), late.clone());
    let amount = if last == early { "1.00" } else { "2.00" };
    let views = judged(&[early, late]);
    assert_eq!(cells(&views, "jodo_manual_payments", "d", ["amount"]), [amount]);
}

#[test]
fn lines_with_a_utr_count_as_settled_on_the_day_of_payment() {
    let lines = json!([{ "fee_component": "A", "amount": "60" }, { "component_type": 8926, "amount": 40.0 }]);
    let mut payment = json!({ "settlement_utr": "U1", "paid_at": "2026-06-02T20:00:00Z", "details": lines });
    let views = judged(&[manual("added", 1, payment.clone())]);
    assert_eq!(
        keys(&views, "jodo_fee_lines"),
        ["manual / d / 8926 / 40.00 / 1", "manual / d / A / 60.00 / 1"]
    );
    let columns = ["state", "utr", "settled_at_utc", "settled_on", "paid_on"];
    let expected = ["settled", "U1", "2026-06-02T20:00:00Z", "2026-06-03", "2026-06-03"];
    assert_eq!(cells(&views, "jodo_fee_lines", "manual / d / A / 60.00 / 1", columns), expected);
    let columns = ["lines", "amount", "credited_on"];
    assert_eq!(cells(&views, "jodo_bank_credits", "U1", columns), ["2", "100.00", "2026-06-03"]);
    // Its own amount is not known, which the sum of the lines makes up for.
    let details = r#"[{"amount":"60.00","fee_component":"A"},{"amount":"40.00","fee_component":"8926"}]"#;
    assert_eq!(cells(&views, "jodo_manual_payments", "d", ["amount", "details"]), ["100.00", details]);
    assert_eq!(cells(&views, "jodo_receipts", "manual / d", ["amount", "settled"]), ["100.00", "100.00"]);

    payment["details"] = json!([{ "fee_component": "A" }]);
    let views = judged(&[manual("added", 1, payment.clone())]);
    let columns = ["amount", "amount_paise", "settled", "pending"];
    assert_eq!(cells(&views, "jodo_receipts", "manual / d", columns), ["", "", "0.00", "0.00"]);

    let views = judged(&[manual("added", 1, payment), manual("cancelled", 2, json!({}))]);
    assert_eq!(cells(&views, "jodo_fee_lines", "manual / d / A /  / 1", ["state", "utr"]), ["cancelled", ""]);
    assert_eq!(keys(&views, "jodo_bank_credits"), [""; 0]);
}
