//! How values are read.

use serde_json::json;

use crate::model::reading::{amount, canonical, date, datetime, instant_and_day, key, notes, text, whole};

#[test]
fn an_amount_has_two_places_however_it_is_spelled() {
    let spelled = |value| amount(&value).unwrap();
    assert_eq!(spelled(json!(1000)), "1000.00");
    assert_eq!(spelled(json!(1000.0)), "1000.00");
    assert_eq!(spelled(json!(18250.5)), "18250.50");
    assert_eq!(spelled(json!("3250.5")), "3250.50");
    assert_eq!(spelled(json!("15000")), "15000.00");
    assert_eq!(spelled(json!(0.05)), "0.05");
    assert_eq!(spelled(json!(-0.5)), "-0.50");
    assert_eq!(spelled(json!(9_999_999_999_999.99)), "9999999999999.99");
    for unreadable in [json!(null), json!(""), json!("ten"), json!("1.234"), json!([]), json!({})] {
        assert_eq!(amount(&unreadable), None, "{unreadable}");
    }
}

#[test]
fn text_may_come_as_a_number_and_a_key_as_a_whole_one() {
    assert_eq!(text(&json!(8926)).as_deref(), Some("8926"));
    assert_eq!(text(&json!("")), None);
    assert_eq!(text(&json!(true)), None);
    assert_eq!(key(&json!(88140)).as_deref(), Some("88140"));
    assert_eq!(key(&json!("sub_1")).as_deref(), Some("sub_1"));
    assert_eq!(key(&json!(1.5)), None);
    assert_eq!(whole(&json!("2026")).as_deref(), Some("2026"));
    assert_eq!(whole(&json!("2026-27")), None);
}

#[test]
fn a_date_and_time_has_an_instant_only_with_its_distance_from_utc() {
    let zone = jiff::tz::TimeZone::get("Asia/Kolkata").unwrap();
    let read = |text: &str| (datetime(&json!(text)), instant_and_day(text, &zone));
    let some = |text: &str, instant: &str, day: &str| {
        (Some(text.to_owned()), Some((instant.to_owned(), day.to_owned())))
    };
    let late = "2026-06-02T18:30:00.999Z";
    assert_eq!(read(late), some(late, "2026-06-02T18:30:00Z", "2026-06-03"));
    let indian = "2026-06-03T00:00:00+05:30";
    assert_eq!(read(indian), some(indian, "2026-06-02T18:30:00Z", "2026-06-03"));
    assert_eq!(read("2026-06-02T05:00:00"), (Some("2026-06-02T05:00:00".to_owned()), None));
    assert_eq!(read("2026-06-02"), (Some("2026-06-02".to_owned()), None));
    assert_eq!(read("soon"), (None, None));
}

#[test]
fn a_date_is_year_month_and_day() {
    assert_eq!(date(&json!("2026-02-28")).as_deref(), Some("2026-02-28"));
    for unreadable in ["2026-02-30", "20260228", "28-02-2026", "2026-02-28T00:00:00"] {
        assert_eq!(date(&json!(unreadable)), None, "{unreadable}");
    }
}

#[test]
fn notes_are_text_or_a_list_in_its_canonical_spelling() {
    assert_eq!(notes(&json!("by cheque")).as_deref(), Some("by cheque"));
    assert_eq!(notes(&json!([])), None);
    let list = json!([{ "value": 2.50, "key": "a \"b\"" }, { "key": "c", "value": [1000.0, null, true] }]);
    let canonical_list = r#"[{"key":"a \"b\"","value":2.5},{"key":"c","value":[1000,null,true]}]"#;
    assert_eq!(notes(&list).as_deref(), Some(canonical_list));
    assert_eq!(canonical(&json!({ "b": "फ़ीस", "a": {} })), r#"{"a":{},"b":"फ़ीस"}"#);
}
