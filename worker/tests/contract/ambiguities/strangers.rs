//! Codes, versions and members that nobody knows; other branches; trial runs.

use jodo_shared::config::{Config, ConfigErrors, Needs};
use jodo_shared::outcome::{Outcome, Reason};
use serde_json::json;

use crate::school::{NOTHING, School, event, sample, sample_with};

const LATER_VERSION: &str = r#"[{"path":"version","problem":"unknown_version"}]"#;

/// An event of a code that no contract names: it waits with its body, and no view shows anything of it.
async fn assert_waits(school: &School, code: &str) {
    let before = school.everything().await;
    let payload = &sample("pay.payment.settled")["payload"];
    let body = event(code, 1_782_500_000, payload).to_string();
    let decision = school.receive(&body).await;
    assert_eq!((decision.outcome, decision.reason), (Outcome::Quarantined, Some(Reason::UnknownEventCode)));
    assert!(decision.changes.is_empty());
    let waits = ("quarantined unknown_event_code event".to_owned(), body);
    assert!(school.stored().await.contains(&waits), "{code}");
    school.assert_shows(&before).await;
}

#[tokio::test]
async fn row_17_an_unknown_code_waits_an_unknown_version_warns_and_extra_members_say_nothing() {
    let school = School::with(&[sample("pay.payment.debited")]).await;
    assert_waits(&school, "flex.instalment.represented").await;
    assert_waits(&school, "pay.payment.debited.v2").await;

    let later = sample_with("pay.payment.settled", [("/version", json!("2.0"))]).to_string();
    let decision = school.receive(&later).await;
    assert_eq!(
        (decision.outcome, decision.warnings_json().as_deref()),
        (Outcome::Applied, Some(LATER_VERSION))
    );
    let receipts = school.rows("jodo_receipts", "payment_id state amount").await;
    assert_eq!(receipts, ["pg_73015 | settled | 12750.00"]);

    let before = school.everything().await;
    let extra = sample_with(
        "pay.payment.settled",
        [
            ("/event_id", json!("with extra members")),
            ("/attempt", json!(3)),
            ("/payload/institute", json!({"id": 7})),
            ("/payload/payment/fee", json!("not a number")),
            ("/payload/student/nickname", json!([[[]]])),
            ("/payload/payment/details/0/discount", json!({"amount": "free"})),
        ],
    );
    school.apply(std::slice::from_ref(&extra)).await;
    school.assert_shows(&before).await;
    assert!(school.stored().await.contains(&("applied".to_owned(), extra.to_string())));
}

#[tokio::test]
async fn row_22_the_same_ids_at_two_branches_stay_apart() {
    let bodies = [
        "flex.subscription.setup",
        "flex.instalment.debited",
        "direct.payment.added",
        "order.payment.debited",
    ]
    .map(sample);
    let school = School::with(&bodies).await;
    let main_alone = school.rows("jodo_student_overview", "tenant identifier plan paid").await;
    assert_eq!(main_alone, ["main | GVS/2026/0417 | set_up | 22000.00", "main | SRB/A/1190 | - | 18500.00"]);

    // The other branch has the same numbers for other things, and one body that is the same to the byte.
    let amount = ("/payload/payment/amount", json!(500));
    let lines = ("/payload/payment/details", json!([{"fee_component": "LAB_FEE", "amount": 500}]));
    let others = [
        sample_with("flex.instalment.debited", [amount.clone(), lines.clone()]),
        sample_with("direct.payment.cancelled", [amount, lines]),
        sample("order.payment.debited"),
    ];
    for body in others {
        let decision = school.receive_at("kochi", &body.to_string()).await;
        assert_eq!(decision.outcome, Outcome::Applied);
    }
    assert_eq!(
        school.rows("jodo_student_overview", "tenant identifier plan paid").await,
        [
            &["kochi | GVS/2026/0417 | unknown | 500.00", "kochi | SRB/A/1190 | - | 0.00"][..],
            &main_alone.iter().map(String::as_str).collect::<Vec<_>>()
        ]
        .concat()
    );
    assert_eq!(
        school.rows("jodo_receipts", "tenant payment_id amount").await,
        [
            "kochi | flex_661204 | 500.00",
            "kochi | order_7710294488213 | 4500.00",
            "main | direct_40177 | 18500.00",
            "main | flex_661204 | 22000.00",
            "main | order_7710294488213 | 4500.00",
        ]
    );
    assert_eq!(school.rows("jodo_anomalies", "tenant kind").await, NOTHING);

    let decision = school.receive_at("pune", &sample("pay.payment.debited").to_string()).await;
    assert_eq!((decision.outcome, decision.reason), (Outcome::Quarantined, Some(Reason::UnknownSource)));
    assert_eq!(school.rows("jodo_pay_payments", "tenant payment_id").await, NOTHING);
}

#[test]
fn row_23_one_erp_target_refuses_trial_and_production_together() {
    let read = |trial: &str| -> Result<Config, ConfigErrors> {
        let file = format!("[sources.live]\n[sources.trial]\nenvironment = 'uat'\n{trial}");
        Config::from_parts(Needs::Nothing, Some(&file), [("PATH", "/bin")])
    };
    let refused = read("allow = 'jodo-uat'").expect_err("one target").to_string();
    assert!(
        refused.contains("sources.trial.environment") && refused.contains("sources.live.environment"),
        "{refused}"
    );

    let config = read("target = 'trial'\nallow = 'jodo-uat'\nsecrets = ['s']").expect("a target each");
    let sources: Vec<_> = config.sources.values().collect();
    assert_eq!([sources[0].target.as_str(), sources[1].target.as_str()], ["main", "trial"]);
    assert_ne!(sources[0].path, sources[1].path);
    assert_ne!(sources[0].allow, sources[1].allow);
    assert_eq!((sources[0].secrets.len(), sources[1].secrets.len()), (0, 1));

    let one_address = read("target = 'trial'\npath = '/webhooks/live'").expect_err("one address").to_string();
    assert!(one_address.contains("sources.trial.path"), "{one_address}");
}

#[tokio::test]
async fn row_25_refunds_wait_as_unknown_codes_and_no_view_shows_them() {
    let school = School::with(&[
        sample("pay.payment.debited"),
        sample("pay.payment.settled"),
        sample("flex.instalment.debited"),
    ])
    .await;
    for code in [
        "pay.payment.refunded",
        "pay.payment.charged_back",
        "flex.instalment.reversed",
        "order.payment.refunded",
    ] {
        assert_waits(&school, code).await;
    }
    let receipts = school.rows("jodo_receipts", "payment_id state amount").await;
    assert_eq!(receipts, ["flex_661204 | paid | 22000.00", "pg_73015 | settled | 12750.00"]);
}
