//! Every kind of broken event, one test each.

use serde_json::json;

use super::*;
use crate::entities::{MANUAL_PAYMENTS, STUDENTS};

const REGISTERED: &str = "masterdata.student.registered";
const ADDED: &str = "direct.payment.added";

#[track_caller]
fn assert_quarantined(decision: &Decision, reason: Reason, detail: Option<&str>) {
    assert_eq!((decision.outcome, decision.reason), (Outcome::Quarantined, Some(reason)));
    assert_eq!(decision.detail.as_deref(), detail);
    assert!(decision.changes.is_empty());
}

/// Applied, with this register left out and exactly this warning.
#[track_caller]
fn assert_left_out(decision: &Decision, entity: &Entity, register: &str, warning: (&str, &str)) {
    assert_eq!(decision.outcome, Outcome::Applied, "{:?}", decision.reason);
    assert_eq!(value(decision, entity, register), None);
    assert_eq!(warnings(decision), [warning]);
}

#[test]
fn an_empty_body_is_quarantined() {
    assert_quarantined(&decide_bytes(b""), Reason::EmptyBody, None);
}

#[test]
fn a_body_that_is_not_json_or_not_an_object_is_quarantined() {
    for body in ["x", " ", "null", "[]", "7", "\"text\"", "{", r#"{"event":"direct.payment.added""#, "{}{}"] {
        assert_quarantined(&decide_bytes(body.as_bytes()), Reason::NotJson, None);
    }
}

#[test]
fn a_body_that_is_not_utf8_is_quarantined() {
    for body in [&b"\xff"[..], b"{\"event\":\"\xc3\x28\"}", b"{\"x\":\"\xed\xa0\x80\"}"] {
        assert_quarantined(&decide_bytes(body), Reason::NotUtf8, None);
    }
}

#[test]
fn an_event_without_a_code_is_quarantined_with_what_else_could_be_read() {
    for code in [json!(null), json!(""), json!({}), json!(7), json!(true), json!(["direct.payment.added"])] {
        let decision = decide_json(&sample_with(ADDED, "/event", code));
        assert_quarantined(&decision, Reason::MissingEventCode, Some("event"));
        assert!(decision.event_id.is_some() && decision.time.is_some() && decision.code.is_none());
        assert!(decision.payload_digest.is_some());
    }
    assert_quarantined(&decide_bytes(b"{}"), Reason::MissingEventCode, Some("event"));
}

#[test]
fn an_event_of_an_unknown_code_is_quarantined_with_what_else_could_be_read() {
    for code in ["no.such.code", "Direct.Payment.Added", "direct.payment.canceled", "direct.payment.added "] {
        let decision = decide_json(&sample_with(ADDED, "/event", json!(code)));
        assert_quarantined(&decision, Reason::UnknownEventCode, Some("event"));
        assert_eq!(decision.code.as_ref().map(EventCode::as_str), Some(code));
        assert!(decision.event_id.is_some() && decision.time.is_some());
    }
    let decision = decide_json(&sample_with(ADDED, "/event", json!("x".repeat(201))));
    assert_quarantined(&decision, Reason::UnknownEventCode, Some("event"));
}

#[test]
fn an_event_without_a_time_is_quarantined() {
    for time in [json!(null), json!(""), json!([])] {
        let decision = decide_json(&sample_with(ADDED, "/timestamp", time));
        assert_quarantined(&decision, Reason::MissingTimestamp, Some("timestamp"));
        assert!(decision.code.is_some() && decision.event_id.is_some());
    }
}

#[test]
fn an_event_of_an_implausible_time_is_quarantined() {
    let odd =
        [json!(1_780_377_631_000_i64), json!(0), json!(-1), json!(1.5), json!("2026-06-02"), json!(true)];
    for time in odd {
        let decision = decide_json(&sample_with(ADDED, "/timestamp", time));
        assert_quarantined(&decision, Reason::ImplausibleTimestamp, Some("timestamp"));
        assert_eq!(decision.time, None);
    }
}

#[test]
fn an_event_without_a_payload_is_quarantined() {
    for payload in [json!(null), json!({}), json!([]), json!("text"), json!(7), json!([{"payment": {}}])] {
        let decision = decide_json(&sample_with(ADDED, "/payload", payload));
        assert_quarantined(&decision, Reason::MissingPayload, Some("payload"));
    }
}

#[test]
fn an_event_without_its_natural_key_is_quarantined() {
    for nothing in [json!(null), json!(""), json!({})] {
        let decision = decide_json(&sample_with(ADDED, "/payload/payment/id", nothing.clone()));
        assert_quarantined(&decision, Reason::MissingKey, Some("payload.payment.id"));
        let decision = decide_json(&sample_with(ADDED, "/payload/payment", nothing.clone()));
        assert_quarantined(&decision, Reason::MissingKey, Some("payload.payment.id"));

        let mut body = sample_with(REGISTERED, "/payload/student/identifier", nothing.clone());
        body["payload"]["jodo_student_id"] = nothing;
        assert_quarantined(&decide_json(&body), Reason::MissingKey, Some("payload.student.identifier"));
    }
}

#[test]
fn a_natural_key_over_191_bytes_is_quarantined() {
    let long = json!("x".repeat(192));
    let decision = decide_json(&sample_with(ADDED, "/payload/payment/id", long.clone()));
    assert_quarantined(&decision, Reason::KeyTooLong, Some("payload.payment.id"));
    for code in [REGISTERED, ADDED] {
        let decision = decide_json(&sample_with(code, "/payload/student/identifier", long.clone()));
        assert_quarantined(&decision, Reason::KeyTooLong, Some("payload.student.identifier"));
    }
}

#[test]
fn a_natural_key_with_nul_a_lone_surrogate_or_another_type_is_quarantined() {
    for odd in
        [r#""a\u0000b""#, r#""\u0000""#, r#""\ud83d""#, r#""a\udc00b""#, "true", "1.5", "1e3", r#"["x"]"#]
    {
        let decision = sample_spelled(ADDED, r#""direct_40177""#, odd);
        assert_quarantined(&decision, Reason::UnreadableKey, Some("payload.payment.id"));
        let decision = sample_spelled(ADDED, r#""SRB/A/1190""#, odd);
        assert_quarantined(&decision, Reason::UnreadableKey, Some("payload.student.identifier"));
        let decision = sample_spelled(REGISTERED, r#""NVK-2026-0731""#, odd);
        assert_quarantined(&decision, Reason::UnreadableKey, Some("payload.student.identifier"));
    }
}

#[test]
fn an_unreadable_sender_id_stops_an_event_only_where_it_is_the_key() {
    for (odd, reason, problem) in [
        (json!("x".repeat(192)), Reason::KeyTooLong, "too_long"),
        (json!("a\0b"), Reason::UnreadableKey, "holds_nul"),
        (json!({"id": 7}), Reason::UnreadableKey, "wrong_type"),
    ] {
        let mut body = sample_with(REGISTERED, "/payload/jodo_student_id", odd);
        let decision = decide_json(&body);
        let warning = ("payload.jodo_student_id", problem);
        assert_left_out(&decision, &STUDENTS, "jodo_student_id", warning);
        body["payload"]["student"]["identifier"] = json!(null);
        assert_quarantined(&decide_json(&body), reason, Some("payload.jodo_student_id"));
    }
}

#[test]
fn an_unreadable_amount_is_quarantined_with_the_path_of_its_field() {
    for odd in ["10.005", "1e15", "1e400", r#""1,000""#, r#""free""#, r#""5\u0000""#, "true", r#"["5"]"#] {
        let decision = sample_spelled(ADDED, "18500", odd);
        assert_quarantined(&decision, Reason::UnreadableAmount, Some("payload.payment.amount"));
        let decision = sample_spelled(ADDED, r#""3500""#, odd);
        assert_quarantined(&decision, Reason::UnreadableAmount, Some("payload.payment.details[1].amount"));
    }
}

#[test]
fn an_event_id_that_is_missing_of_another_type_or_too_long_is_only_warned_of() {
    for (odd, problem) in [
        (json!(null), "missing"),
        (json!(7), "wrong_type"),
        (json!({"id": "x"}), "wrong_type"),
        (json!("x".repeat(192)), "too_long"),
    ] {
        let decision = decide_json(&sample_with(ADDED, "/event_id", odd));
        assert_eq!(decision.outcome, Outcome::Applied);
        assert_eq!(decision.event_id, None);
        assert_eq!(warnings(&decision), [("event_id", problem)]);
    }
}

#[test]
fn any_other_member_of_a_wrong_type_is_left_out_with_a_warning() {
    for member in ["mode", "transaction_id", "settlement_utr", "notes", "paid_at"] {
        let body = sample_with(ADDED, &format!("/payload/payment/{member}"), json!({"a": 1}));
        let path = format!("payload.payment.{member}");
        assert_left_out(&decide_json(&body), &MANUAL_PAYMENTS, member, (&path, "wrong_type"));
    }
    for (member, register) in [
        ("custom_identifier", "custom_identifier"),
        ("academic_year_start", "academic_year_start"),
        ("primary_contact_email", "contact_email"),
        ("notes", "notes"),
        ("grade", "grade_code"),
    ] {
        let body = sample_with(REGISTERED, &format!("/payload/student/{member}"), json!(true));
        let path = format!("payload.student.{member}");
        assert_left_out(&decide_json(&body), &STUDENTS, register, (&path, "wrong_type"));
    }
    let body = sample_with(ADDED, "/payload/payment/details", json!("TUITION_FEE"));
    let warning = ("payload.payment.details", "wrong_type");
    assert_left_out(&decide_json(&body), &MANUAL_PAYMENTS, "details", warning);
}

#[test]
fn any_other_member_that_is_too_long_is_left_out_with_a_warning() {
    let body = sample_with(ADDED, "/payload/payment/notes", json!("x".repeat(10_001)));
    assert_left_out(&decide_json(&body), &MANUAL_PAYMENTS, "notes", ("payload.payment.notes", "too_long"));
    let body =
        sample_with(ADDED, "/payload/payment/details", json!(vec![json!({"fee_component": "X"}); 5_000]));
    assert_left_out(
        &decide_json(&body),
        &MANUAL_PAYMENTS,
        "details",
        ("payload.payment.details", "too_long"),
    );
}

#[test]
fn any_other_member_with_a_lone_surrogate_is_left_out_with_a_warning() {
    let decision = sample_spelled(ADDED, r#""cheque""#, r#""\ud800""#);
    assert_left_out(&decision, &MANUAL_PAYMENTS, "mode", ("payload.payment.mode", "lone_surrogate"));
    let decision = sample_spelled(REGISTERED, r#""Kaveri""#, r#""\udfff""#);
    assert_left_out(&decision, &STUDENTS, "notes", ("payload.student.notes", "lone_surrogate"));
    let decision = sample_spelled(ADDED, r#""TUITION_FEE""#, r#""\ud800""#);
    let path = "payload.payment.details[0].fee_component";
    assert_eq!(warnings(&decision), [(path, "lone_surrogate")]);
}

#[test]
fn nul_is_removed_from_any_other_member_with_a_warning() {
    let decision = sample_spelled(ADDED, r#""cheque""#, r#""che\u0000que""#);
    assert_eq!(value(&decision, &MANUAL_PAYMENTS, "mode").unwrap(), "cheque");
    assert_eq!(warnings(&decision), [("payload.payment.mode", "nul_removed")]);
    let decision = sample_spelled(REGISTERED, r#""Kaveri""#, r#""Kav\u0000eri""#);
    assert!(value(&decision, &STUDENTS, "notes").unwrap().contains(r#""value":"Kaveri""#));
    assert_eq!(warnings(&decision), [("payload.student.notes", "nul_removed")]);
}

#[test]
fn a_datetime_without_an_offset_is_kept_as_text_with_a_warning() {
    let body = sample_with(ADDED, "/payload/payment/paid_at", json!("2026-06-02 10:30:00"));
    let decision = decide_json(&body);
    let (_, values) = written(&decision, &MANUAL_PAYMENTS, "paid_at").unwrap();
    assert_eq!(values, [Some("2026-06-02 10:30:00".to_owned()), None, None]);
    assert_eq!(warnings(&decision), [("payload.payment.paid_at", "no_offset")]);
}

#[test]
fn huge_numbers_and_deep_nesting_in_members_that_are_not_read_have_no_effect() {
    let plain = decide_json(&sample(ADDED));
    let lists = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let objects = format!("{}1{}", r#"{"x":"#.repeat(20_000), "}".repeat(20_000));
    for unread in [&lists, &objects, &"9".repeat(400), &format!("-1e{}", "9".repeat(400))] {
        for place in [r#""payload":{"#, r#""payment":{"#, r#""student":{"#, "{"] {
            let decision = sample_spelled(ADDED, place, &format!(r#"{place}"unread":{unread},"#));
            assert_eq!(decision.outcome, Outcome::Applied);
            assert!(decision.warnings.is_empty());
            for register in MANUAL_PAYMENTS.registers {
                let read = value(&decision, &MANUAL_PAYMENTS, register.name);
                assert_eq!(read, value(&plain, &MANUAL_PAYMENTS, register.name));
            }
        }
    }
}

#[test]
fn a_list_that_is_read_but_nested_too_deep_is_left_out() {
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let decision = sample_spelled(ADDED, r#""Cheque 004411, term 1""#, &deep);
    assert_left_out(&decision, &MANUAL_PAYMENTS, "notes", ("payload.payment.notes", "too_deep"));
}

#[test]
fn of_a_repeated_member_the_last_one_counts() {
    let decision = sample_spelled(ADDED, r#""mode":"#, r#""amount":"2.5","m\u006fde":"first","mode":"#);
    assert_eq!(value(&decision, &MANUAL_PAYMENTS, "mode").unwrap(), "cheque");
    assert_eq!(value(&decision, &MANUAL_PAYMENTS, "amount").unwrap(), "2.50");
    let decision = sample_spelled(ADDED, r#""event":"#, r#""event":"first","event":"#);
    assert_eq!(decision.outcome, Outcome::Applied);
}

#[test]
fn past_fifty_warnings_one_more_says_that_there_are_others() {
    let lines = vec![json!({"fee_component": true}); 1_000];
    let decision = decide_json(&sample_with(ADDED, "/payload/payment/details", json!(lines)));
    assert_eq!(decision.warnings.len(), 51);
    assert_eq!(warnings(&decision)[50], ("payload", "more_problems"));
}
