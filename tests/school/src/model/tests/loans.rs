//! Loans, tranches and repayments.

use serde_json::{Value, json};

use super::{cells, judged, keys, said};

fn loan(step: &str, second: i64, id: &Value, more: &Value) -> String {
    let mut payload =
        json!({ "student": { "identifier": "1" }, "application": { "id": id, "status": step } });
    for (name, value) in more.as_object().unwrap() {
        payload[name] = value.clone();
    }
    said(&format!("cred.loan.{step}"), second, payload)
}

fn loan_after(events: &[(&str, i64)]) -> String {
    let bodies: Vec<_> =
        events.iter().map(|(step, second)| loan(step, *second, &json!(4), &json!({}))).collect();
    cells(&judged(&bodies), "jodo_loans", "4", ["state"])[0].to_owned()
}

#[test]
fn the_steps_of_a_loan_count_whatever_their_times() {
    assert_eq!(loan_after(&[("application_started", 9)]), "started");
    assert_eq!(loan_after(&[("application_started", 9), ("application_filled", 1)]), "filled");
    assert_eq!(loan_after(&[("application_filled", 9), ("final_approved", 1)]), "final_approved");
    assert_eq!(loan_after(&[("final_approved", 9), ("agreement_signed", 1)]), "agreement_signed");
    assert_eq!(loan_after(&[("agreement_signed", 9), ("disbursed", 1)]), "disbursed");
}

#[test]
fn an_end_outranks_the_approval_and_the_signature_only_if_later() {
    assert_eq!(loan_after(&[("rejected", 1), ("final_approved", 9)]), "rejected");
    assert_eq!(loan_after(&[("rejected", 1), ("agreement_signed", 2)]), "agreement_signed");
    assert_eq!(loan_after(&[("rejected", 2), ("agreement_signed", 2)]), "agreement_signed");
    assert_eq!(loan_after(&[("canceled", 3), ("agreement_signed", 2)]), "canceled");
    assert_eq!(loan_after(&[("application_expired", 9), ("disbursed", 1)]), "disbursed");
    assert_eq!(loan_after(&[("application_expired", 2), ("canceled", 1)]), "expired");
    assert_eq!(loan_after(&[("application_expired", 1), ("canceled", 1), ("rejected", 1)]), "rejected");
}

#[test]
fn a_tranche_is_planned_and_then_paid_out_with_its_own_amounts() {
    let listed = json!({ "disbursements": [
        { "id": 60, "date": "2026-06-10", "amount": 120000.0, "is_disbursed": false },
        { "id": 61, "date": "2026-12-10", "amount": "120000", "is_disbursed": true },
        { "date": "2027-01-01" },
    ] });
    let signed = loan("agreement_signed", 1, &json!(4), &listed);
    let columns = ["application_id", "state", "planned_on", "amount", "disbursed_on", "disbursed_amount"];
    let views = judged(std::slice::from_ref(&signed));
    let planned = ["4", "planned", "2026-06-10", "120000.00", "", ""];
    assert_eq!(cells(&views, "jodo_disbursements", "60", columns), planned);
    assert_eq!(cells(&views, "jodo_disbursements", "61", ["state", "disbursed_on"]), ["disbursed", ""]);
    assert_eq!(keys(&views, "jodo_receipts"), ["loan / 61"]);

    let paid = json!({ "disbursement": { "id": "60", "date": "2026-06-11", "disbursed_amount": 117600.0 } });
    let views = judged(&[signed, loan("disbursed", 2, &json!("4"), &paid)]);
    let disbursed = ["4", "disbursed", "2026-06-10", "120000.00", "2026-06-11", "117600.00"];
    assert_eq!(cells(&views, "jodo_disbursements", "60", columns), disbursed);
    let columns = ["counts_as", "state", "amount", "settled", "pending", "paid_on", "paid_at_utc"];
    let expected = ["loan_disbursement", "disbursed", "117600.00", "117600.00", "0.00", "2026-06-11", ""];
    assert_eq!(cells(&views, "jodo_receipts", "loan / 60", columns), expected);
    let columns = ["loan", "loan_paid", "paid", "settled", "pending"];
    let expected = ["disbursed", "237600.00", "237600.00", "237600.00", "0.00"];
    assert_eq!(cells(&views, "jodo_student_overview", "erp:1", columns), expected);
    assert_eq!(keys(&views, "jodo_fee_lines"), [""; 0]);
}

#[test]
fn a_repayment_is_no_income_and_mentions_its_loan() {
    let emi = |application: Value| {
        let payment =
            json!({ "id": "e", "due_date": "2026-08-05", "paid_at": "2026-08-05T20:00:00Z", "amount": 21 });
        let student = json!({ "identifier": "1" });
        said(
            "cred.emi.debited",
            5,
            json!({ "student": student, "application": application, "payment": payment }),
        )
    };
    let application = json!({ "id": "4", "status": "agreement_signed", "amount": "240000",
        "agreement_signed_at": "2026-06-05T20:20:33Z" });
    let views = judged(&[emi(application), loan("application_started", 5, &json!(4), &json!({}))]);
    let columns = ["application_id", "pupil_key", "amount", "due_on", "paid_at_utc", "paid_on"];
    let expected = ["4", "erp:1", "21.00", "2026-08-05", "2026-08-05T20:00:00Z", "2026-08-06"];
    assert_eq!(cells(&views, "jodo_loan_repayments", "e", columns), expected);
    // The loan's own word of the same second is the later, and the mention fills the gaps.
    let columns = ["state", "status", "amount", "amount_paise"];
    let expected = ["started", "application_started", "240000.00", "24000000"];
    assert_eq!(cells(&views, "jodo_loans", "4", columns), expected);
    let columns = ["agreement_signed_at", "agreement_signed_at_utc", "agreement_signed_on"];
    let expected = ["2026-06-05T20:20:33Z", "2026-06-05T20:20:33Z", "2026-06-06"];
    assert_eq!(cells(&views, "jodo_loans", "4", columns), expected);
    assert_eq!(keys(&views, "jodo_receipts"), [""; 0]);

    let views = judged(&[emi(json!({}))]);
    assert_eq!(keys(&views, "jodo_loans"), [""; 0]);
    assert_eq!(cells(&views, "jodo_loan_repayments", "e", ["application_id"]), [""]);
    let views = judged(&[emi(json!({ "id": 4 }))]);
    assert_eq!(cells(&views, "jodo_loans", "4", ["state", "status"]), ["unknown", ""]);
}

#[test]
fn the_overview_shows_the_loan_that_matters() {
    let shown =
        |bodies: &[String]| cells(&judged(bodies), "jodo_student_overview", "erp:1", ["loan"])[0].to_owned();
    let none = json!({});
    let signed = loan("agreement_signed", 1, &json!(1), &none);
    let started = loan("application_started", 2, &json!(2), &none);
    let rejected = loan("rejected", 3, &json!(3), &none);
    let canceled = loan("canceled", 3, &json!(4), &none);
    assert_eq!(shown(&[signed, started.clone(), rejected.clone()]), "agreement_signed");
    assert_eq!(shown(&[started, rejected.clone()]), "started");
    // Of the same second: by the rank of the words.
    assert_eq!(shown(&[rejected, canceled]), "rejected");
}

#[test]
fn of_a_tranche_that_one_event_lists_twice_the_greater_text_stands() {
    let tranche = |date: &str| json!({ "id": 7, "date": date });
    for dates in [["2026-06-10", "2026-12-10"], ["2026-12-10", "2026-06-10"]] {
        let listed = json!({ "disbursements": dates.map(tranche) });
        let views = judged(&[loan("agreement_signed", 1, &json!(4), &listed)]);
        assert_eq!(cells(&views, "jodo_disbursements", "7", ["planned_on"]), ["2026-12-10"]);
    }
}
