//! Ids, amounts, and which member is which.

use jodo_shared::outcome::{Outcome, Reason};
use serde_json::json;

use crate::school::{School, event, sample, sample_with};

#[tokio::test]
async fn row_01_ids_are_integers_or_strings_and_are_never_stripped() {
    let mut bodies = Vec::new();
    for id in [json!(20311), json!("20311"), json!("student_20311"), json!("0020311")] {
        let code = "masterdata.student.registered";
        bodies.push(sample_with(
            code,
            [("/payload/student/identifier", json!(null)), ("/payload/jodo_student_id", id)],
        ));
    }
    // More digits than a floating-point number has.
    for id in [json!(9_007_199_254_740_993_u64), json!("9007199254740993"), json!("sub_9007199254740993")] {
        bodies.push(sample_with("flex.subscription.setup", [("/payload/subscription/id", id)]));
    }
    for id in [json!(41806), json!("41806"), json!("app_41806")] {
        bodies.push(sample_with("cred.loan.application_started", [("/payload/application/id", id)]));
    }
    let school = School::with(&bodies).await;

    let pupils = school.rows("jodo_students", "pupil_key jodo_student_id").await;
    let by_jodos_id = ["jodo:0020311 | 0020311", "jodo:20311 | 20311", "jodo:student_20311 | student_20311"];
    assert_eq!(pupils[2..], by_jodos_id);
    let plans = school.rows("jodo_subscriptions", "subscription_id state").await;
    assert_eq!(plans, ["9007199254740993 | set_up", "sub_9007199254740993 | set_up"]);
    let loans = school.rows("jodo_loans", "application_id state").await;
    assert_eq!(loans, ["41806 | started", "app_41806 | started"]);
}

#[tokio::test]
async fn row_02_amounts_are_numbers_or_numeric_strings_and_anything_else_is_parked() {
    let lines = json!([{"fee_component": "TUITION_FEE", "amount": "15000"},
                       {"fee_component": "TRANSPORT_FEE", "amount": 3500.5}]);
    let members = [("/payload/payment/amount", json!("18500.50")), ("/payload/payment/details", lines)];
    let school =
        School::with(&[sample_with("direct.payment.added", members), sample("cred.emi.debited")]).await;
    let lines = school.rows("jodo_fee_lines", "component amount amount_paise").await;
    assert_eq!(lines, ["TRANSPORT_FEE | 3500.50 | 350050", "TUITION_FEE | 15000.00 | 1500000"]);
    assert_eq!(school.rows("jodo_receipts", "payment_id amount").await, ["direct_40177 | 18500.50"]);
    assert_eq!(school.rows("jodo_loans", "application_id amount").await, ["41806 | 240000.00"]);
    assert_eq!(
        school.rows("jodo_loan_repayments", "payment_id amount").await,
        ["emi_41806_90021 | 21350.00"]
    );

    let before = school.everything().await;
    let free =
        sample_with("pay.payment.debited", [("/payload/payment/details/1/amount", json!("seven fifty"))]);
    let decision = school.receive(&free.to_string()).await;
    assert_eq!((decision.outcome, decision.reason), (Outcome::Quarantined, Some(Reason::UnreadableAmount)));
    let parked =
        ("quarantined unreadable_amount payload.payment.details[1].amount".to_owned(), free.to_string());
    assert_eq!(school.stored().await.last(), Some(&parked));
    school.assert_shows(&before).await;
}

#[tokio::test]
async fn row_04_a_fee_line_is_named_by_either_member_and_by_any_text() {
    let lines = json!([{"fee_component": "TUITION_FEE", "amount": 1}, {"component_type": "Science Camp Fee", "amount": 2},
                       {"component_type": 8926, "amount": 3}]);
    let schedule = json!([{"due_date": "2026-07-05", "amount": 6, "details": lines}]);
    let school = School::with(&[
        sample_with(
            "pay.payment.debited",
            [("/payload/payment/details", lines.clone()), ("/payload/payment/amount", json!(6))],
        ),
        sample_with("order.payment.debited", [("/payload/order/details", lines)]),
        sample_with("flex.subscription.setup", [("/payload/payment_schedule", schedule)]),
    ])
    .await;
    let lines = school.rows("jodo_fee_lines", "product component amount").await;
    let of_order = ["order | 8926 | 3.00", "order | Science Camp Fee | 2.00", "order | TUITION_FEE | 1.00"];
    assert_eq!(lines[..3], of_order);
    assert_eq!(lines[3..], of_order.map(|line| line.replace("order", "pay")));
    let schedule = school.rows("jodo_subscriptions", "schedule").await.remove(0);
    for component in ["TUITION_FEE", "Science Camp Fee", "8926"] {
        assert!(schedule.contains(&format!(r#""fee_component":"{component}""#)), "{schedule}");
    }
}

#[tokio::test]
async fn row_07_a_payment_has_a_bank_transfer_per_line_and_a_manual_one_has_one_for_all() {
    let by_hand =
        sample_with("direct.payment.added", [("/payload/payment/settlement_utr", json!("HYPB260603"))]);
    let school = School::with(&[sample("pay.payment.settled"), by_hand]).await;
    let lines = school.rows("jodo_fee_lines", "payment_id component state utr settled_on").await;
    assert_eq!(
        lines,
        [
            "direct_40177 | TRANSPORT_FEE | settled | HYPB260603 | 2026-06-02",
            "direct_40177 | TUITION_FEE | settled | HYPB260603 | 2026-06-02",
            "pg_73015 | LIBRARY_FEE | settled | HYPB26062206613 | 2026-06-22",
            "pg_73015 | TUITION_FEE | settled | HYPB26062206612 | 2026-06-22",
        ]
    );
    let credits = school.rows("jodo_bank_credits", "utr credited_on amount lines").await;
    assert_eq!(
        credits,
        [
            "HYPB260603 | 2026-06-02 | 18500.00 | 2",
            "HYPB26062206612 | 2026-06-22 | 12000.00 | 1",
            "HYPB26062206613 | 2026-06-22 | 750.00 | 1",
        ]
    );
}

#[tokio::test]
async fn row_09_tranches_come_as_a_list_and_singly_and_both_amounts_stay() {
    let school = School::with(&[sample("cred.loan.agreement_signed"), sample("cred.loan.disbursed")]).await;
    let columns = "disbursement_id application_id state planned_on amount disbursed_on disbursed_amount";
    assert_eq!(
        school.rows("jodo_disbursements", columns).await,
        [
            "60217 | 41806 | disbursed | 2026-06-10 | 120000.00 | 2026-06-10 | 117600.00",
            "60218 | 41806 | planned | 2026-12-10 | 120000.00 | - | -",
        ]
    );
    let receipts = school.rows("jodo_receipts", "payment_id counts_as state amount").await;
    assert_eq!(receipts, ["60217 | loan_disbursement | disbursed | 117600.00"]);
}

#[tokio::test]
async fn row_27_an_order_is_known_by_order_id_and_what_says_only_id_waits() {
    let school = School::with(&[sample("order.payment.debited")]).await;
    let before = school.everything().await;
    // An order as the read API has it.
    let read = json!({"order": {"id": "order_7710294488213", "status": "paid", "details": []}});
    let decision = school.receive(&event("order.payment.debited", 1_784_034_600, &read).to_string()).await;
    assert_eq!((decision.outcome, decision.reason), (Outcome::Quarantined, Some(Reason::MissingKey)));
    assert_eq!(decision.detail.as_deref(), Some("payload.order_id"));
    school.assert_shows(&before).await;

    // The same order, whatever else the event calls it.
    school.apply(&[sample_with("order.payment.settled", [("/payload/order/id", json!("ord_7"))])]).await;
    let orders = school.rows("jodo_orders", "order_id state amount").await;
    assert_eq!(orders, ["order_7710294488213 | settled | 4500.00"]);
}
