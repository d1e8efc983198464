//! Repeats, orders of arrival, equal seconds, settlements in parts, and what comes before its parent.

use serde_json::json;

use crate::school::{School, event, sample, sample_with};

#[tokio::test]
async fn row_13_a_repeat_changes_nothing_under_its_own_event_id_and_under_another() {
    let code = "flex.instalment.debited";
    let school = School::with(&[sample(code)]).await;
    let once = school.everything().await;
    assert_eq!(school.rows("jodo_receipts", "payment_id amount").await, ["flex_661204 | 22000.00"]);

    school.apply(&[sample(code), sample_with(code, [("/event_id", json!("another delivery"))])]).await;
    school.assert_shows(&once).await;
    assert_eq!(school.stored().await.len(), 2);

    // Another event that bears the id of the first one is no repeat.
    school.apply(&[sample_with(code, [("/payload/payment/id", json!("flex_2"))])]).await;
    let receipts = school.rows("jodo_receipts", "payment_id amount").await;
    assert_eq!(receipts, ["flex_2 | 22000.00", "flex_661204 | 22000.00"]);
    let reused = format!("event_id_reused | {} | {code}", sample(code)["event_id"].as_str().expect("an id"));
    assert_eq!(school.rows("jodo_anomalies", "kind subject detail").await, [reused.clone(), reused]);
}

#[tokio::test]
async fn row_14_in_one_second_the_state_that_goes_further_counts_and_arrival_never_does() {
    let second = ("/timestamp", json!(1_785_000_000));
    let details = sample("flex.instalment.settled")["payload"]["payment"]["details"].clone();
    let payment = json!({"id": "flex_661204", "amount": 22000, "details": details});
    let payments = ["settled", "debited", "bounced"].map(|state| {
        let code = format!("flex.instalment.{state}");
        sample_with(&code, [second.clone(), ("/payload/payment", payment.clone())])
    });
    let toggles = ["activated", "dropped", "registered"]
        .map(|state| sample_with(&format!("masterdata.student.{state}"), [second.clone()]));
    // Of equal rank: which one counts does not matter, but it is the same one.
    let updates = ["cash", "cheque", "upi"].map(|mode| {
        sample_with("direct.payment.updated", [second.clone(), ("/payload/payment/mode", json!(mode))])
    });
    let mut bodies = [payments, toggles, updates].concat();

    let forwards = School::with(&bodies).await;
    bodies.reverse();
    let backwards = School::with(&bodies).await;
    for school in [&forwards, &backwards] {
        let payments = school.rows("jodo_flex_payments", "payment_id state").await;
        assert_eq!(payments, ["flex_661204 | settled"]);
        let pupils = school.rows("jodo_student_overview", "identifier enrolment").await;
        assert_eq!(pupils, ["GVS/2026/0417 | -", "NVK-2026-0731 | active", "SRB/A/1190 | -"]);
        let kinds = school.rows("jodo_anomalies", "kind").await;
        assert_eq!(kinds, ["event_id_reused", "event_id_reused", "event_id_reused"]);
    }
    let modes = forwards.rows("jodo_manual_payments", "payment_id mode").await;
    assert_eq!(modes.len(), 1);
    assert_eq!(backwards.rows("jodo_manual_payments", "payment_id mode").await, modes);
    backwards.assert_shows(&forwards.everything().await).await;
}

#[tokio::test]
async fn row_15_any_order_of_arrival_ends_in_the_same_rows() {
    let mut bodies = [
        "flex.subscription.setup",
        "flex.instalment.debited",
        "flex.instalment.settled",
        "flex.subscription.closed",
    ]
    .map(sample);
    let mut ends = Vec::new();
    for _ in 0..2 {
        for _ in 0..bodies.len() {
            let school = School::with(&bodies).await;
            let plans =
                school.rows("jodo_subscriptions", "subscription_id state status schedule_total").await;
            assert_eq!(plans, ["88140 | closed | closed | 62000.00"]);
            let payments = school.rows("jodo_flex_payments", "payment_id state settled_paise").await;
            assert_eq!(payments, ["flex_661204 | settled | 2200000"]);
            ends.push(school.everything().await);
            bodies.rotate_left(1);
        }
        bodies.reverse();
    }
    assert!(ends.iter().all(|end| *end == ends[0]));
}

#[tokio::test]
async fn row_16_a_payment_is_settled_line_by_line_and_when_every_line_is() {
    let settled = |time: i64, line: usize| {
        let line = sample("pay.payment.settled")["payload"]["payment"]["details"][line].clone();
        sample_with(
            "pay.payment.settled",
            [("/timestamp", json!(time)), ("/payload/payment/details", json!([line]))],
        )
    };
    let columns = "payment_id state amount settled pending";
    let school = School::with(&[sample("pay.payment.debited")]).await;
    assert_eq!(school.rows("jodo_receipts", columns).await, ["pg_73015 | paid | 12750.00 | 0.00 | 12750.00"]);
    school.apply(&[settled(1_782_110_400, 1)]).await;
    let partly = "pg_73015 | partly_settled | 12750.00 | 750.00 | 12000.00";
    assert_eq!(school.rows("jodo_receipts", columns).await, [partly]);
    let lines = school.rows("jodo_fee_lines", "component state utr").await;
    assert_eq!(lines, ["LIBRARY_FEE | settled | HYPB26062206613", "TUITION_FEE | paid | -"]);
    // The second one, twice; and the first one again, a day later.
    school.apply(&[settled(1_782_110_401, 0), settled(1_782_110_402, 0), settled(1_782_200_000, 1)]).await;
    let whole = "pg_73015 | settled | 12750.00 | 12750.00 | 0.00";
    assert_eq!(school.rows("jodo_receipts", columns).await, [whole]);
    let lines = school.rows("jodo_fee_lines", "component state utr").await;
    assert_eq!(lines, ["LIBRARY_FEE | settled | HYPB26062206613", "TUITION_FEE | settled | HYPB26062206612"]);
}

#[tokio::test]
async fn row_20_what_comes_before_its_parent_is_shown_and_filled_in_later() {
    let school = School::with(&[
        sample("flex.instalment.debited"),
        sample("direct.payment.added"),
        sample("cred.emi.debited"),
    ])
    .await;
    let columns = "subscription_id state schedule_total";
    assert_eq!(school.rows("jodo_subscriptions", columns).await, ["88140 | unknown | -"]);
    assert_eq!(school.rows("jodo_loans", "application_id state").await, ["41806 | unknown"]);
    let pupils = "identifier name enrolment paid";
    let stub = "SRB/A/1190 | - | - | 18500.00";
    assert_eq!(school.rows("jodo_student_overview", pupils).await[2], stub);

    let pupil = json!({"identifier": "SRB/A/1190", "fullname": "Devika Devarajan"});
    school
        .apply(&[
            sample("flex.subscription.setup"),
            sample("cred.loan.agreement_signed"),
            event(
                "masterdata.student.registered",
                1_779_000_000,
                &json!({"student": pupil, "jodo_student_id": "student_7"}),
            ),
        ])
        .await;
    assert_eq!(school.rows("jodo_subscriptions", columns).await, ["88140 | set_up | 62000.00"]);
    assert_eq!(school.rows("jodo_loans", "application_id state").await, ["41806 | agreement_signed"]);
    let filled = "SRB/A/1190 | Devika Devarajan | active | 18500.00";
    assert_eq!(school.rows("jodo_student_overview", pupils).await[2], filled);
}

#[tokio::test]
async fn row_26_a_repeat_in_other_bytes_is_a_repeat_and_both_bodies_are_kept() {
    let plain = sample("flex.instalment.debited").to_string();
    let school = School::on_sqlite().await;
    school.receive(&plain).await;
    let once = school.everything().await;
    assert_eq!(school.rows("jodo_receipts", "payment_id amount").await, ["flex_661204 | 22000.00"]);

    let mut bodies =
        vec![plain.clone(), plain.replace("22000.0", "22000"), plain.replace("22000.0", "2.2e4")];
    // The members of the payload first and last.
    bodies.push(plain.replacen(r#"{"event":"#, r#"{ "later":null,"event":"#, 1));
    let payload = sample("flex.instalment.debited")["payload"].to_string();
    let rest = plain.replacen(&format!(r#","payload":{payload}"#), "", 1);
    bodies.push(format!(r#"{{"payload":{payload},{}"#, &rest[1..]));
    for body in &bodies[1..] {
        assert_ne!(*body, plain);
        school.receive(body).await;
    }
    school.assert_shows(&once).await;
    let mut kept: Vec<_> = school.stored().await.into_iter().map(|(_, body)| body).collect();
    kept.sort();
    bodies.sort();
    assert_eq!(kept, bodies);
}
