//! What a person should look at: plans and loans.

use serde_json::{Value, json};

use super::{assert_no_anomaly, assert_only_anomaly, judged, keys, said};

fn plan(step: &str, second: i64) -> String {
    said(&format!("flex.subscription.{step}"), second, json!({ "subscription": { "id": "s" } }))
}

fn loan(step: &str, second: i64, more: &Value) -> String {
    let mut payload = json!({ "application": { "id": 4 } });
    for (name, value) in more.as_object().unwrap() {
        payload[name] = value.clone();
    }
    said(&format!("cred.loan.{step}"), second, payload)
}

#[test]
fn a_plan_may_end_twice() {
    let (closed, cancelled) = (plan("closed", 5), plan("cancelled", 5));
    let what = ["plan_cancelled_and_closed", "s", ""];
    assert_only_anomaly(&[closed.clone(), cancelled.clone()], what, "5", &cancelled, &closed);
}

#[test]
fn a_plan_may_be_active_after_its_end() {
    let (closed, active) = (plan("closed", 5), plan("active", 6));
    let what = ["plan_active_after_end", "s", ""];
    assert_only_anomaly(&[closed.clone(), active.clone()], what, "6", &active, &closed);
    assert_no_anomaly(&[closed, plan("active", 5), plan("setup", 9)]);
    // Active between two ends is not after them.
    let bodies = [plan("closed", 5), plan("active", 6), plan("cancelled", 7)];
    assert_eq!(keys(&judged(&bodies), "jodo_anomalies").len(), 1);
}

#[test]
fn an_instalment_may_be_debited_after_the_plans_end() {
    let debited = |second| {
        let payload = json!({ "subscription": { "id": "s" }, "payment": { "id": "p", "amount": 1 } });
        said("flex.instalment.debited", second, payload)
    };
    let end = plan("cancelled", 5);
    let what = ["debit_after_plan_end", "p", "s"];
    assert_only_anomaly(&[end.clone(), debited(6)], what, "6", &debited(6), &end);
    assert_no_anomaly(&[end, debited(5)]);
}

#[test]
fn a_loan_may_end_though_it_was_paid_out() {
    let (disbursed, rejected) = (loan("disbursed", 5, &json!({})), loan("rejected", 6, &json!({})));
    let what = ["loan_ended_after_disbursal", "4", "rejected"];
    assert_only_anomaly(&[disbursed.clone(), rejected.clone()], what, "6", &rejected, &disbursed);
    // In either order, and also when only a tranche says that it was paid out.
    let tranche = json!({ "disbursements": [{ "id": 1, "is_disbursed": true }] });
    let signed = loan("agreement_signed", 7, &tranche);
    assert_only_anomaly(&[signed.clone(), rejected.clone()], what, "7", &signed, &rejected);
    let planned = json!({ "disbursements": [{ "id": 1, "is_disbursed": false }] });
    assert_no_anomaly(&[loan("agreement_signed", 7, &planned), rejected]);
}

#[test]
fn a_loan_that_ended_may_be_repaid() {
    let application = json!({ "id": "4" });
    let emi = said("cred.emi.debited", 5, json!({ "application": application, "payment": { "id": "e" } }));
    let canceled = loan("canceled", 6, &json!({}));
    let what = ["repayment_of_ended_loan", "e", "4"];
    assert_only_anomaly(&[emi.clone(), canceled.clone()], what, "6", &canceled, &emi);
    assert_no_anomaly(&[emi, canceled, loan("agreement_signed", 7, &json!({}))]);
}
