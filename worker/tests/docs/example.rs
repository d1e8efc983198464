//! An example of each event: the sender's sample, and the rows that it makes of an empty database.

use jodo_shared::contract::KnownCode;
use jodo_worker::commit::commit_batch;
use jodo_worker::decide::decide;
use jodo_worker::entities::VIEWS;
use jodo_worker::event::Event;
use jodo_worker::testing::{message, target};

/// The sample of a code, as the file has it.
pub(crate) fn sample(code: KnownCode) -> String {
    let path = format!("{}/../tests/fixtures/events/{code}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("a sample")
}

/// The rows that the sample makes, view by view, as text. Of the pupil's views the profile is shown only where the
/// event is about the pupil.
pub(crate) async fn rows(code: KnownCode) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("erp.db").display());
    let (store, target) = target(&url, &["jodo"]).await;
    let message = message("jodo", "main", sample(code));
    let decision = decide(&message, target.rules.get(&message.source));
    commit_batch(&target, &[Event::decided(&message, decision)]).await.expect("not interrupted");

    let mut text = String::new();
    let about_the_pupil = code.as_str().starts_with("masterdata.");
    for view in VIEWS.iter().filter(|view| **view != "jodo_students" || about_the_pupil) {
        let mut rows: Vec<_> = store
            .view(view)
            .await
            .expect("the view")
            .into_iter()
            .map(|row| {
                let values = row.into_iter().filter_map(|(column, value)| Some((column, value?)));
                let lines = values.filter(|(column, _)| column != "tenant" && !column.ends_with("_paise"));
                lines.map(|(column, value)| format!("  {column:<24}{value}\n")).collect::<String>()
            })
            .collect();
        rows.sort();
        text.extend(rows.into_iter().map(|row| format!("{view}\n{row}")));
    }
    text
}
