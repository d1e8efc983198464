//! An example of each event: the sender's sample, and the rows that it makes of an empty database.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use jodo_shared::contract::KnownCode;
use jodo_shared::ids::{DeliveryKey, SourceName};
use jodo_shared::message::{Message, Peeked};
use jodo_worker::commit::commit_batch;
use jodo_worker::decide::{SourceRules, decide};
use jodo_worker::entities::VIEWS;
use jodo_worker::event::Event;
use jodo_worker::seen::NoSeenIds;
use jodo_worker::store::{WorkerName, migrate, open};
use jodo_worker::target::{Target, Timing};
use secrecy::SecretString;

/// The sample of a code, as the file has it.
pub(crate) fn sample(code: KnownCode) -> String {
    let path = format!("{}/../tests/fixtures/events/{code}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("a sample")
}

/// The rows that the sample makes, view by view, as text. Of the pupil's views the profile is shown only where the
/// event is about the pupil.
pub(crate) async fn rows(code: KnownCode) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let url = SecretString::from(format!("sqlite:{}", folder.path().join("erp.db").display()));
    migrate(&url).await.expect("migrated");
    let store = open(&url, 1, Duration::from_secs(20), WorkerName::of_this_process()).expect("a store");
    let source: SourceName = "jodo".parse().expect("a name");
    let rules =
        SourceRules { time_zone: TimeZone::get("Asia/Kolkata").expect("a zone"), ignore: Default::default() };
    let rules = HashMap::from([(source.clone(), rules)]);
    let name = "main".parse().expect("a name");
    let target = Target::new(name, store.clone(), Arc::new(NoSeenIds), rules, Timing::default());
    let message = message(source, sample(code).into_bytes());
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

fn message(source: SourceName, body: Vec<u8>) -> Message {
    Message {
        key: DeliveryKey::of(&source, &body),
        source,
        tenant: "main".parse().expect("a tenant"),
        target: "main".parse().expect("a name"),
        received_at: Timestamp::UNIX_EPOCH,
        peeked: Peeked::default(),
        verified: true,
        redrive: false,
        trace: None,
        body: body.into(),
    }
}
