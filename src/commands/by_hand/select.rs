//! Which events a command is about.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use jiff::tz::TimeZone;
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;
use jodo_shared::outcome::{Outcome, Reason};
use jodo_worker::store::maintain::Maintain;
use jodo_worker::store::operate::{Place, ROWS_AT_ONCE, Selected, Selection};

use super::day::Day;
use crate::commands::events::outcome_in_words;
use crate::targets;
use crate::wording::plain;

/// Keys that are looked for at once.
const KEYS_AT_ONCE: usize = 500;

/// Which events. All conditions must be met.
#[derive(Debug, Args)]
pub struct SelectionArgs {
    /// What must be said beside outcome and target.
    #[command(flatten)]
    pub only: OnlyArgs,
    /// Only events that ended so; may be given several times [default: quarantined]
    #[arg(long, value_parser = PossibleValuesParser::new(Outcome::ALL.map(Outcome::as_str)).try_map(|word| word.parse::<Outcome>()))]
    pub outcome: Vec<Outcome>,
    /// Only this ERP database; all configured ones without it.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
}

/// What narrows a selection down; one of these must be given, so that nobody means all events by leaving out a word.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct OnlyArgs {
    /// Delivery keys, their first 8 digits or more, or the sender's event_ids.
    pub id: Vec<String>,
    /// Only events with this reason; may be given several times.
    #[arg(long, value_name = "REASON", value_parser = PossibleValuesParser::new(Reason::ALL.map(Reason::as_str)).try_map(|word| word.parse::<Reason>()))]
    pub because: Vec<Reason>,
    /// Only events of this kind, such as direct.payment.added.
    #[arg(long)]
    pub code: Option<String>,
    /// Only events received since: a date, or a time with its offset.
    #[arg(long, value_name = "WHEN")]
    pub since: Option<Day>,
    /// Only events received until: a date, that day included, or a time with its offset.
    #[arg(long, value_name = "WHEN")]
    pub until: Option<Day>,
    /// All events of the outcome.
    #[arg(long)]
    pub all: bool,
}

/// What was chosen in one database.
pub(crate) struct Chosen<'a> {
    pub(crate) target: &'a TargetName,
    pub(crate) store: Arc<dyn Maintain>,
    /// The zone of the target's first source: for dates, and for times that are shown.
    pub(crate) zone: TimeZone,
    /// Together the selection; no event is in two of them.
    pub(crate) selections: Vec<Selection>,
}

impl SelectionArgs {
    /// The outcomes asked for.
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        if self.outcome.is_empty() { vec![Outcome::Quarantined] } else { self.outcome.clone() }
    }

    /// Looks the ids up in every database asked for, and says which of them are left out and why. The second value is
    /// whether none is.
    ///
    /// # Errors
    /// Which ERP database could not be read, and why.
    pub(crate) async fn choose<'a>(
        &self,
        config: &'a Config,
        out: &mut dyn Write,
    ) -> anyhow::Result<(Vec<Chosen<'a>>, bool)> {
        let mut unknown: BTreeSet<&str> = self.only.id.iter().map(String::as_str).collect();
        let mut left_out = BTreeMap::new();
        let mut all = Vec::new();
        for (target, erp) in targets::some(config, self.target.as_ref())? {
            let store = targets::open(target, erp)?;
            let found = self.keys(store.as_ref(), &mut unknown, &mut left_out);
            let keys = found.await.with_context(|| format!("erp.{target}"))?;
            let mut sources = config.sources.values().filter(|source| source.target == *target);
            let zone = sources.next().map_or(TimeZone::UTC, |source| source.time_zone.clone());
            let selections = self.selections(&zone, keys);
            all.push(Chosen { target, store, zone, selections });
        }
        for id in &unknown {
            writeln!(
                out,
                "{}: no event has this key, these first digits (8 or more), or this event_id.",
                plain(id)
            )?;
        }
        for (key, outcome) in &left_out {
            writeln!(
                out,
                "{key}: left alone, for it is {}; `--outcome {}` would include it.",
                outcome_in_words(outcome),
                plain(outcome)
            )?;
        }
        Ok((all, unknown.is_empty() && left_out.is_empty()))
    }

    /// The delivery keys that the ids mean in this database; `None` when no id was given.
    async fn keys(
        &self,
        store: &dyn Maintain,
        unknown: &mut BTreeSet<&str>,
        left_out: &mut BTreeMap<String, String>,
    ) -> anyhow::Result<Option<BTreeSet<String>>> {
        store.check_schema().await?;
        if self.only.id.is_empty() {
            return Ok(None);
        }
        let outcomes = self.outcomes();
        let mut keys = BTreeSet::new();
        for id in &self.only.id {
            for event in store.event(id).await? {
                unknown.remove(id.as_str());
                if outcomes.iter().any(|outcome| outcome.as_str() == event.outcome) {
                    keys.insert(event.delivery_key);
                } else {
                    left_out.insert(event.delivery_key, event.outcome);
                }
            }
        }
        Ok(Some(keys))
    }

    fn selections(&self, zone: &TimeZone, keys: Option<BTreeSet<String>>) -> Vec<Selection> {
        let only = &self.only;
        let selection = Selection {
            outcomes: self.outcomes(),
            reasons: only.because.clone(),
            code: only.code.clone(),
            since: only.since.map(|day| day.begin(zone)),
            until: only.until.map(|day| day.end(zone)),
            keys: None,
        };
        let Some(keys) = keys else { return vec![selection] };
        let keys: Vec<_> = keys.into_iter().collect();
        let parts = keys.chunks(KEYS_AT_ONCE);
        parts.map(|keys| Selection { keys: Some(keys.to_vec()), ..selection.clone() }).collect()
    }
}

impl Chosen<'_> {
    /// The chosen events, page by page.
    pub(crate) fn pages(&self) -> Pages<'_> {
        Pages { store: self.store.as_ref(), left: self.selections.iter(), now: None }
    }
}

/// See [`Chosen::pages`]. What a page's events become does not move the next page.
pub(crate) struct Pages<'a> {
    store: &'a dyn Maintain,
    left: std::slice::Iter<'a, Selection>,
    now: Option<(&'a Selection, Option<Place>)>,
}

impl Pages<'_> {
    /// The next page, which is not empty; `None` at the end.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Vec<Selected>>> {
        loop {
            let Some((selection, after)) = self.now.take().or_else(|| Some((self.left.next()?, None))) else {
                return Ok(None);
            };
            let page = self.store.selected(selection, after.as_ref(), ROWS_AT_ONCE).await?;
            if let Some(last) = page.last() {
                self.now = Some((selection, Some(Place::of(&last.event))));
                return Ok(Some(page));
            }
        }
    }
}
