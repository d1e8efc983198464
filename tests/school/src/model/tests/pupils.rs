//! Who the pupils are, and what is known of them.

use serde_json::{Value, json};

use super::{by_digits, cells, judged, keys, said};

fn student(jodo_id: &Value, student: &Value) -> Value {
    json!({ "jodo_student_id": jodo_id, "student": student })
}

/// A payment that names the pupil in its own way.
fn paid(second: i64, id: &str, mut payload: Value) -> String {
    payload["payment"] = json!({ "id": id, "amount": 10 });
    said("pay.payment.debited", second, payload)
}

#[test]
fn a_pupil_is_known_by_the_number_else_by_jodos_id() {
    let views = judged(&[
        paid(1, "a", student(&json!(7), &json!({}))),
        paid(2, "b", json!({ "student": { "identifier": "A/1" } })),
        paid(3, "c", json!({})),
    ]);
    assert_eq!(keys(&views, "jodo_students"), ["erp:A/1", "jodo:7"]);
    let whose = |id| cells(&views, "jodo_pay_payments", id, ["pupil_key", "identifier"]);
    assert_eq!([whose("a"), whose("b"), whose("c")], [["jodo:7", ""], ["erp:A/1", "A/1"], ["", ""]]);
    assert_eq!(keys(&views, "jodo_unmatched_receipts"), ["pay / c"]);
}

#[test]
fn both_names_are_one_pupil_whose_words_count_in_order() {
    let views = judged(&[
        // Heard by Jodo's id alone: once before and once after the event that names both.
        paid(1, "a", student(&json!(7), &json!({ "fullname": "Old", "collector_code": "east" }))),
        paid(5, "b", student(&json!("7"), &json!({ "fullname": "New" }))),
        paid(3, "c", student(&json!(7), &json!({ "identifier": "A/1", "fullname": "Middle" }))),
    ]);
    assert_eq!(keys(&views, "jodo_students"), ["erp:A/1"]);
    let columns = ["identifier", "fullname", "collector_code"];
    assert_eq!(cells(&views, "jodo_students", "erp:A/1", columns), ["A/1", "New", "east"]);
    assert_eq!(cells(&views, "jodo_pay_payments", "a", ["pupil_key", "identifier"]), ["erp:A/1", "A/1"]);
    assert_eq!(cells(&views, "jodo_student_overview", "erp:A/1", ["fees_paid"]), ["30.00"]);
}

#[test]
fn an_id_with_two_numbers_stays_apart_and_is_an_anomaly() {
    let views = judged(&[
        paid(1, "a", student(&json!(7), &json!({ "identifier": "A/1" }))),
        paid(2, "b", student(&json!(7), &json!({ "identifier": "A/2" }))),
        paid(3, "c", student(&json!(7), &json!({}))),
    ]);
    assert_eq!(keys(&views, "jodo_students"), ["erp:A/1", "erp:A/2", "jodo:7"]);
    assert_eq!(cells(&views, "jodo_pay_payments", "c", ["pupil_key", "identifier"]), ["jodo:7", ""]);
    let lines = ["jodo_id_ambiguous / 7 / A/1 / ", "jodo_id_ambiguous / 7 / A/2 / "];
    assert_eq!(keys(&views, "jodo_anomalies"), lines);
    assert_eq!(cells(&views, "jodo_anomalies", lines[0], ["event_time", "clock_key"]), ["", ""]);
}

#[test]
fn two_ids_may_have_one_number() {
    let views = judged(&[
        paid(1, "a", student(&json!(7), &json!({ "identifier": "A/1" }))),
        paid(2, "b", student(&json!("student_7"), &json!({ "identifier": "A/1" }))),
        paid(3, "c", student(&json!("student_7"), &json!({}))),
    ]);
    assert_eq!(keys(&views, "jodo_students"), ["erp:A/1"]);
    assert_eq!(keys(&views, "jodo_anomalies"), [""; 0]);
}

#[test]
fn within_a_second_the_master_data_have_the_last_word_and_then_the_digits() {
    let named = |name| student(&json!("s1"), &json!({ "identifier": "1", "fullname": name }));
    let master = said("masterdata.student.registered", 5, named("Master"));
    let views = judged(&[master.clone(), paid(5, "a", named("Other"))]);
    assert_eq!(cells(&views, "jodo_students", "erp:1", ["fullname", "jodo_student_id"]), ["Master", "s1"]);
    let views = judged(&[master, paid(6, "a", named("Other"))]);
    assert_eq!(cells(&views, "jodo_students", "erp:1", ["fullname"]), ["Other"]);

    let (_, last) = by_digits(paid(5, "a", named("A")), paid(5, "b", named("B")));
    let views = judged(&[paid(5, "a", named("A")), paid(5, "b", named("B"))]);
    let name = if last.contains(r#""fullname":"A""#) { "A" } else { "B" };
    assert_eq!(cells(&views, "jodo_students", "erp:1", ["fullname"]), [name]);
}

#[test]
fn only_the_master_data_say_jodos_id_and_an_absent_member_says_nothing() {
    let full = json!({
        "identifier": "1", "custom_identifier": 17, "grade": { "code": "G1", "name": "Grade 1" },
        "academic_year_start": "2026", "primary_contact_number": 9_000_000_001_i64, "notes": [{ "key": "k" }],
    });
    let empty = json!({
        "identifier": "1", "custom_identifier": null, "grade": {}, "academic_year_start": "next",
        "primary_contact_number": "", "notes": [],
    });
    let views = judged(&[paid(1, "a", student(&json!(7), &full)), paid(2, "b", student(&json!(7), &empty))]);
    let columns = [
        "custom_identifier",
        "grade_code",
        "academic_year_start",
        "contact_number",
        "notes",
        "jodo_student_id",
    ];
    let expected = ["17", "G1", "2026", "9000000001", r#"[{"key":"k"}]"#, ""];
    assert_eq!(cells(&views, "jodo_students", "erp:1", columns), expected);
    assert_eq!(cells(&views, "jodo_student_overview", "erp:1", ["name", "grade"]), ["", "Grade 1"]);
}

#[test]
fn a_mandates_grade_is_not_believed_but_the_rest_is() {
    let of = |grade, name| json!({ "identifier": "1", "fullname": name, "grade": { "code": grade } });
    let mut mandate = student(&json!(7), &of("Grade 1", "New"));
    mandate["mandate"] = json!({ "id": "m" });
    let views = judged(&[
        paid(1, "a", student(&json!(7), &of("G1", "Old"))),
        said("flex.mandate.expired", 2, mandate),
    ]);
    assert_eq!(cells(&views, "jodo_students", "erp:1", ["grade_code", "fullname"]), ["G1", "New"]);
}

#[test]
fn enrolment_is_the_newest_word_and_registration_the_least() {
    let heard = |events: &[(&str, i64)]| {
        let payload = student(&json!(7), &json!({ "identifier": "1" }));
        let body = |(word, second): &(&str, i64)| {
            said(&format!("masterdata.student.{word}"), *second, payload.clone())
        };
        let views = judged(&events.iter().map(body).collect::<Vec<_>>());
        cells(&views, "jodo_students", "erp:1", ["enrolment"])[0].to_owned()
    };
    assert_eq!(heard(&[("registered", 1)]), "active");
    assert_eq!(heard(&[("dropped", 1), ("registered", 2)]), "dropped");
    assert_eq!(heard(&[("dropped", 2), ("activated", 1)]), "dropped");
    assert_eq!(heard(&[("dropped", 2), ("activated", 2)]), "active");
    let views = judged(&[paid(1, "a", student(&json!(7), &json!({})))]);
    assert_eq!(cells(&views, "jodo_students", "jodo:7", ["enrolment"]), [""]);
}
