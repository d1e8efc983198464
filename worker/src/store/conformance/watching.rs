//! What workers count now and then.

use jiff::{SignedDuration, Timestamp};
use jodo_shared::clock::stored;
use jodo_shared::outcome::Outcome;

use super::{commit, event};
use crate::store::EventRow;
use crate::store::operate::Operate;

/// Runs every case.
pub(super) async fn exercise(store: &dyn Operate) {
    only_what_is_unfinished_is_counted(store).await;
    the_newest_of_a_source_is_found_as_far_back_as_asked(store).await;
}

/// Other cases leave rows of 1970 behind.
fn hours(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH - SignedDuration::from_hours(1_000 - hours)
}

fn received(name: &str, outcome: Outcome, at: Timestamp) -> EventRow {
    EventRow { received_at: at, source: "watching".parse().expect("a name"), ..event(name, outcome) }
}

/// Events that ended so, and when the oldest of them came.
async fn count(store: &dyn Operate, outcome: Outcome) -> (i64, Option<String>) {
    let found = store.unfinished().await.expect("an answer").unsettled;
    let ours = || found.iter().filter(|counts| counts.outcome == outcome.as_str());
    let oldest = ours().filter_map(|counts| counts.oldest_received_at.clone()).min();
    (ours().map(|counts| counts.events).sum(), oldest)
}

async fn only_what_is_unfinished_is_counted(store: &dyn Operate) {
    let (before, _) = count(store, Outcome::Quarantined).await;
    for outcome in Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Retrying) {
        commit(store, &[], &[&received(&format!("watch-{}", outcome.as_str()), outcome, hours(1))]).await;
    }
    assert_eq!(count(store, Outcome::Quarantined).await, (before + 1, Some(stored(hours(1)))));
    for outcome in Outcome::ALL.into_iter().filter(|outcome| outcome.is_settled()) {
        assert_eq!(count(store, outcome).await, (0, None), "{outcome:?} is finished");
    }
    let summary = store.summary().await.expect("an answer");
    let unfinished = store.unfinished().await.expect("an answer");
    assert_eq!((summary.unsettled, summary.held), (unfinished.unsettled, unfinished.held));
    commit(store, &[], &[&received("watch-quarantined", Outcome::Applied, hours(1))]).await;
    assert_eq!(count(store, Outcome::Quarantined).await.0, before);
}

async fn the_newest_of_a_source_is_found_as_far_back_as_asked(store: &dyn Operate) {
    let rows = [2, 4, 3].map(|n| received(&format!("newest-{n}"), Outcome::Applied, hours(n)));
    commit(store, &[], &rows.each_ref()).await;
    let source = "watching".parse().expect("a name");
    let newest = async |since| store.newest_of(&source, since).await.expect("an answer");
    assert_eq!(newest(hours(0)).await, Some(stored(hours(4))));
    assert_eq!(newest(hours(4)).await, None);
    let silent = "silent".parse().expect("a name");
    assert_eq!(store.newest_of(&silent, hours(0)).await.expect("an answer"), None);
}
