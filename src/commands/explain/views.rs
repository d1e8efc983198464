//! What the views show of a subject now, and what of it a person should look at.

use std::collections::{BTreeMap, BTreeSet};

use jodo_worker::store::StoreError;
use jodo_worker::store::inspect::{AnyRow, Inspect};
use jodo_worker::store::reads::StoredEvent;

use super::anomalies;
use super::find::of_tenant;
use super::record::{Record, cell, entities, is_product_of, key_column, view_of};
use super::subject::{Subject, What};

/// Rows of views, by the view's name; all of one tenant.
#[derive(Debug, Default)]
pub(super) struct Views(pub(super) BTreeMap<String, Vec<AnyRow>>);

impl Views {
    /// Reads what concerns `subject`; `number` is what was asked for, `events` are those that are told.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn read(
        store: &dyn Inspect,
        subject: &Subject,
        number: &str,
        events: &[StoredEvent],
    ) -> Result<Self, StoreError> {
        let mut reader = Reader { store, tenant: &subject.tenant, views: Self::default() };
        for entity in entities() {
            let records = subject.records.iter().filter(|record| record.entity == entity);
            let keys: Vec<_> = records.map(|record| record.key.clone()).collect();
            reader.read(&view_of(entity), key_column(entity), &keys).await?;
        }
        let keys: Vec<_> = subject.records.iter().map(|record| record.key.clone()).collect();
        reader.read("jodo_receipts", "payment_id", &keys).await?;
        if matches!(subject.what, What::Transfer) {
            for view in ["jodo_bank_credits", "jodo_fee_lines"] {
                reader.read(view, "utr", &[number.to_owned()]).await?;
            }
        }
        let pupils = reader.views.pupil_keys(subject);
        reader.read("jodo_students", "pupil_key", &pupils).await?;
        if let Some(pupil) = &subject.pupil {
            reader.read("jodo_student_overview", "pupil_key", std::slice::from_ref(pupil)).await?;
        }
        reader.anomalies(subject, keys, events).await?;
        Ok(reader.views)
    }

    /// The rows read of one view.
    pub(super) fn of(&self, view: &str) -> &[AnyRow] {
        self.0.get(view).map(Vec::as_slice).unwrap_or_default()
    }

    /// The row of a record.
    pub(super) fn record(&self, record: &Record) -> Option<&AnyRow> {
        let rows = self.of(&view_of(record.entity));
        rows.iter().find(|row| cell(row, key_column(record.entity)) == Some(&record.key))
    }

    /// The row of a record in `jodo_receipts`, where it is income.
    pub(super) fn receipt(&self, record: &Record) -> Option<&AnyRow> {
        self.of("jodo_receipts").iter().find(|row| {
            cell(row, "payment_id") == Some(&record.key)
                && cell(row, "product").is_some_and(|product| is_product_of(product, record.entity))
        })
    }

    /// The pupil with this key, as `jodo_students` shows them.
    pub(super) fn student(&self, pupil_key: &str) -> Option<&AnyRow> {
        self.of("jodo_students").iter().find(|row| cell(row, "pupil_key") == Some(pupil_key))
    }

    fn pupil_keys(&self, subject: &Subject) -> Vec<String> {
        let rows = self.0.values().flatten().filter_map(|row| cell(row, "pupil_key"));
        let keys: BTreeSet<_> = rows.chain(subject.pupil.as_deref()).collect();
        keys.into_iter().map(str::to_owned).collect()
    }
}

/// Views being read.
struct Reader<'a> {
    store: &'a dyn Inspect,
    tenant: &'a str,
    views: Views,
}

impl Reader<'_> {
    async fn read(&mut self, view: &str, column: &'static str, values: &[String]) -> Result<(), StoreError> {
        let rows = of_tenant(self.tenant, self.store.rows_where(view, column, values).await?);
        if !rows.is_empty() {
            self.views.0.insert(view.to_owned(), rows);
        }
        Ok(())
    }

    /// The anomalies of the records, of the pupil's ids at Jodo, and of the events.
    async fn anomalies(
        &mut self,
        subject: &Subject,
        mut subjects: Vec<String>,
        events: &[StoredEvent],
    ) -> Result<(), StoreError> {
        subjects.extend(events.iter().filter_map(|event| event.event_id.clone()));
        if let Some(number) = subject.pupil.as_deref().and_then(|key| key.strip_prefix("erp:")) {
            let seen =
                self.store.rows_where("jodo_s_student_ids", "identifier", &[number.to_owned()]).await?;
            let seen = of_tenant(self.tenant, seen);
            subjects.extend(seen.iter().filter_map(|row| cell(row, "jodo_student_id")).map(str::to_owned));
        }
        subjects
            .extend(subject.pupil_keys.iter().filter_map(|key| key.strip_prefix("jodo:")).map(str::to_owned));
        self.read(anomalies::VIEW, "subject", &subjects).await?;
        if let Some(rows) = self.views.0.get_mut(anomalies::VIEW) {
            rows.retain(|row| anomalies::concerns(row, subject));
        }
        Ok(())
    }
}
