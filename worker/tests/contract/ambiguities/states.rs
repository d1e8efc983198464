//! States that the payload does not say, or says otherwise.

use serde_json::json;

use crate::school::{NOTHING, School, sample, sample_with};

#[tokio::test]
async fn row_08_settlement_follows_from_the_code_or_the_lines_and_not_from_the_status() {
    let columns = "order_id state status settled_paise";
    for status in ["paid", "unpaid", "refunded"] {
        let school = School::with(&[sample("order.payment.debited")]).await;
        assert_eq!(school.rows("jodo_orders", columns).await, ["order_7710294488213 | paid | paid | 0"]);
        school
            .apply(&[sample_with("order.payment.settled", [("/payload/order/status", json!(status))])])
            .await;
        let settled = format!("order_7710294488213 | settled | {status} | 450000");
        assert_eq!(school.rows("jodo_orders", columns).await, [settled]);
    }
    // By its lines alone.
    let school =
        School::with(&[sample_with("order.payment.settled", [("/event", json!("order.payment.debited"))])])
            .await;
    let receipts = school.rows("jodo_receipts", "payment_id state settled pending").await;
    assert_eq!(receipts, ["order_7710294488213 | settled | 4500.00 | 0.00"]);
    // By its code alone: believed, but not counted as money in the bank, and a person is told.
    let line = json!([{"component_type": "Science Camp Fee", "amount": 4500}]);
    let school =
        School::with(&[sample_with("order.payment.settled", [("/payload/order/details", line)])]).await;
    let receipts = school.rows("jodo_receipts", "payment_id state settled pending").await;
    assert_eq!(receipts, ["order_7710294488213 | settled_without_utr | 0.00 | 4500.00"]);
    let told = school.rows("jodo_anomalies", "kind subject").await;
    assert_eq!(told, ["settled_without_utr | order_7710294488213"]);
}

#[tokio::test]
async fn row_19_an_event_rules_its_own_entity_whatever_it_says_of_others() {
    let school = School::with(&[
        sample("flex.subscription.setup"),
        sample("flex.subscription.active"),
        sample("flex.mandate.cancelled"),
        sample_with(
            "flex.instalment.bounced",
            [("/timestamp", json!(1_789_300_000)), ("/payload/subscription/status", json!("cancelled"))],
        ),
    ])
    .await;
    let plans = school.rows("jodo_subscriptions", "subscription_id state status mandate mandate_id").await;
    assert_eq!(plans, ["88140 | active | cancelled | cancelled | mandate_30926"]);
    let mandates = school.rows("jodo_mandates", "mandate_id state subscription_id").await;
    assert_eq!(mandates, ["mandate_30926 | cancelled | 88140"]);
    let pupils = school.rows("jodo_student_overview", "identifier plan mandate").await;
    assert_eq!(pupils, ["GVS/2026/0417 | active | cancelled"]);
    assert_eq!(school.rows("jodo_anomalies", "kind").await, NOTHING);
}

#[tokio::test]
async fn row_21_a_downpayment_belongs_to_the_pupil_of_its_admission_number_and_to_no_plan() {
    let school = School::with(&[
        sample("flex.downpayment.debited"),
        sample("flex.subscription.setup"),
        sample("flex.downpayment.settled"),
    ])
    .await;
    let payments = school.rows("jodo_flex_payments", "payment_id kind subscription_id pupil_key state").await;
    assert_eq!(payments, ["flex_dp_51190 | downpayment | - | erp:GVS/2026/0417 | settled"]);
    let pupils = school.rows("jodo_student_overview", "identifier name plan fees_paid settled").await;
    assert_eq!(pupils, ["GVS/2026/0417 | Ananya Kulkarni | set_up | 8000.00 | 8000.00"]);
}

#[tokio::test]
async fn row_24_money_counts_after_the_end_and_a_person_is_told() {
    let link = ("/payload/order_id", json!("order_80160412"));
    let loan = ("/payload/application/id", json!(41806));
    let school = School::with(&[
        sample("payment_link.payment.expired"),
        sample_with("payment_link.payment.debited", [link, ("/timestamp", json!(1_778_500_000))]),
        sample_with(
            "flex.subscription.cancelled",
            [("/payload/subscription/id", json!(88140)), ("/timestamp", json!(1_783_000_000))],
        ),
        sample("flex.instalment.debited"),
        sample_with("cred.loan.rejected", [loan]),
        sample("cred.loan.disbursed"),
        sample_with("cred.emi.debited", [("/payload/application/id", json!("41900"))]),
        sample_with("cred.loan.canceled", [("/payload/application/id", json!("41900"))]),
    ])
    .await;
    let receipts = school.rows("jodo_receipts", "product payment_id state amount").await;
    assert_eq!(
        receipts,
        [
            "flex_instalment | flex_661204 | paid | 22000.00",
            "loan | 60217 | disbursed | 117600.00",
            "payment_link | order_80160412 | paid | 1100.00",
        ]
    );
    assert_eq!(school.rows("jodo_orders", "order_id state").await, ["order_80160412 | paid"]);
    assert_eq!(school.rows("jodo_subscriptions", "subscription_id state").await, ["88140 | cancelled"]);
    assert_eq!(
        school.rows("jodo_loans", "application_id state").await,
        ["41806 | disbursed", "41900 | canceled"]
    );
    assert_eq!(
        school.rows("jodo_loan_repayments", "payment_id amount").await,
        ["emi_41806_90021 | 21350.00"]
    );
    assert_eq!(
        school.rows("jodo_anomalies", "kind subject").await,
        [
            "debit_after_plan_end | flex_661204",
            "loan_ended_after_disbursal | 41806",
            "paid_after_expiry | order_80160412",
            "repayment_of_ended_loan | emi_41806_90021",
        ]
    );
}

#[tokio::test]
async fn row_24_a_debit_counts_though_it_bounced_before_or_after_and_a_void_payment_stays_void() {
    let bounced = |id: &str, time: i64| {
        sample_with(
            "flex.instalment.bounced",
            [("/payload/payment/id", json!(id)), ("/timestamp", json!(time))],
        )
    };
    let debited = |id: &str| sample_with("flex.instalment.debited", [("/payload/payment/id", json!(id))]);
    let school = School::with(&[
        bounced("flex_1", 1_783_000_000),
        debited("flex_1"),
        debited("flex_2"),
        bounced("flex_2", 1_783_300_000),
        bounced("flex_3", 1_783_000_000),
        sample("direct.payment.cancelled"),
        sample_with("direct.payment.updated", [("/timestamp", json!(1_781_100_000))]),
    ])
    .await;
    let receipts = school.rows("jodo_receipts", "payment_id state").await;
    assert_eq!(receipts, ["flex_1 | paid", "flex_2 | paid"]);
    assert_eq!(school.rows("jodo_manual_payments", "payment_id state").await, ["direct_40177 | cancelled"]);
    let anomalies = school.rows("jodo_anomalies", "kind subject").await;
    let told = |kind: &str| anomalies.iter().filter(|row| row.starts_with(kind)).cloned().collect::<Vec<_>>();
    assert_eq!(told("bounced"), ["bounced_after_debit | flex_2"]);
    assert_eq!(told("changed"), ["changed_after_cancellation | direct_40177"]);
}
