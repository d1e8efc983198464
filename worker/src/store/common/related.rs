//! What `explain` asks: whom and what a number means, which events concern it, and the rows about it.

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

use super::inspect::{Line, columns_of, pupil_keys_of};
use super::{Backend, ThisStore, dialect};
use crate::schema::jodo_events;
use crate::store::StoreError;
use crate::store::inspect::{AnyRow, Named, Topics};
use crate::store::reads::StoredEvent;

/// See [`Inspect::pupil_keys`](crate::store::inspect::Inspect::pupil_keys).
pub(super) async fn pupil_keys(store: &ThisStore, number: &str) -> Result<Vec<String>, StoreError> {
    store.run(false, async |connection| pupil_keys_of(connection, number).await).await
}

/// See [`Inspect::rows_where`](crate::store::inspect::Inspect::rows_where).
pub(super) async fn rows_where(
    store: &ThisStore,
    table: &str,
    column: &str,
    values: &[String],
) -> Result<Vec<AnyRow>, StoreError> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<_> = (1..=values.len()).map(|n| format!("${n}")).collect();
    store
        .run(false, async |connection| {
            let columns = columns_of(connection, table).await?;
            let head = dialect::lines(table, &columns);
            let sql = format!("{head} WHERE {column} IN ({})) r", places.join(", "));
            let mut query = diesel::sql_query(sql).into_boxed();
            for value in values {
                query = query.bind::<Text, _>(value);
            }
            let found: Vec<Line> = query.load(connection).await?;
            let mut rows = found.into_iter().map(Line::row).collect::<QueryResult<Vec<_>>>()?;
            rows.sort_unstable();
            Ok(rows)
        })
        .await
}

/// See [`Inspect::named`](crate::store::inspect::Inspect::named).
pub(super) async fn named(store: &ThisStore, about: &Topics) -> Result<Vec<Named>, StoreError> {
    let query = concerned(about).select(Named::as_select()).distinct();
    store.run(false, async |connection| query.load(connection).await).await
}

/// See [`Inspect::events_about`](crate::store::inspect::Inspect::events_about).
pub(super) async fn events_about(
    store: &ThisStore,
    about: &Topics,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    use jodo_events::{delivery_key, event_time};
    // One without a time first: where nulls go by themselves differs between the databases.
    let newest = (event_time.is_not_null(), event_time.desc(), delivery_key.desc());
    let query = concerned(about).select(StoredEvent::as_select()).order(newest).limit(limit);
    let mut events: Vec<StoredEvent> =
        store.run(false, async |connection| query.load(connection).await).await?;
    events.reverse();
    Ok(events)
}

/// The events that name one of these pupils, or are about one of these subjects.
fn concerned(about: &Topics) -> jodo_events::BoxedQuery<'static, Backend> {
    let mut query = jodo_events::table
        .filter(jodo_events::pupil_key.eq_any(about.pupil_keys.clone()))
        .or_filter(jodo_events::subject.eq_any(about.subjects.clone()))
        .into_boxed();
    if let Some(tenant) = &about.tenant {
        query = query.filter(jodo_events::tenant.eq(tenant.clone()));
    }
    query
}
