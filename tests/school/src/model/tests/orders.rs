//! Orders, payment pages and payment links.

use serde_json::{Value, json};

use super::{by_digits, cells, judged, keys, said};

fn order(code: &str, second: i64, order: &Value) -> String {
    said(code, second, json!({ "order_id": "o", "order": order }))
}

fn details(component: &str) -> Value {
    json!([{ "component_type": component, "amount": 11 }])
}

#[test]
fn an_order_belongs_to_the_pupil_with_its_number_if_there_is_one() {
    let of = |identifier| {
        json!({ "identifier": identifier, "name": "Payer", "phone": 9, "email": "a@b",
        "student_name": "Child", "transaction_id": "t", "paid_at": "2026-05-03T18:44:55Z",
        "details": details("A") })
    };
    let pupil = said("masterdata.student.registered", 1, json!({ "student": { "identifier": "1" } }));
    let known = judged(&[pupil.clone(), order("order.payment.debited", 1, &of("1"))]);
    assert_eq!(cells(&known, "jodo_orders", "o", ["pupil_key", "identifier"]), ["erp:1", "1"]);
    assert_eq!(keys(&known, "jodo_unmatched_receipts"), [""; 0]);
    assert_eq!(cells(&known, "jodo_student_overview", "erp:1", ["fees_paid", "pending"]), ["11.00", "11.00"]);

    let unknown = judged(&[pupil, order("order.payment.debited", 1, &of("2"))]);
    assert_eq!(keys(&unknown, "jodo_students"), ["erp:1"]);
    assert_eq!(cells(&unknown, "jodo_orders", "o", ["pupil_key", "identifier"]), ["", "2"]);
    assert_eq!(cells(&unknown, "jodo_receipts", "order / o", ["identifier", "reference"]), ["", "t"]);
    let columns =
        ["counts_as", "payer_name", "payer_phone", "payer_email", "payer_identifier", "learner_name"];
    let expected = ["fee", "Payer", "9", "a@b", "2", "Child"];
    assert_eq!(cells(&unknown, "jodo_unmatched_receipts", "order / o", columns), expected);
    let columns = ["paid_on", "amount", "amount_paise", "paid_at_utc", "identifier"];
    let expected = ["2026-05-04", "11.00", "1100", "", ""];
    assert_eq!(cells(&unknown, "jodo_unmatched_receipts", "order / o", columns), expected);
}

#[test]
fn everything_that_is_said_of_an_order_is_shown() {
    let said = json!({ "custom_identifier": "c", "date_of_birth": "2019-02-11", "grade": "G", "new_admission": true,
        "academic_year_start": 2026, "academic_year_end": "2027", "status": "paid", "notes": [{ "a": 1.0 }] });
    let views = judged(&[order("page.payment.debited", 1, &said)]);
    let columns =
        ["kind", "custom_identifier", "date_of_birth", "grade", "new_admission", "academic_year_start"];
    let expected = ["page", "c", "2019-02-11", "G", "true", "2026"];
    assert_eq!(cells(&views, "jodo_orders", "o", columns), expected);
    let columns = ["academic_year_end", "status", "notes", "amount", "settled_paise", "state"];
    let expected = ["2027", "paid", r#"[{"a":1}]"#, "", "0", "paid"];
    assert_eq!(cells(&views, "jodo_orders", "o", columns), expected);
}

#[test]
fn what_an_expiry_says_stands_only_while_nothing_else_is_known() {
    let expired = json!({ "status": "expired", "email": "e", "details": details("E") });
    let expired = order("payment_link.payment.expired", 9, &expired);
    let views = judged(std::slice::from_ref(&expired));
    let columns = ["kind", "state", "status", "email", "amount"];
    assert_eq!(
        cells(&views, "jodo_orders", "o", columns),
        ["payment_link", "expired", "expired", "e", "11.00"]
    );
    assert_eq!(cells(&views, "jodo_fee_lines", "payment_link / o / E / 11.00 / 1", ["state"]), ["expired"]);
    assert_eq!(keys(&views, "jodo_receipts"), [""; 0]);

    let paid = order("order.payment.debited", 1, &json!({ "status": "paid", "details": details("D") }));
    let views = judged(&[expired, paid]);
    assert_eq!(cells(&views, "jodo_orders", "o", columns), ["order", "paid", "paid", "e", "11.00"]);
    assert_eq!(keys(&views, "jodo_fee_lines"), ["order / o / D / 11.00 / 1"]);
}

#[test]
fn between_the_lines_of_a_settlement_and_of_an_expiry_the_digits_decide() {
    let expired = order("payment_link.payment.expired", 1, &json!({ "details": details("E") }));
    let settled = order("payment_link.payment.settled", 2, &json!({ "details": details("S") }));
    let (_, last) = by_digits(expired.clone(), settled.clone());
    let component = if last == expired { "E" } else { "S" };
    let views = judged(&[expired, settled]);
    assert_eq!(keys(&views, "jodo_fee_lines"), [format!("payment_link / o / {component} / 11.00 / 1")]);
}
