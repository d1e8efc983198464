//! The interface: which views, under which keys.

use std::collections::BTreeMap;

use serde_json::json;

use super::{judged, said, setting};
use crate::model::{VIEWS, replay, rows_by_key};

#[test]
fn every_view_is_there_also_when_it_has_no_rows() {
    let views = replay::<&str>(&setting(), &[]);
    assert_eq!(views.len(), VIEWS.len());
    assert!(VIEWS.iter().all(|(view, _)| views[view].is_empty()));
}

#[test]
fn what_is_no_event_says_nothing() {
    let bodies = [
        "not json".to_owned(),
        "[]".to_owned(),
        said("student.renamed", 1, json!({ "student": { "identifier": "1" } })),
        said("pay.payment.debited", 1, json!({ "payment": {} })),
        json!({ "event": "masterdata.student.dropped", "timestamp": "soon" }).to_string(),
    ];
    assert!(judged(&bodies).values().all(BTreeMap::is_empty));
}

#[test]
fn rows_of_a_database_get_the_keys_of_the_judge() {
    let views =
        judged(&[said("pay.payment.debited", 1, json!({ "payment": { "id": "p", "details": [{}] } }))]);
    for (view, rows) in &views {
        let read = rows.values().map(|row| {
            let cells = row.iter().map(|(column, value)| ((*column).to_owned(), Some(value.clone())));
            cells.chain([("a column without a value".to_owned(), None)]).collect()
        });
        let expected: BTreeMap<_, BTreeMap<String, String>> = rows
            .iter()
            .map(|(key, row)| {
                (
                    key.clone(),
                    row.iter().map(|(column, value)| ((*column).to_owned(), value.clone())).collect(),
                )
            })
            .collect();
        assert_eq!(rows_by_key(view, read), expected);
    }
}

#[test]
fn rows_with_the_same_key_are_numbered_by_their_content() {
    let row = |lines: &str| {
        BTreeMap::from([
            ("utr".to_owned(), Some("U".to_owned())),
            ("lines".to_owned(), Some(lines.to_owned())),
        ])
    };
    let keyed = rows_by_key("jodo_bank_credits", [row("3"), row("1"), row("2")]);
    let lines: Vec<_> = keyed.iter().map(|(key, row)| (key.as_str(), row["lines"].as_str())).collect();
    assert_eq!(lines, [("U", "1"), ("U #2", "2"), ("U #3", "3")]);
}
