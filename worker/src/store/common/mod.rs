//! What both stores do in the same way, written once and compiled for each of them.
//!
//! diesel's query builder is checked against one backend at a time, so these files are a module of either store: the
//! parent says what [`Connection`] and [`Backend`] are and holds the few lines of SQL that differ.

mod due;
mod history;
mod inspect;
mod maintain;
mod operate;
mod probe;
mod related;
mod write;

use std::collections::HashSet;

use async_trait::async_trait;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use jiff::Timestamp;
use jodo_shared::ids::{DeliveryKey, SourceName, TargetName};
use jodo_shared::outcome::Reason;

use super::{Backend, Connection, dialect};
use crate::store::inspect::{
    Activity, AnyRow, EventFilter, HistoryLine, Inspect, Named, Summary, Topics, Unfinished,
};
use crate::store::maintain::Orders;
use crate::store::operate::{Deed, Operate, Pace, Place, Selected, Selection, Total};
use crate::store::reads::{ListedEvent, StoredEvent, StoredHeld};
use crate::store::sql_store::SqlStore;
use crate::store::{Due, EventRow, Store, StoreError, Write, Written};
use crate::table::Entity;

type ThisStore = SqlStore<AsyncDieselConnectionManager<Connection>>;

#[async_trait]
impl Store for ThisStore {
    async fn probe(&self) -> Result<(), StoreError> {
        probe::probe(self).await
    }

    async fn report_pause(&self, because: &str) -> Result<(), StoreError> {
        probe::report_pause(self, because).await
    }

    async fn settled(&self, keys: &[DeliveryKey]) -> Result<HashSet<DeliveryKey>, StoreError> {
        write::settled(self, keys).await
    }

    async fn write(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        write::write(self, write).await
    }

    async fn take_due(&self, now: Timestamp) -> Result<Option<Due>, StoreError> {
        due::take_due(self, now).await
    }

    async fn put_back(&self, key: DeliveryKey, due_at: Timestamp, reason: Reason) -> Result<(), StoreError> {
        due::put_back(self, key, due_at, reason).await
    }

    async fn return_to_retrying(&self, keys: &[DeliveryKey], since: Timestamp) -> Result<(), StoreError> {
        due::return_to_retrying(self, keys, since).await
    }

    async fn brake_holds(&self, since: Timestamp) -> Result<bool, StoreError> {
        due::brake_holds(self, since).await
    }

    async fn orders(
        &self,
        target: &TargetName,
        braked_since: Option<Timestamp>,
    ) -> Result<Orders, StoreError> {
        maintain::pauses::orders(self, target, braked_since).await
    }

    async fn dump(&self) -> Result<Vec<String>, StoreError> {
        inspect::dump(self).await
    }
}

#[async_trait]
impl Inspect for ThisStore {
    async fn check_schema(&self) -> Result<String, StoreError> {
        inspect::check_schema(self).await
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<ListedEvent>, StoreError> {
        inspect::events(self, filter).await
    }

    async fn event(&self, id: &str) -> Result<Vec<StoredEvent>, StoreError> {
        inspect::event(self, id).await
    }

    async fn entity_row(&self, entity: &Entity, key: &[String]) -> Result<Option<AnyRow>, StoreError> {
        inspect::entity_row(self, entity, key).await
    }

    async fn view(&self, view: &'static str) -> Result<Vec<AnyRow>, StoreError> {
        inspect::view(self, view).await
    }

    async fn pupil_keys(&self, number: &str) -> Result<Vec<String>, StoreError> {
        related::pupil_keys(self, number).await
    }

    async fn rows_where(
        &self,
        table: &str,
        column: &'static str,
        values: &[String],
    ) -> Result<Vec<AnyRow>, StoreError> {
        related::rows_where(self, table, column, values).await
    }

    async fn named(&self, about: &Topics) -> Result<Vec<Named>, StoreError> {
        related::named(self, about).await
    }

    async fn events_about(&self, about: &Topics, limit: i64) -> Result<Vec<StoredEvent>, StoreError> {
        related::events_about(self, about, limit).await
    }

    async fn event_ids(&self) -> Result<Vec<Option<String>>, StoreError> {
        inspect::event_ids(self).await
    }

    async fn known(&self, keys: &[DeliveryKey]) -> Result<HashSet<DeliveryKey>, StoreError> {
        inspect::known(self, keys).await
    }

    async fn history(&self, key: &str) -> Result<Vec<HistoryLine>, StoreError> {
        history::history(self, key).await
    }

    async fn activity(&self, source: &SourceName, since: Timestamp) -> Result<Activity, StoreError> {
        inspect::activity(self, source, since).await
    }

    async fn summary(&self) -> Result<Summary, StoreError> {
        inspect::summary(self).await
    }

    async fn unfinished(&self) -> Result<Unfinished, StoreError> {
        inspect::unfinished(self).await
    }

    async fn newest_of(&self, source: &SourceName, since: Timestamp) -> Result<Option<String>, StoreError> {
        inspect::newest_of(self, source, since).await
    }
}

#[async_trait]
impl Operate for ThisStore {
    async fn selected(
        &self,
        selection: &Selection,
        after: Option<&Place>,
        limit: i64,
    ) -> Result<Vec<Selected>, StoreError> {
        operate::select::selected(self, selection, after, limit).await
    }

    async fn totals(&self, selection: &Selection) -> Result<Vec<Total>, StoreError> {
        operate::select::totals(self, selection).await
    }

    async fn retry(&self, events: &[ListedEvent], pace: &Pace, deed: &Deed) -> Result<usize, StoreError> {
        operate::retry(self, events, pace, deed).await
    }

    async fn discard(&self, events: &[ListedEvent], deed: &Deed) -> Result<usize, StoreError> {
        operate::discard(self, events, deed).await
    }

    async fn import(&self, events: &[EventRow], deed: &Deed) -> Result<HashSet<DeliveryKey>, StoreError> {
        operate::bring::import(self, events, deed).await
    }

    async fn held(&self, after: Option<&str>, limit: i64) -> Result<Vec<StoredHeld>, StoreError> {
        operate::held::held(self, after, limit).await
    }

    async fn release(&self, events: &[EventRow], deed: &Deed) -> Result<usize, StoreError> {
        operate::held::release(self, events, deed).await
    }

    async fn discard_held(&self, keys: &[String], deed: &Deed) -> Result<usize, StoreError> {
        operate::held::discard(self, keys, deed).await
    }

    async fn note(
        &self,
        action: &str,
        keys: &[String],
        was: &'static str,
        deed: &Deed,
    ) -> Result<(), StoreError> {
        operate::note(self, action, keys, was, deed).await
    }
}
