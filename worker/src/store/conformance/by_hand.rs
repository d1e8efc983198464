//! What operators do to single events.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use jodo_shared::outcome::{Outcome, Reason};

use super::{commit, event};
use crate::store::operate::{Deed, Operate, Pace, Place, Selected, Selection, Total};
use crate::store::reads::{ListedEvent, StoredHeld};
use crate::store::{EventRow, UnverifiedRow, Write, Written};

/// Runs every case.
pub(super) async fn exercise(store: &dyn Operate) {
    a_selection_meets_every_condition_and_comes_in_pages(store).await;
    a_retried_event_is_due_and_decided_whatever_it_was(store).await;
    a_discarded_event_stays_so(store).await;
    an_event_that_a_worker_decided_meanwhile_is_left_alone(store).await;
    an_event_is_brought_in_once(store).await;
    a_held_delivery_becomes_an_event_or_goes(store).await;
}

fn deed(reason: &str) -> Deed {
    Deed { who: "Asha".to_owned(), at: jodo_shared::clock::now(), reason: Some(reason.to_owned()) }
}

/// No other case's rows are due so early.
fn due() -> Timestamp {
    Timestamp::UNIX_EPOCH - SignedDuration::from_hours(1)
}

fn all_at_once() -> Pace {
    Pace { first: due(), per_second: 10_000, before: 0 }
}

fn only(rows: &[&EventRow], outcome: Outcome) -> Selection {
    let keys = rows.iter().map(|row| row.key.to_string()).collect();
    Selection { outcomes: vec![outcome], keys: Some(keys), ..Selection::default() }
}

async fn listed(store: &dyn Operate, selection: &Selection) -> Vec<ListedEvent> {
    let found = store.selected(selection, None, 100).await.expect("an answer");
    found.into_iter().map(|selected| selected.event).collect()
}

async fn a_selection_meets_every_condition_and_comes_in_pages(store: &dyn Operate) {
    let mut rows: Vec<_> = (0..5).map(|n| event(&format!("select-{n}"), Outcome::Quarantined)).collect();
    for (n, row) in rows.iter_mut().enumerate() {
        // Three of the same instant.
        row.received_at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(n as i64 / 3);
        row.reason = Some(if n == 0 { Reason::MissingKey } else { Reason::UnknownEventCode });
        row.code = (n != 1).then(|| "flex.new".parse().expect("a code"));
    }
    let rows: Vec<_> = rows.iter().collect();
    commit(store, &[], &rows).await;
    let mut selection = only(&rows, Outcome::Quarantined);
    let (mut after, mut seen) = (None::<Place>, Vec::new());
    loop {
        let page = store.selected(&selection, after.as_ref(), 2).await.expect("an answer");
        let Some(last) = page.last() else { break };
        after = Some(Place::of(&last.event));
        assert!(page.iter().all(|Selected { has_body, .. }| *has_body));
        seen.extend(
            page.into_iter().map(|selected| (selected.event.received_at, selected.event.delivery_key)),
        );
    }
    assert_eq!(seen.len(), 5, "each once");
    assert!(seen.is_sorted(), "the oldest first");
    selection.reasons = vec![Reason::UnknownEventCode];
    assert_eq!(listed(store, &selection).await.len(), 4);
    selection.code = Some("flex.new".to_owned());
    assert_eq!(listed(store, &selection).await.len(), 3);
    selection.until = Some(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1));
    assert_eq!(listed(store, &selection).await.len(), 1, "what came before that instant");
    selection.since = selection.until.take();
    assert_eq!(listed(store, &selection).await.len(), 2, "what came at that instant or later");
    let totals = store.totals(&only(&rows, Outcome::Quarantined)).await.expect("an answer");
    let sum = |part: fn(&Total) -> i64| totals.iter().map(part).sum::<i64>();
    assert_eq!((sum(|total| total.events), sum(|total| total.with_body)), (5, 5));
    assert_eq!(totals.len(), 3, "alike in outcome, reason and code: {totals:?}");
    selection.outcomes = vec![Outcome::Discarded];
    assert!(listed(store, &selection).await.is_empty());
}

async fn a_retried_event_is_due_and_decided_whatever_it_was(store: &dyn Operate) {
    for outcome in Outcome::ALL {
        let mut row = event(&format!("retry-{outcome}"), outcome);
        row.detail = Some("payload.amount".to_owned());
        row.reason = Some(Reason::UnreadableAmount);
        commit(store, &[], &[&row]).await;
        let chosen = listed(store, &only(&[&row], outcome)).await;
        let retried = store.retry(&chosen, &all_at_once(), &deed("mended")).await.expect("written");
        assert_eq!(retried, 1, "{outcome}");
        let taken = store.take_due(due()).await.expect("an answer").expect("a due row");
        assert_eq!((taken.row.key, taken.attempts, taken.row.redrive), (row.key, 1, true));
        assert_eq!((taken.row.reason, taken.row.detail), (Some(Reason::AskedAgain), None));
        // A repeat comes in meanwhile, and then the worker is done with it.
        let applied = event(&format!("retry-{outcome}"), Outcome::Applied);
        assert_eq!(commit(store, &[], &[&applied]).await, Written::Committed);
        assert_eq!(commit(store, &[], &[&applied]).await, Written::Committed);
        let key = row.key.to_string();
        assert_eq!(store.event(&key).await.expect("an answer")[0].outcome, "applied");
        let history = store.history(&key).await.expect("an answer");
        let [line] = history.as_slice() else { panic!("one line, not {history:?}") };
        assert_eq!((line.who.as_str(), line.action.as_str()), ("Asha", "retry"));
        assert_eq!(line.reason.as_deref(), Some("mended"));
        assert_eq!(line.was, Some(format!("{outcome} unreadable_amount payload.amount")));
    }
}

async fn a_discarded_event_stays_so(store: &dyn Operate) {
    let row = event("discard", Outcome::Quarantined);
    commit(store, &[], &[&row]).await;
    let chosen = listed(store, &only(&[&row], Outcome::Quarantined)).await;
    assert_eq!(store.discard(&chosen, &deed("a trial")).await.expect("written"), 1);
    let repeat = event("discard", Outcome::Applied);
    assert!(matches!(commit(store, &[], &[&repeat]).await, Written::Closed(_)));
    let stored = store.event(&row.key.to_string()).await.expect("an answer").remove(0);
    assert_eq!((stored.outcome.as_str(), stored.reason.as_deref()), ("discarded", Some("by_hand")));
    assert!(!stored.redrive && stored.body.is_some());
}

async fn an_event_that_a_worker_decided_meanwhile_is_left_alone(store: &dyn Operate) {
    let row = event("overtaken", Outcome::Quarantined);
    commit(store, &[], &[&row]).await;
    let chosen = listed(store, &only(&[&row], Outcome::Quarantined)).await;
    commit(store, &[], &[&event("overtaken", Outcome::Applied)]).await;
    assert_eq!(store.discard(&chosen, &deed("too late")).await.expect("an answer"), 0);
    assert_eq!(store.retry(&chosen, &all_at_once(), &deed("too late")).await.expect("an answer"), 0);
    assert_eq!(store.history(&row.key.to_string()).await.expect("an answer"), []);
    assert_eq!(store.take_due(due()).await.expect("an answer"), None);
}

async fn an_event_is_brought_in_once(store: &dyn Operate) {
    let known = event("import-known", Outcome::Applied);
    commit(store, &[], &[&known]).await;
    let again = EventRow { due_at: Some(due()), ..event("import-known", Outcome::Retrying) };
    let new = EventRow {
        due_at: Some(due()),
        reason: Some(Reason::Imported),
        ..event("import-new", Outcome::Retrying)
    };
    let both = [again, new.clone()];
    let brought = store.import(&both, &deed("failure mail")).await.expect("written");
    assert_eq!(brought, HashSet::from([new.key]));
    assert!(store.import(&both, &deed("once more")).await.expect("written").is_empty());
    let taken = store.take_due(due()).await.expect("an answer").expect("a due row");
    assert_eq!((taken.row.key, &taken.row.body, taken.row.reason), (new.key, &new.body, new.reason));
    commit(store, &[], &[&event("import-new", Outcome::Applied)]).await;
    let stored = store.event(&new.key.to_string()).await.expect("an answer").remove(0);
    assert_eq!((stored.outcome.as_str(), stored.imported_by.as_deref()), ("applied", Some("Asha")));
    assert_eq!(store.history(&new.key.to_string()).await.expect("an answer").len(), 1);
    assert_eq!(store.history(&known.key.to_string()).await.expect("an answer"), []);
}

async fn a_held_delivery_becomes_an_event_or_goes(store: &dyn Operate) {
    let names = ["held-good", "held-known", "held-bad"];
    let held = names.map(|name| {
        let row = event(name, Outcome::Retrying);
        UnverifiedRow {
            key: row.key,
            source: row.source,
            tenant: row.tenant,
            received_at: row.received_at,
            expires_at: row.received_at,
            signature: (name == "held-good").then(|| "ab".repeat(32).parse().expect("a signature")),
            body: row.body,
        }
    });
    commit(store, &[], &[&event("held-known", Outcome::Applied)]).await;
    let write = Write { unverified: &held, ..Write::default() };
    assert_eq!(store.write(&write).await, Ok(Written::Committed));
    let ours = async || -> Vec<StoredHeld> {
        let all = store.held(None, 1_000).await.expect("an answer");
        assert!(all.is_sorted_by(|one, other| one.delivery_key < other.delivery_key));
        all.into_iter().filter(|row| row.body.starts_with(b"held-")).collect()
    };
    let found = ours().await;
    assert_eq!(found.len(), 3);
    let signed: Vec<_> = found.iter().filter_map(|row| row.signature.clone()).collect();
    assert_eq!(signed, ["ab".repeat(32)]);
    let last = found.last().map(|row| row.delivery_key.clone());
    assert!(store.held(last.as_deref(), 1_000).await.expect("an answer").len() < found.len());

    let proved = ["held-good", "held-known"].map(|name| EventRow {
        due_at: Some(due()),
        reason: Some(Reason::AskedAgain),
        redrive: true,
        ..event(name, Outcome::Retrying)
    });
    assert_eq!(store.release(&proved, &deed("new secret")).await, Ok(2));
    assert_eq!(store.release(&proved, &deed("once more")).await, Ok(0), "they are held no longer");
    let taken = store.take_due(due()).await.expect("an answer").expect("a due row");
    assert_eq!((taken.row.key, &taken.row.body), (proved[0].key, &proved[0].body));
    commit(store, &[], &[&event("held-good", Outcome::Applied)]).await;
    assert_eq!(store.take_due(due()).await.expect("an answer"), None, "what was an event stays as it was");
    let history = store.history(&proved[0].key.to_string()).await.expect("an answer");
    assert_eq!((history[0].action.as_str(), history[0].was.as_deref()), ("unverified retry", Some("held")));

    let bad = [held[2].key.to_string()];
    assert_eq!(store.discard_held(&bad, &deed("a stranger's")).await, Ok(1));
    assert!(ours().await.is_empty());
    assert_eq!(store.history(&bad[0]).await.expect("an answer").len(), 1);
}
