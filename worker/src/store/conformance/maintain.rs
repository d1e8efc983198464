//! What every [`Maintain`] must do. Each implementation's tests call [`exercise`] on an empty, migrated database.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use jodo_shared::ids::TargetName;
use jodo_shared::outcome::{Outcome, Reason};

use super::{commit, event, key, set};
use crate::entities::STUDENTS;
use crate::store::maintain::{Expired, Maintain, OrderedPause, Orders};
use crate::store::operate::Deed;
use crate::store::{EventRow, UnverifiedRow, Write, Written};

/// Runs every case, in an order in which none minds what the earlier ones left.
///
/// # Panics
/// At the first case that the store does not pass.
pub async fn exercise(store: Arc<dyn Maintain>) {
    let store = store.as_ref();
    a_pause_is_ordered_replaced_and_ended(store).await;
    a_person_lifts_the_brakes_that_came_on_before(store).await;
    only_what_is_settled_and_old_loses_its_body(store).await;
    a_rebuild_without_every_event_changes_nothing(store).await;
}

fn target() -> TargetName {
    "main".parse().expect("a name")
}

fn second(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
}

fn by(at: i64) -> Deed {
    Deed { who: "asha".to_owned(), at: second(at), reason: None }
}

fn pause(from: i64) -> OrderedPause {
    OrderedPause {
        paused_at: second(from),
        until: second(from + 60),
        who: "asha".to_owned(),
        reason: "quiet".to_owned(),
    }
}

async fn orders(store: &dyn Maintain) -> Orders {
    store.orders(&target(), None).await.expect("an answer")
}

async fn a_pause_is_ordered_replaced_and_ended(store: &dyn Maintain) {
    assert_eq!(orders(store).await, Orders::default());
    assert_eq!(store.pause(&target(), &pause(1)).await, Ok(None));
    assert_eq!(store.pause(&target(), &pause(2)).await, Ok(Some(pause(1))));
    assert_eq!(orders(store).await.pause, Some(pause(2)));
    let other = "other".parse().expect("a name");
    assert_eq!(store.orders(&other, None).await, Ok(Orders::default()));

    store.take_back(&target(), &pause(1)).await.expect("an answer");
    assert_eq!(orders(store).await.pause, Some(pause(2)), "it was replaced");
    store.take_back(&target(), &pause(2)).await.expect("taken back");
    assert_eq!(orders(store).await.pause, None);

    store.pause(&target(), &pause(3)).await.expect("paused");
    assert_eq!(store.resumable(&target()).await.expect("an answer").pause, Some(pause(3)));
    assert_eq!(store.resume(&target(), &by(4)).await.expect("resumed").pause, Some(pause(3)));
    assert_eq!(orders(store).await.pause, None);
}

async fn a_person_lifts_the_brakes_that_came_on_before(store: &dyn Maintain) {
    let since = jodo_shared::clock::now();
    let quarantined = event("resumed", Outcome::Quarantined);
    commit(store, &[], &[&quarantined]).await;
    store.return_to_retrying(&[quarantined.key], since).await.expect("returned");
    assert_eq!(store.brake_holds(since).await, Ok(true));
    let orders = store.orders(&target(), Some(since)).await.expect("an answer");
    assert!(!orders.lift_brake, "the last word of a person is older");

    let now = Deed { at: since + SignedDuration::from_secs(1), ..by(0) };
    assert_eq!(store.resume(&target(), &now).await.expect("resumed").braked, 1);
    assert_eq!(store.brake_holds(since).await, Ok(false));
    assert!(store.orders(&target(), Some(since)).await.expect("an answer").lift_brake);
    let later = Some(since + SignedDuration::from_secs(2));
    assert!(
        !store.orders(&target(), later).await.expect("an answer").lift_brake,
        "a brake that came on later"
    );
    assert!(!store.orders(&target(), None).await.expect("an answer").lift_brake, "none is on");

    let due = store.take_due(since).await.expect("an answer").expect("a due row");
    assert_eq!((due.row.reason, due.recorded_at), (Some(Reason::Brake), since));
    commit(store, &[], &[&event("resumed", Outcome::Applied)]).await;
}

async fn only_what_is_settled_and_old_loses_its_body(store: &dyn Maintain) {
    let arrived = |name: &str, outcome, at| EventRow { received_at: second(at), ..event(name, outcome) };
    let rows = [
        arrived("kept-1", Outcome::Applied, 100),
        arrived("kept-2", Outcome::Ignored, 101),
        arrived("kept-3", Outcome::Discarded, 101),
        arrived("kept-4", Outcome::Quarantined, 100),
        arrived("kept-5", Outcome::Applied, 200),
    ];
    commit(store, &[], &rows.iter().collect::<Vec<_>>()).await;
    let held = UnverifiedRow {
        key: key("kept-held"),
        source: "conformance".parse().expect("a name"),
        tenant: "main".parse().expect("a tenant"),
        received_at: second(1),
        expires_at: second(150),
        signature: None,
        body: Bytes::from_static(b"held"),
    };
    let write = Write { unverified: std::slice::from_ref(&held), ..Write::default() };
    assert_eq!(store.write(&write).await, Ok(Written::Committed));

    // What other cases left came at second 0.
    let (from, before, now) = (jodo_shared::clock::stored(second(100)), second(200), second(300));
    let expired = store.expired(before, now).await.expect("an answer");
    assert_eq!(expired, Expired { bodies: 3 + 1, held: 1 });
    let slice = store.remove_bodies(&from, before, now, 2).await.expect("removed").expect("some");
    assert_eq!(slice.removed, 2);
    let slice = store.remove_bodies(&slice.reached, before, now, 2).await.expect("removed").expect("some");
    assert_eq!(slice.removed, 1);
    assert_eq!(store.remove_bodies(&slice.reached, before, now, 2).await, Ok(None));
    assert_eq!(store.forget_held(second(149), 10).await, Ok(0));
    assert_eq!(store.forget_held(second(150), 10).await, Ok(1));

    for (row, gone) in rows.iter().zip([true, true, true, false, false]) {
        let stored = store.event(&row.key.to_string()).await.expect("an answer");
        let [stored] = stored.try_into().expect("one event");
        assert_eq!((stored.body.is_none(), stored.body_removed_at.is_some()), (gone, gone));
        assert_eq!(stored.outcome, row.outcome.as_str());
    }
    store.note_of_target(&by(300), "retention", "3 bodies").await.expect("noted");
}

async fn a_rebuild_without_every_event_changes_nothing(store: &dyn Maintain) {
    let change = set(&STUDENTS, "erp:by-hand", "fullname", 1, "Deed hand");
    commit(store, &[change], &[]).await;
    let before = store.dump().await.expect("a dump");
    for by in [None, Some(by(400))] {
        let rebuilt = store.rebuild(&target(), &HashMap::new(), by.as_ref()).await.expect("looked");
        assert_eq!((rebuilt.without_body, rebuilt.replaced), (1, false));
    }
    assert_eq!(store.dump().await.expect("a dump"), before);
}
