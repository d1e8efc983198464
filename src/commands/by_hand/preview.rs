//! What a command would do, for `--dry-run`.

use std::collections::BTreeMap;
use std::io::Write;

use jodo_worker::store::reads::ListedEvent;

use super::select::Chosen;
use crate::commands::events::{outcome_in_words, reason_in_words};
use crate::wording::{count, grouped, plain, table, when_seconds, when_stored};

/// Events that are listed; the rest is only counted.
const LISTED: usize = 20;
/// Digits of a delivery key that tell it from every other.
const SHORT_KEY: usize = 16;

/// Says how many of the chosen events there are of which kind, and lists the oldest ones.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn print(chosen: &Chosen<'_>, would: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut kinds = BTreeMap::new();
    for selection in &chosen.selections {
        for total in chosen.store.totals(selection).await? {
            let kind = (total.outcome, total.reason, total.code);
            *kinds.entry(kind).or_insert(0) += total.events;
        }
    }
    let all: i64 = kinds.values().sum();
    writeln!(out, "{}: {} would be {would}.", chosen.target, count(all, "event", "events"))?;
    if all == 0 {
        return Ok(());
    }
    let mut rows = table(["outcome", "reason", "kind", "events"]);
    for ((outcome, reason, code), events) in &kinds {
        rows.add_row([
            outcome_in_words(outcome),
            reason_in_words(reason.as_deref(), None).unwrap_or_default(),
            code.as_deref().map(plain).unwrap_or_default(),
            grouped(*events),
        ]);
    }
    writeln!(out, "{rows}")?;
    if let Some(page) = chosen.pages().next().await? {
        let oldest: Vec<_> = page.into_iter().take(LISTED).map(|selected| selected.event).collect();
        list(chosen, &oldest, out)?;
        if all > oldest.len() as i64 {
            writeln!(out, "and {} more.", grouped(all - oldest.len() as i64))?;
        }
    }
    Ok(())
}

fn list(chosen: &Chosen<'_>, events: &[ListedEvent], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = table(["received", "happened", "kind", "key"]);
    for event in events {
        rows.add_row([
            when_stored(&event.received_at, &chosen.zone),
            event.event_time.map(|time| when_seconds(time, &chosen.zone)).unwrap_or_default(),
            event.code.as_deref().map(plain).unwrap_or_default(),
            short(&event.delivery_key).to_owned(),
        ]);
    }
    writeln!(out, "{rows}")?;
    Ok(())
}

/// Names keys under a heading; a long list is cut.
///
/// # Errors
/// When it cannot be printed.
pub(crate) fn name_keys(heading: &str, keys: &[String], out: &mut dyn Write) -> anyhow::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    writeln!(out, "{heading}:")?;
    for key in keys.iter().take(LISTED) {
        writeln!(out, "  {}", short(key))?;
    }
    if keys.len() > LISTED {
        writeln!(out, "  and {} more", grouped(keys.len() - LISTED))?;
    }
    Ok(())
}

/// As much of a key as people need.
pub(crate) fn short(key: &str) -> &str {
    key.get(..SHORT_KEY).unwrap_or(key)
}
