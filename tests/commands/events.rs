//! `events list` and `events show`.

use std::collections::HashSet;

use jodo_sync::Exit;
use serde_json::{Value, json};

use crate::school::{PAID, REGISTERED, School, changed};

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_the_newest_first_by_outcome_code_and_student() {
    let school = School::new().await;
    let registered = school.apply(REGISTERED).await;
    let paid = school.apply(PAID).await;
    let broken = school.apply(&changed(PAID, &[("/payload/payment/amount", json!("12.345"))])).await;
    let keys = async |args: &[&str]| -> Vec<String> {
        let listed = school.json(&[&["events", "list", "--json"], args].concat()).await;
        let events = listed.as_array().expect("a list").iter();
        events.map(|event| event["delivery_key"].as_str().expect("a key").to_owned()).collect()
    };
    let all = keys(&[]).await;
    assert_eq!(all.len(), 3);
    assert_eq!(keys(&["--limit", "1"]).await, all[..1]);
    assert_eq!(keys(&["--outcome", "quarantined"]).await, [broken.to_string()]);
    assert_eq!(keys(&["--outcome", "ignored", "--outcome", "retrying"]).await, [""; 0]);
    assert_eq!(keys(&["--code", "masterdata.student.registered"]).await, [registered.to_string()]);
    // The broken one waits for a person, and can be read so far as to say whose it is.
    let of_the_pupil = HashSet::from_iter(keys(&["--student", "SRB/A/1190"]).await);
    assert_eq!(of_the_pupil, HashSet::from([broken.to_string(), paid.to_string()]));
    let by_jodos_id = keys(&["--student", "student_20311"]).await;
    assert_eq!(by_jodos_id, [registered.to_string()], "the ERP's number was seen beside it");

    let (exit, text) = school.run(&["events", "list"]).await;
    assert_eq!(exit, Exit::Well);
    for words in
        ["applied – recorded", "quarantined – needs a person", &paid.short(), "2026-06-02 10:50:31 IST"]
    {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(text.contains("an amount of money cannot be read exactly (payload.payment.amount)"), "{text}");
    assert!(!text.contains("12.345"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_shown_with_what_it_wrote_and_what_still_counts() {
    let school = School::new().await;
    let older = school.apply(REGISTERED).await;
    let newer = [
        ("/timestamp", json!(1_779_084_730)),
        ("/payload/student/grade/name", json!("Grade 7")),
        ("/payload/student/custom_identifier", Value::Null),
    ];
    let newer = school.apply(&changed(REGISTERED, &newer)).await;

    let (exit, text) = school.run(&["events", "show", &older.to_string()]).await;
    assert_eq!(exit, Exit::Well);
    let line = |name: &str| {
        let mut lines = text.lines().map(str::trim);
        lines.find(|line| line.split_whitespace().next() == Some(name)).map(str::to_owned).unwrap_or_default()
    };
    assert!(line("grade_name").ends_with(&format!("replaced by {}", newer.short())), "{text}");
    assert!(line("custom_identifier").ends_with("current"), "{text}");
    assert!(text.contains("jodo_r_students (main, erp:NVK-2026-0731)"), "{text}");
    assert!(text.contains("jodo_s_student_ids (main, student_20311, NVK-2026-0731): line kept"), "{text}");
    assert!(!text.contains("parents.example"), "the body is personal data:\n{text}");

    let by_clock = school.json(&["events", "show", &newer.short(), "--json"]).await;
    assert_eq!(by_clock.as_array().map(Vec::len), Some(1));
    let values = by_clock[0]["effects"][0]["values"].as_array().expect("values");
    assert!(values.iter().all(|value| value["state"] == "current"), "{values:?}");
    assert!(values.iter().any(|value| value["name"] == "registered"), "{values:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_id_that_was_used_twice_shows_both_and_an_unknown_one_none() {
    let school = School::new().await;
    school.apply(PAID).await;
    school.apply(&changed(PAID, &[("/payload/payment/mode", json!("cash"))])).await;
    let (exit, text) = school.run(&["events", "show", "afbb1451-f01d-402a-a01a-3af939fe884d"]).await;
    assert_eq!(exit, Exit::Well);
    assert!(text.starts_with("2 events fit:"), "{text}");
    let (exit, text) = school.run(&["events", "show", "0123456"]).await;
    assert_eq!(exit, Exit::Wrong);
    assert!(text.starts_with("No event has this key"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_shown_only_when_it_is_asked_for_and_cannot_steer_the_terminal() {
    let school = School::new().await;
    let body = "{\"event\":\"x\u{9b}2J\",\"timestamp\":5e0}";
    let key = school.apply(body).await.to_string();
    let (_, text) = school.run(&["events", "show", &key, "--body"]).await;
    assert!(text.contains("\"event\": \"x\\u{9b}2J\",\n  \"timestamp\": 5e0\n"), "{text}");
    assert!(!text.contains('\u{9b}'), "{text}");
    let shown = school.json(&["events", "show", &key, "--json", "--body"]).await;
    assert_eq!(shown[0]["body"], body);
    assert_eq!(school.run(&["events", "show", &key, "--raw"]).await.1, body);
    let shown = school.json(&["events", "show", &key, "--json"]).await;
    assert_eq!((shown[0].get("body"), &shown[0]["body_bytes"]), (None, &json!(body.len())));
}
