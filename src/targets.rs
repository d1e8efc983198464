//! Which ERP databases a command works on.

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use jodo_shared::config::{Config, Erp};
use jodo_shared::ids::TargetName;
use jodo_worker::store::maintain::Maintain;
use jodo_worker::store::postgres::PgStore;
use jodo_worker::store::{self, WorkerName};
use std::sync::Arc;

/// The named target, or all of them.
///
/// # Errors
/// When the name is not configured, or nothing is.
pub(crate) fn some<'a>(
    config: &'a Config,
    named: Option<&TargetName>,
) -> anyhow::Result<Vec<(&'a TargetName, &'a Erp)>> {
    if let Some(name) = named {
        let known = || listed(config);
        let found = config.erp.get_key_value(name);
        return found
            .map(|one| vec![one])
            .with_context(|| format!("erp.{name} is not configured; there is: {}", known()));
    }
    if config.erp.is_empty() {
        bail!("erp.main.url: no ERP database is configured");
    }
    Ok(config.erp.iter().collect())
}

/// The named target, or the only one.
///
/// # Errors
/// As [`some`]; also when there are several and none is named.
pub(crate) fn one<'a>(
    config: &'a Config,
    named: Option<&TargetName>,
) -> anyhow::Result<(&'a TargetName, &'a Erp)> {
    match some(config, named)?.as_slice() {
        [one] => Ok(*one),
        _ => bail!("name one ERP database with --target: {}", listed(config)),
    }
}

/// The time zone in which people of this target read times: that of its first source.
pub(crate) fn zone(config: &Config, target: &TargetName) -> TimeZone {
    let source = config.sources.values().find(|source| source.target == *target);
    source.map_or(TimeZone::UTC, |source| source.time_zone.clone())
}

fn listed(config: &Config) -> String {
    let names: Vec<_> = config.erp.keys().map(TargetName::as_str).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A store to read from; connects when first used.
///
/// # Errors
/// When the address cannot be used at all.
pub(crate) fn open(name: &TargetName, erp: &Erp) -> anyhow::Result<Arc<dyn Maintain>> {
    // A dump reads everything; a worker's patience is too short for that.
    store::open(&erp.url, 1, PgStore::STATEMENT_TIMEOUT * 30, WorkerName::of_this_process())
        .with_context(|| format!("erp.{name}.url"))
}
