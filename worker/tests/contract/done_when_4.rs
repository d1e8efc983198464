//! One pupil, three families of events that name them differently, one line.

use serde_json::json;

use crate::school::{NOTHING, School, sample, sample_with};

#[tokio::test]
async fn a_pupil_of_three_families_of_events_is_one_line_with_a_name_and_all_its_money() {
    let number = ("/payload/student/identifier", json!("GVS/2026/0417"));
    let mut bodies = [
        // `student_90412` in master data, the integer 90412 under Flex, neither in a manual payment.
        sample_with(
            "masterdata.student.registered",
            [number.clone(), ("/payload/jodo_student_id", json!("student_90412"))],
        ),
        sample_with("flex.subscription.setup", [("/payload/jodo_student_id", json!(90412))]),
        sample("flex.instalment.debited"),
        sample("flex.instalment.settled"),
        sample_with("direct.payment.added", [number]),
    ];
    for _ in 0..2 {
        let school = School::with(&bodies).await;
        let pupil = "pupil_key identifier name enrolment plan plan_total";
        let pupils = school.rows("jodo_student_overview", pupil).await;
        assert_eq!(
            pupils,
            ["erp:GVS/2026/0417 | GVS/2026/0417 | Ananya Kulkarni | active | set_up | 62000.00"]
        );
        let money = school
            .rows("jodo_student_overview", "fees_paid manual_paid loan_paid paid settled pending")
            .await;
        assert_eq!(money, ["22000.00 | 18500.00 | 0.00 | 40500.00 | 40500.00 | 0.00"]);
        let ids = school.rows("jodo_students", "identifier jodo_student_id").await;
        assert_eq!(ids, ["GVS/2026/0417 | student_90412"]);
        let receipts = school.rows("jodo_receipts", "payment_id pupil_key state amount").await;
        assert_eq!(
            receipts,
            [
                "direct_40177 | erp:GVS/2026/0417 | recorded | 18500.00",
                "flex_661204 | erp:GVS/2026/0417 | settled | 22000.00",
            ]
        );
        assert_eq!(school.rows("jodo_unmatched_receipts", "payment_id").await, NOTHING);
        assert_eq!(school.rows("jodo_anomalies", "kind subject").await, NOTHING);
        bodies.reverse();
    }
}

#[tokio::test]
async fn a_payment_by_jodos_id_alone_belongs_to_the_pupil_that_flex_names_by_both() {
    let by_id = [
        ("/payload/student", json!(null)),
        ("/payload/jodo_student_id", json!("90412")),
        ("/payload/payment/id", json!("pg_1")),
    ];
    let mut bodies = [
        sample("flex.subscription.setup"),
        sample_with("pay.payment.debited", by_id),
        sample("flex.instalment.debited"),
    ];
    for _ in 0..2 {
        let school = School::with(&bodies).await;
        let pupils = school.rows("jodo_student_overview", "pupil_key name fees_paid").await;
        assert_eq!(pupils, ["erp:GVS/2026/0417 | Ananya Kulkarni | 34750.00"]);
        bodies.reverse();
    }
}
