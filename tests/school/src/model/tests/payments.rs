//! Instalments, downpayments and single payments of pupils.

use serde_json::{Value, json};

use super::{cells, judged, keys, said};

fn flex(code: &str, second: i64, mut payment: Value) -> String {
    payment["id"] = json!("f");
    let plan = json!({ "id": 88, "status": "active" });
    let payload = json!({ "student": { "identifier": "1" }, "subscription": plan, "payment": payment });
    said(&format!("flex.{code}"), second, payload)
}

fn pay(step: &str, second: i64, mut payment: Value) -> String {
    payment["id"] = json!("p");
    said(&format!("pay.payment.{step}"), second, json!({ "payment": payment }))
}

fn line(utr: Option<&str>) -> Value {
    json!([{ "fee_component": "A", "amount": 100, "settlement_utr": utr }])
}

#[test]
fn the_state_is_the_furthest_step_whatever_the_times() {
    let bounced = || flex("instalment.bounced", 9, json!({ "details": line(None) }));
    let debited = || flex("instalment.debited", 5, json!({ "details": line(None) }));
    let settled = || flex("instalment.settled", 1, json!({ "details": line(Some("U")) }));
    let state = |bodies: &[String]| {
        let views = judged(bodies);
        let states = cells(&views, "jodo_flex_payments", "f", ["state"]);
        let of_line = cells(&views, "jodo_fee_lines", "flex_instalment / f / A / 100.00 / 1", ["state"]);
        (states[0].to_owned(), of_line[0].to_owned(), keys(&views, "jodo_receipts").len())
    };
    let is = |state: &str, line: &str, receipts| (state.to_owned(), line.to_owned(), receipts);
    assert_eq!(state(&[bounced()]), is("bounced", "bounced", 0));
    assert_eq!(state(&[bounced(), debited()]), is("paid", "paid", 1));
    assert_eq!(state(&[bounced(), debited(), settled()]), is("settled", "settled", 1));
    assert_eq!(state(&[settled()]), is("settled", "settled", 1));
}

#[test]
fn everything_that_is_said_of_an_instalment_is_shown() {
    let payment = json!({ "amount": 100.0, "reference_id": "N1", "product": "flex", "mode": "enach",
        "paid_at": "2026-07-05T04:47:52", "details": line(None) });
    let views = judged(&[flex("instalment.debited", 1, payment)]);
    let columns =
        ["kind", "subscription_id", "pupil_key", "identifier", "reference_id", "jodo_product", "mode"];
    let expected = ["instalment", "88", "erp:1", "1", "N1", "flex", "enach"];
    assert_eq!(cells(&views, "jodo_flex_payments", "f", columns), expected);
    let columns = ["amount", "amount_paise", "settled_paise", "paid_at", "paid_at_utc", "paid_on"];
    let expected = ["100.00", "10000", "0", "2026-07-05T04:47:52", "", ""];
    assert_eq!(cells(&views, "jodo_flex_payments", "f", columns), expected);
    let columns = ["counts_as", "state", "mode", "reference", "amount", "settled", "pending"];
    let expected = ["fee", "paid", "enach", "N1", "100.00", "0.00", "100.00"];
    assert_eq!(cells(&views, "jodo_receipts", "flex_instalment / f", columns), expected);
    // The plan is mentioned, and no more.
    let columns = ["state", "status", "pupil_key", "mandate"];
    assert_eq!(cells(&views, "jodo_subscriptions", "88", columns), ["unknown", "active", "erp:1", ""]);
}

#[test]
fn a_settlements_lines_stand_only_while_no_others_are_known() {
    let other = json!([{ "fee_component": "B", "amount": 100, "settlement_utr": "U" }]);
    let settled = flex("instalment.settled", 9, json!({ "mode": "late", "details": other }));
    let debited = flex("instalment.debited", 1, json!({ "mode": "early", "details": line(None) }));
    let columns = ["mode", "details"];
    let views = judged(std::slice::from_ref(&settled));
    let of_settled = r#"[{"amount":"100.00","fee_component":"B"}]"#;
    assert_eq!(cells(&views, "jodo_flex_payments", "f", columns), ["late", of_settled]);
    let views = judged(&[settled, debited]);
    let of_debited = r#"[{"amount":"100.00","fee_component":"A"}]"#;
    assert_eq!(cells(&views, "jodo_flex_payments", "f", columns), ["late", of_debited]);
    // The settlement fits no known line.
    let lines = ["flex_instalment / f / A / 100.00 / 1", "flex_instalment / f / B / 100.00 / 1"];
    assert_eq!(keys(&views, "jodo_fee_lines"), lines);
    assert_eq!(cells(&views, "jodo_fee_lines", lines[0], ["state", "utr"]), ["paid", ""]);
    assert_eq!(cells(&views, "jodo_fee_lines", lines[1], ["state", "utr"]), ["settled", "U"]);
    assert_eq!(
        cells(&views, "jodo_receipts", "flex_instalment / f", ["state", "pending"]),
        ["partly_settled", "0.00"]
    );
}

#[test]
fn a_downpayment_needs_no_plan() {
    let payload = json!({ "student": { "identifier": "1" }, "payment": { "id": "f", "amount": "8" } });
    let views = judged(&[said("flex.downpayment.debited", 1, payload)]);
    assert_eq!(cells(&views, "jodo_flex_payments", "f", ["kind", "subscription_id"]), ["downpayment", ""]);
    assert_eq!(keys(&views, "jodo_receipts"), ["flex_downpayment / f"]);
    assert_eq!(keys(&views, "jodo_subscriptions"), [""; 0]);
}

#[test]
fn an_amount_that_nobody_named_is_the_sum_of_the_lines_else_of_the_settled_ones() {
    let two = json!([{ "amount": 60 }, { "amount": "40.50" }]);
    let views = judged(&[pay("debited", 1, json!({ "details": two }))]);
    assert_eq!(cells(&views, "jodo_pay_payments", "p", ["amount"]), ["100.50"]);
    let columns = ["product", "reference", "amount"];
    assert_eq!(cells(&views, "jodo_receipts", "pay / p", columns), ["pay", "", "100.50"]);

    let one_unknown = json!([{ "amount": 60, "settlement_utr": "U" }, { "fee_component": "X" }]);
    let views = judged(&[pay("settled", 1, json!({ "details": one_unknown }))]);
    let details = r#"[{"amount":"60.00"},{"fee_component":"X"}]"#;
    let columns = ["state", "amount", "settled_paise", "details"];
    assert_eq!(cells(&views, "jodo_pay_payments", "p", columns), ["partly_settled", "", "6000", details]);
    let columns = ["amount", "settled", "pending"];
    assert_eq!(cells(&views, "jodo_receipts", "pay / p", columns), ["60.00", "60.00", "0.00"]);

    let views = judged(&[pay("debited", 1, json!({}))]);
    assert_eq!(cells(&views, "jodo_receipts", "pay / p", columns), ["", "0.00", "0.00"]);
    assert_eq!(keys(&views, "jodo_fee_lines"), ["pay / p /  /  / 1"]);
}
