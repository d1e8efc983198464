//! The rules of meaning: who the pupil is, what outranks what, what a cancellation supplies.

use serde_json::json;

use super::*;
use crate::entities::{MANUAL_PAYMENTS, STUDENT_IDS, STUDENTS};

const REGISTERED: &str = "masterdata.student.registered";
const ADDED: &str = "direct.payment.added";

fn sightings(decision: &Decision) -> Vec<Vec<String>> {
    let lines = decision.changes.iter().filter_map(|change| match change {
        Change::Add { set, line } if *set == &STUDENT_IDS => Some(line.clone()),
        _ => None,
    });
    lines.collect()
}

#[test]
fn a_pupil_is_known_by_the_erps_number_and_else_by_the_senders() {
    let both = decide_json(&sample(REGISTERED));
    assert_eq!(row_key(&both, &STUDENTS).unwrap(), ["main", "erp:NVK-2026-0731"]);
    assert_eq!(sightings(&both), [["main", "student_20311", "NVK-2026-0731"]]);

    let only_sender = decide_json(&sample_with(REGISTERED, "/payload/student/identifier", json!(null)));
    assert_eq!(row_key(&only_sender, &STUDENTS).unwrap(), ["main", "jodo:student_20311"]);
    assert_eq!(sightings(&only_sender), [["main", "student_20311", ""]]);

    let only_erp = decide_json(&sample_with(REGISTERED, "/payload/jodo_student_id", json!("")));
    assert_eq!(row_key(&only_erp, &STUDENTS).unwrap(), ["main", "erp:NVK-2026-0731"]);
    assert!(sightings(&only_erp).is_empty());

    let integer = decide_json(&sample_with(REGISTERED, "/payload/jodo_student_id", json!(7408)));
    assert_eq!(value(&integer, &STUDENTS, "jodo_student_id").unwrap(), "7408");
}

#[test]
fn the_key_of_a_pupil_may_have_191_bytes_without_its_prefix() {
    let longest = "9".repeat(191);
    let decision = decide_json(&sample_with(REGISTERED, "/payload/student/identifier", json!(longest)));
    assert_eq!(row_key(&decision, &STUDENTS).unwrap()[1], format!("erp:{longest}"));
}

#[test]
fn a_payment_without_a_pupil_is_applied_with_a_warning() {
    for student in [json!(null), json!({}), json!({"collector_code": "srb-main"})] {
        let decision = decide_json(&sample_with(ADDED, "/payload/student", student));
        assert_eq!(decision.outcome, Outcome::Applied);
        assert_eq!(warnings(&decision), [("payload.student.identifier", "missing")]);
        assert_eq!(row_key(&decision, &STUDENTS), None);
        assert_eq!(value(&decision, &MANUAL_PAYMENTS, "pupil"), None);
        assert_eq!(value(&decision, &MANUAL_PAYMENTS, "amount").unwrap(), "18500.00");
    }
}

#[test]
fn only_master_data_settles_the_senders_id_and_the_enrolment_of_a_pupil() {
    let decision = decide_json(&sample_with(ADDED, "/payload/jodo_student_id", json!(90412)));
    assert_eq!(value(&decision, &STUDENTS, "jodo_student_id"), None);
    assert_eq!(sightings(&decision), [["main", "90412", "SRB/A/1190"]]);
    for change in &decision.changes {
        if let Change::Write { entity, facts, .. } = change {
            assert_eq!(facts.is_empty(), *entity == &STUDENTS);
        }
    }
}

#[test]
fn master_data_outranks_a_payment_of_the_same_second() {
    let master = decide_json(&sample_with(REGISTERED, "/timestamp", json!(1_780_377_631)));
    let payment = decide_json(&sample(ADDED));
    let clock = |decision| written(decision, &STUDENTS, "identifier").unwrap().0;
    assert!(clock(&master).starts_with("001780377631.20."));
    assert!(clock(&payment).starts_with("001780377631.10."));
}

#[test]
fn a_return_outranks_a_drop_of_the_same_second() {
    let fact = |code: &str| {
        let decision = decide_json(&sample_with(code, "/timestamp", json!(1_780_377_631)));
        let Some(Change::Write { facts, .. }) = decision.changes.first() else { panic!("no row") };
        facts[0].1.as_str().to_owned()
    };
    assert!(fact("masterdata.student.activated") > fact("masterdata.student.dropped"));
    assert!(fact("masterdata.student.dropped") > fact(REGISTERED));
}

#[test]
fn a_cancellation_supplies_content_only_where_nothing_else_does() {
    let cancelled = decide_json(&sample("direct.payment.cancelled"));
    let added = decide_json(&sample_with(ADDED, "/timestamp", json!(946_684_800)));
    for register in ["pupil", "amount", "mode", "transaction_id", "notes", "paid_at", "details"] {
        let (late, _) = written(&cancelled, &MANUAL_PAYMENTS, register).unwrap();
        let (early, _) = written(&added, &MANUAL_PAYMENTS, register).unwrap();
        assert!(late < early, "{register}");
        assert!(late.starts_with("000000000000.00."), "{register}");
    }
    let profile = written(&cancelled, &STUDENTS, "identifier").unwrap().0;
    assert!(profile.starts_with("001781012232.10."));
    let Some(Change::Write { facts, .. }) = cancelled.changes.first() else { panic!("no row") };
    assert_eq!(facts[0].0.name, "cancelled");
    assert!(facts[0].1.as_str().starts_with("001781012232."));
}

#[test]
fn fee_lines_are_kept_clean_with_their_sum_and_under_one_name() {
    let lines = json!([
        {"component_type": "TUITION_FEE", "amount": 1e3, "settled_at": null},
        {"amount": "0.50", "fee_component": "", "component_type": "BUS"},
        {"fee_component": "ADMISSION", "component_type": "IGNORED", "amount": 0},
    ]);
    let decision = decide_json(&sample_with(ADDED, "/payload/payment/details", lines));
    let (_, values) = written(&decision, &MANUAL_PAYMENTS, "details").unwrap();
    let lines = r#"[{"amount":"1000.00","fee_component":"TUITION_FEE"},{"amount":"0.50","fee_component":"BUS"},{"amount":"0.00","fee_component":"ADMISSION"}]"#;
    assert_eq!(values, [lines, "1000.50", "100050"].map(|text| Some(text.to_owned())));
    assert!(decision.warnings.is_empty());
}

#[test]
fn the_sum_of_fee_lines_is_unknown_when_one_has_no_amount() {
    for (lines, text) in [
        (json!([{"amount": "1"}, {}]), r#"[{"amount":"1.00"},{}]"#),
        (json!([null, {"amount": 1}]), r#"[{},{"amount":"1.00"}]"#),
    ] {
        let decision = decide_json(&sample_with(ADDED, "/payload/payment/details", lines));
        let (_, values) = written(&decision, &MANUAL_PAYMENTS, "details").unwrap();
        assert_eq!(values, [Some(text.to_owned()), None, None]);
    }
}

#[test]
fn absent_null_and_empty_members_write_nothing() {
    for nothing in [json!(null), json!(""), json!([]), json!({})] {
        let decision = decide_json(&sample_with(ADDED, "/payload/payment/amount", nothing.clone()));
        assert_eq!(decision.outcome, Outcome::Applied);
        assert_eq!(value(&decision, &MANUAL_PAYMENTS, "amount"), None);
        let decision = decide_json(&sample_with(REGISTERED, "/payload/student/notes", nothing));
        assert_eq!(value(&decision, &STUDENTS, "notes"), None);
        assert!(decision.warnings.is_empty());
    }
}

#[test]
fn a_day_is_the_day_at_the_institute() {
    let decision =
        decide_json(&sample_with(ADDED, "/payload/payment/paid_at", json!("2026-06-02T20:00:00.5Z")));
    let (_, values) = written(&decision, &MANUAL_PAYMENTS, "paid_at").unwrap();
    let expected = ["2026-06-02T20:00:00.5Z", "2026-06-02T20:00:00Z", "2026-06-03"];
    assert_eq!(values, expected.map(|text| Some(text.to_owned())));
}

#[test]
fn a_code_that_is_switched_off_is_ignored_whatever_else_is_wrong() {
    let code: EventCode = ADDED.parse().unwrap();
    let rules = SourceRules { ignore: HashSet::from([code.clone()]), ..testing::rules() };
    let body = sample_with(ADDED, "/timestamp", json!("soon")).to_string();
    let decision = decide(&message(body.as_bytes()), Some(&rules));
    assert_eq!((decision.outcome, decision.reason), (Outcome::Ignored, None));
    assert_eq!((decision.code, decision.time), (Some(code), None));
    assert!(decision.event_id.is_some() && decision.changes.is_empty());
}

#[test]
fn a_code_of_a_later_version_can_be_switched_off_too() {
    let code: EventCode = "cred.emi.refunded".parse().unwrap();
    let body = sample_with("cred.emi.debited", "/event", json!(code)).to_string();
    let rules = SourceRules { ignore: HashSet::from([code]), ..testing::rules() };
    let decision = decide(&message(body.as_bytes()), Some(&rules));
    assert_eq!(decision.outcome, Outcome::Ignored);
}

#[test]
fn without_rules_for_its_source_an_event_waits() {
    let decision = decide(&message(&sample_bytes(ADDED)), None);
    assert_eq!((decision.outcome, decision.reason), (Outcome::Quarantined, Some(Reason::UnknownSource)));
    assert!(decision.event_id.is_some() && decision.code.is_some() && decision.time.is_some());
}

#[test]
fn the_payload_digest_tells_another_payload_from_another_spelling() {
    let plain = decide_json(&sample(ADDED)).payload_digest;
    assert_eq!(plain, decide_bytes(&sample_bytes(ADDED)).payload_digest);
    let other = decide_json(&sample_with(ADDED, "/payload/payment/mode", json!("cash"))).payload_digest;
    assert_ne!(plain, other);
    assert!(plain.is_some_and(|digest| digest.len() == 64));
}

#[test]
fn warnings_are_stored_as_a_json_list() {
    let decision = decide_json(&sample_with(ADDED, "/event_id", json!(7)));
    assert_eq!(decision.warnings_json().unwrap(), r#"[{"path":"event_id","problem":"wrong_type"}]"#);
    assert_eq!(decide_json(&sample(ADDED)).warnings_json(), None);
}

#[test]
fn another_version_of_the_contract_is_merged_with_a_warning() {
    let decision = decide_json(&sample_with(ADDED, "/version", json!("2.0")));
    assert_eq!(decision.outcome, Outcome::Applied);
    assert_eq!(warnings(&decision), [("version", "unknown_version")]);
}

#[test]
fn clocks_order_by_time_then_rank() {
    let key = message(b"").key;
    let clock = |seconds, rank| Clock::new(seconds, rank, &key);
    assert!(clock(2, 10) > clock(1, 30) && clock(1, 30) > clock(1, 20) && clock(1, 0) > clock(0, 99));
}
