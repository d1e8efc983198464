//! Notes, spellings, grades, statuses, datetimes, days, and members without a value.

use jodo_shared::outcome::{Outcome, Reason};
use serde_json::{Value, json};

use crate::school::{School, event, sample, sample_with};

#[tokio::test]
async fn row_03_notes_are_a_text_or_a_list_or_absent() {
    let listed = json!([{"key": "house", "value": "Kaveri"}]);
    let school = School::with(&[
        sample("direct.payment.added"),
        sample_with(
            "direct.payment.updated",
            [("/payload/payment/id", json!("direct_2")), ("/payload/payment/notes", listed)],
        ),
        sample("page.payment.debited"),
        sample("order.payment.debited"),
        sample_with("masterdata.student.registered", [("/payload/student/notes", json!("sibling of 0612"))]),
    ])
    .await;
    let by_hand = school.rows("jodo_manual_payments", "payment_id notes").await;
    let list = r#"direct_2 | [{"key":"house","value":"Kaveri"}]"#;
    assert_eq!(by_hand, [list, "direct_40177 | Cheque 004411, term 1"]);
    let orders = school.rows("jodo_orders", "kind notes").await;
    let list = r#"order | [{"key":"erp_reference_id","value":"ERP-EVT-0093"}]"#;
    assert_eq!(orders, [list, "page | -"]);
    let pupils = school.rows("jodo_students", "identifier notes").await;
    assert_eq!(pupils, ["NVK-2026-0731 | sibling of 0612", "SRB/A/1190 | -"]);
}

#[tokio::test]
async fn row_05_codes_match_by_their_own_spelling_and_states_keep_the_documented_one() {
    let school = School::with(&[
        sample("direct.payment.cancelled"),
        sample("flex.subscription.cancelled"),
        sample_with("flex.mandate.cancelled", [("/payload/subscription/id", json!(88207))]),
        sample("cred.loan.canceled"),
    ])
    .await;
    assert_eq!(school.rows("jodo_manual_payments", "state").await, ["cancelled"]);
    assert_eq!(school.rows("jodo_subscriptions", "state").await, ["cancelled"]);
    assert_eq!(school.rows("jodo_mandates", "state").await, ["cancelled"]);
    assert_eq!(school.rows("jodo_loans", "state").await, ["canceled"]);

    let before = school.everything().await;
    for (code, misspelt) in [
        ("direct.payment.cancelled", "direct.payment.canceled"),
        ("flex.subscription.cancelled", "flex.subscription.canceled"),
        ("flex.mandate.cancelled", "flex.mandate.canceled"),
        ("cred.loan.canceled", "cred.loan.cancelled"),
        ("cred.loan.canceled", "Cred.Loan.Canceled"),
    ] {
        let body = event(misspelt, 1_790_000_000, &sample(code)["payload"]).to_string();
        let decision = school.receive(&body).await;
        assert_eq!(
            (decision.outcome, decision.reason),
            (Outcome::Quarantined, Some(Reason::UnknownEventCode))
        );
    }
    school.assert_shows(&before).await;
}

#[tokio::test]
async fn row_06_a_grade_is_shown_and_identifies_nobody() {
    let school = School::with(&[
        sample("flex.subscription.setup"),
        // Later, and with its members swapped.
        sample("flex.mandate.cancelled"),
        sample("page.payment.debited"),
    ])
    .await;
    let pupils = school.rows("jodo_students", "identifier grade_code grade_name").await;
    assert_eq!(pupils, ["GVS/2026/0417 | G3-MAR | Grade 3 Marigold"]);
    assert_eq!(
        school.rows("jodo_orders", "order_id grade pupil_key").await,
        ["order_80155321 | grade_6102 | -"]
    );

    // A text where an object is expected: the pupil keeps the grade that was known.
    let text = sample_with("flex.instalment.debited", [("/payload/student/grade", json!("G4-ROSE"))]);
    let decision = school.receive(&text.to_string()).await;
    assert_eq!(
        decision.warnings_json().as_deref(),
        Some(r#"[{"path":"payload.student.grade","problem":"wrong_type"}]"#)
    );
    assert_eq!(school.rows("jodo_students", "identifier grade_code grade_name").await, pupils);
    assert_eq!(
        school.rows("jodo_receipts", "payment_id amount").await,
        ["flex_661204 | 22000.00", "order_80155321 | 2500.00"]
    );
}

#[tokio::test]
async fn row_10_a_datetime_has_any_offset_and_fraction_and_without_an_offset_stays_a_text() {
    let paid_at = |id: &str, text: &str| {
        sample_with(
            "pay.payment.debited",
            [("/payload/payment/id", json!(id)), ("/payload/payment/paid_at", json!(text))],
        )
    };
    let school = School::with(&[
        paid_at("1_utc", "2026-06-19T16:21:45Z"),
        paid_at("2_fraction", "2026-06-19T16:21:45.999Z"),
        paid_at("3_ist", "2026-06-20T00:10:00+05:30"),
        paid_at("4_late", "2026-06-19T18:30:00-00:00"),
    ])
    .await;
    let bare = paid_at("5_bare", "2026-06-19 23:50:00");
    let decision = school.receive(&bare.to_string()).await;
    assert_eq!(decision.outcome, Outcome::Applied);
    let warnings = r#"[{"path":"payload.payment.paid_at","problem":"no_offset"}]"#;
    assert_eq!(decision.warnings_json().as_deref(), Some(warnings));
    assert_eq!(
        school.rows("jodo_pay_payments", "payment_id paid_at paid_at_utc paid_on").await,
        [
            "1_utc | 2026-06-19T16:21:45Z | 2026-06-19T16:21:45Z | 2026-06-19",
            "2_fraction | 2026-06-19T16:21:45.999Z | 2026-06-19T16:21:45Z | 2026-06-19",
            "3_ist | 2026-06-20T00:10:00+05:30 | 2026-06-19T18:40:00Z | 2026-06-20",
            "4_late | 2026-06-19T18:30:00-00:00 | 2026-06-19T18:30:00Z | 2026-06-20",
            "5_bare | 2026-06-19 23:50:00 | - | -",
        ]
    );
}

#[tokio::test]
async fn row_11_a_day_stays_the_day_that_was_sent() {
    let school = School::with(&[
        sample("flex.subscription.setup"),
        sample("flex.mandate.expired"),
        sample("page.payment.debited"),
        sample("cred.loan.agreement_signed"),
        sample_with("cred.emi.debited", [("/payload/payment/due_date", json!("2028-02-29"))]),
    ])
    .await;
    let due = school.rows("jodo_plan_instalments", "n due_on").await;
    assert_eq!(due, ["1 | 2026-07-05", "2 | 2026-09-05", "3 | 2026-11-05"]);
    let expired =
        sample("flex.mandate.expired")["payload"]["mandate"]["end_date"].as_str().expect("a day").to_owned();
    assert_eq!(school.rows("jodo_mandates", "end_date").await, [expired]);
    assert_eq!(school.rows("jodo_orders", "date_of_birth").await, ["2019-02-11"]);
    assert_eq!(school.rows("jodo_disbursements", "planned_on").await, ["2026-06-10", "2026-12-10"]);
    assert_eq!(school.rows("jodo_loan_repayments", "due_on").await, ["2028-02-29"]);
}

#[tokio::test]
async fn row_12_null_absent_and_empty_say_the_same_and_erase_nothing() {
    let code = "page.payment.debited";
    let silent = |nothing: Option<Value>, time: i64| {
        let mut body = sample_with(code, [("/timestamp", json!(time))]);
        let order = body["payload"]["order"].as_object_mut().expect("an object");
        for member in ["custom_identifier", "transaction_id", "paid_at", "details", "notes", "new_admission"]
        {
            match &nothing {
                Some(nothing) => drop(order.insert(member.to_owned(), nothing.clone())),
                None => drop(order.remove(member)),
            }
        }
        body
    };
    let columns = "order_id state amount custom_identifier transaction_id paid_at new_admission phone";
    let nothings = [None, Some(json!(null)), Some(json!("")), Some(json!([])), Some(json!({}))];
    for nothing in nothings {
        let school = School::with(&[silent(nothing.clone(), 1_776_000_000)]).await;
        let bare = "order_80155321 | paid | - | - | - | - | - | 9000000007";
        assert_eq!(school.rows("jodo_orders", columns).await, [bare], "{nothing:?}");

        school.apply(&[sample(code), silent(nothing.clone(), 1_779_000_000)]).await;
        let full = "order_80155321 | paid | 2500.00 | cust_pg0418 | trans_9f20b64c11e8 | 2026-04-22T08:30:10Z | true | 9000000007";
        assert_eq!(school.rows("jodo_orders", columns).await, [full], "{nothing:?}");
    }
}

#[tokio::test]
async fn row_18_a_status_of_any_word_is_stored_and_no_state_follows_from_it() {
    let school = School::with(&[
        sample_with("flex.subscription.active", [("/payload/subscription/status", json!("paused_by_bank"))]),
        sample_with(
            "flex.mandate.expired",
            [
                ("/payload/mandate/status", json!("revoked")),
                ("/payload/subscription", json!({"id": 88140, "status": "locked"})),
            ],
        ),
        sample_with("order.payment.debited", [("/payload/order/status", json!("settled"))]),
        sample_with("cred.loan.application_filled", [("/payload/application/status", json!("disbursed"))]),
    ])
    .await;
    assert_eq!(school.rows("jodo_subscriptions", "state status").await, ["active | locked"]);
    assert_eq!(school.rows("jodo_mandates", "state status").await, ["expired | revoked"]);
    assert_eq!(school.rows("jodo_orders", "state status").await, ["paid | settled"]);
    assert_eq!(school.rows("jodo_loans", "state status").await, ["filled | disbursed"]);
}
