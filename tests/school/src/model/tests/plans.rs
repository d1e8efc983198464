//! Instalment plans and their mandates.

use serde_json::{Value, json};

use super::{cells, judged, keys, said};

fn plan(step: &str, second: i64, id: &str, schedule: &Value) -> String {
    let payload = json!({ "student": { "identifier": "1" }, "payment_schedule": schedule,
        "subscription": { "id": id, "status": step } });
    said(&format!("flex.subscription.{step}"), second, payload)
}

fn mandate(step: &str, second: i64, id: &str) -> String {
    let payload = json!({ "student": { "identifier": "1" }, "mandate": { "id": id, "status": "gone",
        "npci_category_code": "revoked", "end_date": "2027-03-31" }, "subscription": { "id": "s", "status": "x" } });
    said(&format!("flex.mandate.{step}"), second, payload)
}

/// State, mandate and the mandate's id of the plan `s`.
fn plan_after(bodies: &[String]) -> [String; 3] {
    cells(&judged(bodies), "jodo_subscriptions", "s", ["state", "mandate", "mandate_id"]).map(str::to_owned)
}

#[test]
fn an_end_outranks_the_rest_and_the_later_end_counts() {
    let state = |events: &[(&str, i64)]| {
        let bodies: Vec<_> =
            events.iter().map(|(step, second)| plan(step, *second, "s", &json!(null))).collect();
        plan_after(&bodies)[0].clone()
    };
    assert_eq!(state(&[("updated", 1)]), "unknown");
    assert_eq!(state(&[("setup", 9), ("active", 1)]), "active");
    assert_eq!(state(&[("setup", 1), ("updated", 2)]), "set_up");
    assert_eq!(state(&[("closed", 1), ("active", 9)]), "closed");
    assert_eq!(state(&[("closed", 2), ("cancelled", 1)]), "closed");
    assert_eq!(state(&[("closed", 2), ("cancelled", 2)]), "cancelled");
}

#[test]
fn a_mere_mention_yields_to_the_plans_own_word_of_the_same_second() {
    let views = judged(&[plan("setup", 5, "s", &json!(null)), mandate("expired", 5, "m")]);
    assert_eq!(cells(&views, "jodo_subscriptions", "s", ["status"]), ["setup"]);
    let views = judged(&[plan("setup", 5, "s", &json!(null)), mandate("expired", 6, "m")]);
    assert_eq!(cells(&views, "jodo_subscriptions", "s", ["status"]), ["x"]);
}

#[test]
fn the_newest_schedule_is_shown_whole_and_as_rows() {
    let first = json!([{ "due_date": "2026-07-05", "amount": 5 }]);
    let then = json!([
        { "due_date": "2026-07-05", "amount": 22000, "details": [{ "component_type": "A", "amount": "22000" }] },
        { "due_date": "soon", "amount": 0.5, "details": [] },
    ]);
    let views = judged(&[plan("setup", 1, "s", &first), plan("updated", 2, "s", &then)]);
    let details = r#""details":[{"amount":"22000.00","fee_component":"A"}]"#;
    let schedule =
        format!(r#"[{{"amount":"22000.00",{details},"due_date":"2026-07-05"}},{{"amount":"0.50"}}]"#);
    let columns = ["schedule", "schedule_total", "schedule_total_paise"];
    let expected = [schedule.as_str(), "22000.50", "2200050"];
    assert_eq!(cells(&views, "jodo_subscriptions", "s", columns), expected);
    assert_eq!(keys(&views, "jodo_plan_instalments"), ["s / 1", "s / 2"]);
    let columns = ["pupil_key", "identifier", "due_on", "amount", "amount_paise"];
    let expected = ["erp:1", "1", "2026-07-05", "22000.00", "2200000"];
    assert_eq!(cells(&views, "jodo_plan_instalments", "s / 1", columns), expected);

    let views = judged(&[plan("setup", 1, "s", &json!([{ "amount": 1 }, {}]))]);
    let columns = ["schedule", "schedule_total"];
    assert_eq!(cells(&views, "jodo_subscriptions", "s", columns), [r#"[{"amount":"1.00"},{}]"#, ""]);
}

#[test]
fn a_mandate_is_ended_until_the_plan_begins_anew() {
    let active = |second| plan("active", second, "s", &json!(null));
    assert_eq!(plan_after(&[active(1)]), ["active", "valid", ""]);
    assert_eq!(plan_after(&[mandate("expired", 1, "m")]), ["unknown", "expired", "m"]);
    assert_eq!(plan_after(&[active(5), mandate("expired", 5, "m")]), ["active", "expired", "m"]);
    assert_eq!(plan_after(&[active(6), mandate("expired", 5, "m")]), ["active", "valid", ""]);
    let set_up_anew = plan("setup", 6, "s", &json!(null));
    assert_eq!(plan_after(&[mandate("expired", 5, "m"), set_up_anew]), ["set_up", "", ""]);
    let closed = plan("closed", 9, "s", &json!(null));
    assert_eq!(plan_after(&[active(1), mandate("expired", 5, "m"), closed]), ["closed", "expired", "m"]);
}

#[test]
fn of_two_mandates_the_one_that_ended_last_is_shown() {
    let ends = [mandate("expired", 2, "m1"), mandate("cancelled", 1, "m2")];
    assert_eq!(plan_after(&ends), ["unknown", "expired", "m1"]);
    let views = judged(&[mandate("expired", 1, "m"), mandate("cancelled", 1, "m")]);
    let columns = ["state", "subscription_id", "status", "npci_category_code", "end_date", "pupil_key"];
    let expected = ["cancelled", "s", "gone", "revoked", "2027-03-31", "erp:1"];
    assert_eq!(cells(&views, "jodo_mandates", "m", columns), expected);
}

#[test]
fn the_overview_shows_the_plan_that_matters() {
    let schedule = |amount| json!([{ "amount": amount }]);
    let shown = |bodies: &[String]| {
        let columns = ["plan", "plan_total", "mandate"];
        cells(&judged(bodies), "jodo_student_overview", "erp:1", columns).map(str::to_owned)
    };
    let ended = plan("closed", 9, "a", &schedule(1));
    let set_up = plan("setup", 5, "b", &schedule(2));
    let active = plan("active", 1, "c", &schedule(3));
    assert_eq!(shown(&[ended.clone(), set_up.clone(), active]), ["active", "3.00", "valid"]);
    assert_eq!(shown(&[ended.clone(), set_up]), ["set_up", "2.00", ""]);
    // Of equals the one heard of last, if only by a mention.
    let other_end = plan("cancelled", 8, "s", &schedule(4));
    assert_eq!(shown(&[ended.clone(), other_end.clone()]), ["closed", "1.00", ""]);
    let mentioned = mandate("expired", 10, "m");
    assert_eq!(shown(&[ended.clone(), other_end, mentioned]), ["cancelled", "4.00", "expired"]);
    assert_eq!(
        shown(&[plan("active", 1, "a", &schedule(1)), plan("active", 1, "z", &schedule(1))])[0],
        "active"
    );
}
