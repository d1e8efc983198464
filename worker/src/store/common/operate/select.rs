//! Which events an operator means.

use diesel::dsl::{count, count_star};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jodo_shared::clock::stored;
use jodo_shared::outcome::{Outcome, Reason};

use super::super::{Backend, ThisStore};
use crate::schema::jodo_events;
use crate::store::StoreError;
use crate::store::operate::{Place, Selected, Selection, Total};
use crate::store::reads::ListedEvent;

/// See [`Operate::selected`](crate::store::operate::Operate::selected).
pub(in super::super) async fn selected(
    store: &ThisStore,
    selection: &Selection,
    after: Option<&Place>,
    limit: i64,
) -> Result<Vec<Selected>, StoreError> {
    use jodo_events::{body, delivery_key, received_at};
    let mut query = meant(selection);
    if let Some((arrival, key)) = after.map(Place::parts) {
        // So that the index on the arrival gives the place: an OR of two would have all rows before it read again.
        query = query.filter(received_at.ge(arrival.clone()));
        query = query.filter(received_at.gt(arrival).or(delivery_key.gt(key)));
    }
    let query = query.order((received_at, delivery_key)).limit(limit);
    let query = query.select((ListedEvent::as_select(), body.is_not_null()));
    let rows: Vec<(ListedEvent, bool)> =
        store.run(false, async |connection| query.load(connection).await).await?;
    Ok(rows.into_iter().map(|(event, has_body)| Selected { event, has_body }).collect())
}

/// See [`Operate::totals`](crate::store::operate::Operate::totals).
pub(in super::super) async fn totals(
    store: &ThisStore,
    selection: &Selection,
) -> Result<Vec<Total>, StoreError> {
    use jodo_events::{body, code, delivery_key, outcome, reason};
    let query = jodo_events::table
        .filter(delivery_key.eq_any(meant(selection).select(delivery_key)))
        .group_by((outcome, reason, code))
        .select((outcome, reason, code, count_star(), count(body)))
        .order((outcome, reason, code));
    store.run(false, async |connection| query.load(connection).await).await
}

/// What meets all of the conditions.
fn meant(selection: &Selection) -> jodo_events::BoxedQuery<'static, Backend> {
    use jodo_events::{code, delivery_key, outcome, reason, received_at};
    let outcomes: Vec<_> = selection.outcomes.iter().copied().map(Outcome::as_str).collect();
    let mut query = jodo_events::table.filter(outcome.eq_any(outcomes)).into_boxed();
    if !selection.reasons.is_empty() {
        let reasons: Vec<_> = selection.reasons.iter().copied().map(Reason::as_str).collect();
        query = query.filter(reason.eq_any(reasons));
    }
    if let Some(only) = &selection.code {
        query = query.filter(code.eq(only.clone()));
    }
    if let Some(since) = selection.since {
        query = query.filter(received_at.ge(stored(since)));
    }
    if let Some(until) = selection.until {
        query = query.filter(received_at.lt(stored(until)));
    }
    if let Some(keys) = &selection.keys {
        query = query.filter(delivery_key.eq_any(keys.clone()));
    }
    query
}
