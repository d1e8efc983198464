//! What every [`Store`] must do. Each implementation's tests call [`exercise`] on an empty, migrated database.

#![expect(clippy::expect_used, reason = "a failed case panics: that is the report")]

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use jodo_shared::ids::DeliveryKey;
use jodo_shared::outcome::{Outcome, Reason};

pub mod maintain;
use super::operate::Operate;
use super::{EventRow, Store, UnverifiedRow, Write, Written};
use crate::entities::{MANUAL_PAYMENTS, STUDENT_IDS, STUDENTS};
use crate::fold::fold;
use crate::table::{Change, Clock, Entity};

mod by_hand;
mod watching;

/// Runs every case. Cases use rows of their own, so one database serves all.
///
/// # Panics
/// At the first case that the store does not pass.
pub async fn exercise(store: Arc<dyn Operate>) {
    let store = store.as_ref();
    store.probe().await.expect("a migrated, empty database passes the probe");
    effect_and_event_are_committed_together(store).await;
    a_refused_write_leaves_nothing(store).await;
    registers_end_alike_in_any_order_and_any_cut(store).await;
    at_equal_clocks_the_fold_and_the_database_agree(store).await;
    a_settled_row_is_never_changed_by_a_repeat(store).await;
    the_effect_of_a_closed_event_is_not_merged(store).await;
    a_quarantined_row_is_decided_again_by_a_repeat(store).await;
    bytes_and_keys_survive_whatever_they_are(store).await;
    a_due_row_is_leased_once_and_put_back_without_cost(store).await;
    the_brake_takes_back_only_quarantines(store).await;
    held_deliveries_are_stored_once_beside_the_events(store).await;
    by_hand::exercise(store).await;
    watching::exercise(store).await;
    store.report_pause("a reason").await.expect("a pause can be reported");
    store.probe().await.expect("the probe changes nothing that it minds later");
}

fn key(name: &str) -> DeliveryKey {
    DeliveryKey::of(&"conformance".parse().expect("a name"), name.as_bytes())
}

fn event(name: &str, outcome: Outcome) -> EventRow {
    EventRow {
        key: key(name),
        source: "conformance".parse().expect("a name"),
        tenant: "main".parse().expect("a tenant"),
        event_id: None,
        code: None,
        time: None,
        pupil_key: None,
        subject: None,
        payload_digest: None,
        outcome,
        reason: None,
        detail: None,
        warnings: None,
        due_at: None,
        received_at: Timestamp::UNIX_EPOCH,
        redrive: false,
        trace: None,
        body: Bytes::from(name.to_owned()),
    }
}

/// Sets one single-column register of a row.
fn set(entity: &'static Entity, row: &str, register: &str, seconds: i64, value: &str) -> Change {
    let register = entity.registers.iter().find(|one| one.name == register).expect("a register");
    let clock = Clock::new(seconds, 10, &key(row));
    let mut values = vec![Some(value.to_owned())];
    values.resize(register.columns.len(), None);
    Change::Write {
        entity,
        key: vec!["main".to_owned(), row.to_owned()],
        registers: vec![(register, clock, values)],
        facts: vec![(&entity.facts[0], Clock::new(seconds, 10, &key(row)))],
    }
}

async fn commit(store: &dyn Store, changes: &[Change], events: &[&EventRow]) -> Written {
    let write = Write { projections: fold(changes), events: events.to_vec(), unverified: &[] };
    store.write(&write).await.expect("the write is accepted")
}

async fn lines_with(store: &dyn Store, part: &str) -> Vec<String> {
    let dump = store.dump().await.expect("a dump");
    dump.into_iter().filter(|line| line.contains(part)).collect()
}

async fn effect_and_event_are_committed_together(store: &dyn Store) {
    let row = event("together", Outcome::Applied);
    let change = set(&STUDENTS, "erp:together", "fullname", 1, "Together");
    assert_eq!(commit(store, &[change], &[&row]).await, Written::Committed);
    let settled = store.settled(&[row.key, key("unknown")]).await.expect("an answer");
    assert_eq!(settled, HashSet::from([row.key]));
    assert!(!lines_with(store, "erp:together").await.is_empty());
}

async fn a_refused_write_leaves_nothing(store: &dyn Store) {
    let row = event("refused", Outcome::Applied);
    let good = set(&STUDENTS, "erp:refused", "fullname", 1, "Refused");
    let bad = set(&MANUAL_PAYMENTS, "refused", "amount", 1, "no amount");
    let write = Write { projections: fold(&[good, bad]), events: vec![&row], unverified: &[] };
    store.write(&write).await.expect_err("text is no amount");
    assert_eq!(lines_with(store, "refused").await, Vec::<String>::new());
    assert!(store.settled(&[row.key]).await.expect("an answer").is_empty());
    store.probe().await.expect("the store is well after a refusal");
}

async fn registers_end_alike_in_any_order_and_any_cut(store: &dyn Store) {
    let history = |row: &str| {
        vec![
            set(&STUDENTS, row, "fullname", 3, "third"),
            set(&STUDENTS, row, "fullname", 1, "first"),
            set(&STUDENTS, row, "grade_name", 2, "two"),
            set(&STUDENTS, row, "fullname", 2, "second"),
        ]
    };
    let rotations = [("erp:order-0", 0), ("erp:order-1", 1), ("erp:order-2", 2), ("erp:order-3", 3)];
    for (row, turn) in rotations {
        let mut changes = history(row);
        changes.rotate_left(turn);
        let (front, back) = changes.split_at(turn);
        commit(store, front, &[]).await;
        commit(store, back, &[]).await;
        commit(store, &changes, &[]).await;
    }
    // Clocks end in the row's own key, so compare what is left without it.
    let mut ends = Vec::new();
    for (row, _) in rotations {
        let lines = lines_with(store, &format!("\"{row}\"")).await;
        let plain = lines.iter().map(|line| line.replace(row, "ROW").replace(&key(row).short(), "KEY"));
        ends.push(plain.collect::<Vec<_>>());
    }
    assert!(ends[0].iter().any(|line| line.contains("third") && line.contains("two")));
    assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{ends:#?}");
}

async fn at_equal_clocks_the_fold_and_the_database_agree(store: &dyn Store) {
    // Amounts compare as text, not as numbers: "9.00" is bytewise greater than "10.00".
    for (row, amounts) in [("tie-1", ["9.00", "10.00"]), ("tie-2", ["10.00", "9.00"])] {
        for amount in amounts {
            commit(store, &[set(&MANUAL_PAYMENTS, row, "amount", 5, amount)], &[]).await;
        }
    }
    let both = ["9.00", "10.00"].map(|amount| set(&MANUAL_PAYMENTS, "tie-3", "amount", 5, amount));
    commit(store, &both, &[]).await;
    for row in ["tie-1", "tie-2", "tie-3"] {
        let mut lines = lines_with(store, &format!("\"payment_id\":\"{row}\"")).await;
        lines.retain(|line| line.starts_with("jodo_r_"));
        assert!(lines.len() == 1, "{lines:#?}");
        assert!(lines.iter().all(|line| line.contains("\"amount\":\"9.00\"")), "{lines:#?}");
    }
}

async fn a_settled_row_is_never_changed_by_a_repeat(store: &dyn Store) {
    let first = event("settled", Outcome::Applied);
    commit(store, &[], &[&first]).await;
    let mut repeat = event("settled", Outcome::Quarantined);
    repeat.reason = Some(Reason::NotJson);
    assert_eq!(commit(store, &[], &[&repeat]).await, Written::Committed);
    assert_eq!(store.settled(&[first.key]).await.expect("an answer"), HashSet::from([first.key]));
}

async fn the_effect_of_a_closed_event_is_not_merged(store: &dyn Store) {
    for (name, outcome) in [("closed-1", Outcome::Ignored), ("closed-2", Outcome::Discarded)] {
        let closed = event(name, outcome);
        commit(store, &[], &[&closed]).await;
        let neighbour_name = format!("{name}-neighbour");
        let neighbour = event(&neighbour_name, Outcome::Applied);
        let repeat = event(name, Outcome::Applied);
        let row = format!("erp:{name}");
        let change = set(&STUDENTS, &row, "fullname", 1, "Closed");
        let written = commit(store, &[change], &[&neighbour, &repeat]).await;
        assert_eq!(written, Written::Closed(HashSet::from([closed.key])));
        assert!(lines_with(store, &row).await.is_empty());
        assert!(store.settled(&[neighbour.key]).await.expect("an answer").is_empty(), "all rolled back");
    }
}

async fn a_quarantined_row_is_decided_again_by_a_repeat(store: &dyn Store) {
    let mut first = event("again", Outcome::Quarantined);
    first.reason = Some(Reason::UnknownEventCode);
    commit(store, &[], &[&first]).await;
    assert!(store.settled(&[first.key]).await.expect("an answer").is_empty());
    commit(store, &[], &[&event("again", Outcome::Applied)]).await;
    assert_eq!(store.settled(&[first.key]).await.expect("an answer"), HashSet::from([first.key]));
}

async fn bytes_and_keys_survive_whatever_they_are(store: &dyn Store) {
    let odd = "erp:o'dd \"\\ \u{1F600} \u{7f} é \t%_$1";
    commit(store, &[set(&STUDENTS, odd, "fullname", 1, odd)], &[]).await;
    let quoted = serde_json::to_string(odd).expect("JSON");
    assert!(!lines_with(store, &format!("\"pupil_key\":{quoted}")).await.is_empty());
    let longest = format!("erp:{}", "é".repeat(95));
    let line = vec!["main".to_owned(), longest.clone(), String::new()];
    commit(store, &[Change::Add { set: &STUDENT_IDS, line }], &[]).await;
    assert!(!lines_with(store, &longest).await.is_empty());

    let every_byte: Vec<u8> = (0..=255).collect();
    for (name, body) in [("bytes", Bytes::from(every_byte)), ("no bytes", Bytes::new())] {
        let mut row = event(name, Outcome::Retrying);
        row.body = body;
        row.due_at = Some(Timestamp::UNIX_EPOCH);
        commit(store, &[], &[&row]).await;
        let due = store.take_due(Timestamp::UNIX_EPOCH).await.expect("an answer").expect("a due row");
        assert_eq!(due.row.body, row.body);
        commit(store, &[], &[&event(name, Outcome::Applied)]).await;
    }
}

async fn a_due_row_is_leased_once_and_put_back_without_cost(store: &dyn Store) {
    let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000);
    let mut row = event("due", Outcome::Retrying);
    row.due_at = Some(now);
    row.reason = Some(Reason::CrashSuspect);
    commit(store, &[], &[&row]).await;
    let just_before = now - SignedDuration::from_secs(1);
    assert_eq!(store.take_due(just_before).await.expect("an answer"), None);
    let (one, other) = tokio::join!(store.take_due(now), store.take_due(now));
    let taken: Vec<_> = [one, other].into_iter().filter_map(|due| due.expect("an answer")).collect();
    assert_eq!(taken.len(), 1, "a lease is held by one");
    assert_eq!((taken[0].attempts, &taken[0].row.key), (1, &row.key));
    // A repeat while it is leased does not cut the lease short.
    commit(store, &[], &[&row]).await;
    assert_eq!(store.take_due(now).await.expect("an answer"), None);
    store.put_back(row.key, now, Reason::DatabaseTimeout).await.expect("put back");
    let due = store.take_due(now).await.expect("an answer").expect("due again");
    assert_eq!((due.attempts, due.row.reason), (1, Some(Reason::DatabaseTimeout)));
    commit(store, &[], &[&event("due", Outcome::Applied)]).await;
    let later = now + SignedDuration::from_hours(1);
    assert_eq!(store.take_due(later).await.expect("an answer"), None, "an applied row is never due");
}

async fn the_brake_takes_back_only_quarantines(store: &dyn Store) {
    let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(2_000);
    let (bad, good) = (event("brake-bad", Outcome::Quarantined), event("brake-good", Outcome::Applied));
    commit(store, &[], &[&bad, &good]).await;
    store.return_to_retrying(&[bad.key, good.key], now).await.expect("returned");
    let due = store.take_due(now).await.expect("an answer").expect("a due row");
    assert_eq!((due.row.key, due.row.reason), (bad.key, Some(Reason::Brake)));
    assert_eq!(store.take_due(now).await.expect("an answer"), None);
    assert!(!store.brake_holds(Timestamp::UNIX_EPOCH).await.expect("an answer"), "events were applied since");
    let future = jodo_shared::clock::now() + SignedDuration::from_hours(1);
    assert!(store.brake_holds(future).await.expect("an answer"), "a row waits, and none was applied since");
    commit(store, &[], &[&event("brake-bad", Outcome::Applied)]).await;
    assert!(!store.brake_holds(future).await.expect("an answer"), "no row waits");
}

async fn held_deliveries_are_stored_once_beside_the_events(store: &dyn Store) {
    let held = UnverifiedRow {
        key: key("held"),
        source: "conformance".parse().expect("a name"),
        tenant: "main".parse().expect("a tenant"),
        received_at: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(720),
        signature: None,
        body: Bytes::from_static(b"\0held"),
    };
    for _ in 0..2 {
        let write = Write { unverified: std::slice::from_ref(&held), ..Write::default() };
        assert_eq!(store.write(&write).await.expect("stored"), Written::Committed);
    }
    assert!(store.settled(&[held.key]).await.expect("an answer").is_empty());
    assert!(lines_with(store, &held.key.to_string()).await.is_empty(), "a held delivery is no event");
}
