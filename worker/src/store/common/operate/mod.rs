//! What operators do to single events.

pub(super) mod bring;
pub(super) mod held;
pub(super) mod select;

use std::collections::HashSet;

use diesel_async::{AsyncConnection as _, RunQueryDsl};
use jodo_shared::clock::{now, stored};
use jodo_shared::outcome::{Outcome, Reason};
use serde_json::{Value, json};

use super::history::{self, Touched};
use super::write::BatchStatement;
use super::{Connection, ThisStore, dialect};
use crate::store::StoreError;
use crate::store::operate::{Deed, Pace};
use crate::store::reads::ListedEvent;

/// See [`Operate::retry`](crate::store::operate::Operate::retry).
pub(super) async fn retry(
    store: &ThisStore,
    events: &[ListedEvent],
    pace: &Pace,
    deed: &Deed,
) -> Result<usize, StoreError> {
    let at = stored(now());
    let row = |(place, event): (usize, &ListedEvent)| {
        json!({
            "key": event.delivery_key,
            "was": event.outcome,
            "next": Outcome::Retrying.as_str(),
            "why": Reason::AskedAgain.as_str(),
            "due": stored(pace.due(place)),
            "now": at,
        })
    };
    decide(store, "retry", events, events.iter().enumerate().map(row).collect(), deed).await
}

/// See [`Operate::discard`](crate::store::operate::Operate::discard).
pub(super) async fn discard(
    store: &ThisStore,
    events: &[ListedEvent],
    deed: &Deed,
) -> Result<usize, StoreError> {
    let at = stored(now());
    let row = |event: &ListedEvent| {
        json!({
            "key": event.delivery_key,
            "was": event.outcome,
            "next": Outcome::Discarded.as_str(),
            "why": Reason::ByHand.as_str(),
            "due": null,
            "now": at,
        })
    };
    decide(store, "discard", events, events.iter().map(row).collect(), deed).await
}

async fn decide(
    store: &ThisStore,
    action: &str,
    events: &[ListedEvent],
    rows: Value,
    deed: &Deed,
) -> Result<usize, StoreError> {
    let rows = rows.to_string();
    let deciding = async |connection: &mut Connection| {
        let statement = BatchStatement::projection(&dialect::statements().by_hand.decide, &rows);
        let written: Vec<String> = statement.load(connection).await?;
        let written: HashSet<_> = written.into_iter().collect();
        let touched = events.iter().filter(|event| written.contains(&event.delivery_key));
        let touched: Vec<_> =
            touched.map(|event| Touched { key: &event.delivery_key, was: Some(was(event)) }).collect();
        history::add(connection, action, &touched, deed).await?;
        Ok(touched.len())
    };
    store.run(false, async |connection| connection.transaction(deciding).await).await
}

/// See [`Operate::note`](crate::store::operate::Operate::note).
pub(super) async fn note(
    store: &ThisStore,
    action: &str,
    keys: &[String],
    was: &'static str,
    deed: &Deed,
) -> Result<(), StoreError> {
    let touched: Vec<_> = keys.iter().map(|key| Touched { key, was: Some(was.to_owned()) }).collect();
    store.run(false, async |connection| history::add(connection, action, &touched, deed).await).await
}

/// How an event stood: its words, apart by blanks.
fn was(event: &ListedEvent) -> String {
    let parts = [Some(event.outcome.as_str()), event.reason.as_deref(), event.detail.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
