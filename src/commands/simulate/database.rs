//! The ERP database that a simulation ends in.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;
use jodo_worker::store::inspect::{Inspect, OutcomeCounts};

use crate::targets;

/// A row of a view as it was found: column to text.
pub(super) type FoundRow = BTreeMap<String, Option<String>>;

/// The ERP database that a simulation ends in.
pub(super) struct Database {
    pub(super) name: TargetName,
    store: Arc<dyn Inspect>,
}

/// Events of one ending that is not final.
pub(super) struct Unsettled {
    pub(super) outcome: String,
    pub(super) reason: Option<String>,
    pub(super) events: i64,
}

impl Database {
    /// Opens a target's database.
    ///
    /// # Errors
    /// When it is not configured.
    pub(super) fn open(config: &Config, target: &TargetName) -> anyhow::Result<Self> {
        let (name, erp) = targets::one(config, Some(target))?;
        Ok(Self { name: name.clone(), store: targets::open(name, erp)? })
    }

    /// The id of every event there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn event_ids(&self) -> anyhow::Result<Vec<Option<String>>> {
        self.store.event_ids().await.with_context(|| format!("erp.{}", self.name))
    }

    /// Every row of a view.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn rows(&self, view: &'static str) -> anyhow::Result<Vec<FoundRow>> {
        self.store.view(view).await.with_context(|| format!("erp.{}", self.name))
    }

    /// Events that are not settled.
    ///
    /// # Errors
    /// When they cannot be counted.
    pub(super) async fn unsettled(&self) -> anyhow::Result<Vec<Unsettled>> {
        let summary = self.store.summary().await.with_context(|| format!("erp.{}", self.name))?;
        let unsettled = summary.unsettled.into_iter();
        let of =
            |one: OutcomeCounts| Unsettled { outcome: one.outcome, reason: one.reason, events: one.events };
        Ok(unsettled.map(of).collect())
    }
}
