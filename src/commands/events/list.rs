//! `jodo-sync events list`.

use std::io::Write;

use anyhow::Context as _;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, value_parser};
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;
use jodo_shared::outcome::Outcome;
use jodo_worker::store::inspect::EventFilter;
use jodo_worker::store::reads::ListedEvent;
use serde_json::{Value, json};

use super::{outcome_in_words, reason_in_words, zone_of};
use crate::wording::{count, plain, table, when_seconds, when_stored};
use crate::{Exit, targets};

/// Digits of a delivery key that tell it from every other: those that clocks bear.
const SHORT_KEY: usize = 16;

/// Arguments of `events list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only events that ended so; may be given several times.
    #[arg(long, value_parser = PossibleValuesParser::new(Outcome::ALL.map(Outcome::as_str)).try_map(|word| word.parse::<Outcome>()))]
    pub outcome: Vec<Outcome>,
    /// Only events of this kind, such as direct.payment.added.
    #[arg(long)]
    pub code: Option<String>,
    /// Only events that were found to name this pupil, by the ERP's number or Jodo's id.
    #[arg(long, value_name = "NUMBER")]
    pub student: Option<String>,
    /// Only this ERP database; all configured ones without it.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
    /// Most events to list.
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// As JSON, times in UTC.
    #[arg(long)]
    pub json: bool,
}

/// An event and the target it was found in.
type Found<'a> = (&'a TargetName, ListedEvent);

/// Lists the newest events that match, over all the databases asked for.
///
/// # Errors
/// Which ERP database could not be read, and why.
pub async fn run(args: &ListArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let filter = EventFilter {
        outcomes: args.outcome.clone(),
        code: args.code.clone(),
        student: args.student.clone(),
        limit: i64::from(args.limit),
    };
    let mut found: Vec<Found<'_>> = Vec::new();
    for (name, erp) in targets::some(config, args.target.as_ref())? {
        let events =
            targets::open(name, erp)?.events(&filter).await.with_context(|| format!("erp.{name}"))?;
        found.extend(events.into_iter().map(|event| (name, event)));
    }
    found.sort_by(|(_, one), (_, other)| other.received_at.cmp(&one.received_at));
    found.truncate(args.limit as usize);
    if args.json {
        writeln!(out, "{:#}", found.iter().map(in_json).collect::<Value>())?;
    } else {
        in_words(&found, config, out)?;
    }
    Ok(Exit::Well)
}

fn in_words(found: &[Found<'_>], config: &Config, out: &mut dyn Write) -> anyhow::Result<()> {
    if found.is_empty() {
        writeln!(out, "No event matches.")?;
        return Ok(());
    }
    let mut rows = table(["received", "happened", "kind", "outcome", "reason", "key"]);
    for (_, event) in found {
        let zone = zone_of(config, &event.source);
        rows.add_row([
            when_stored(&event.received_at, &zone),
            event.event_time.map(|time| when_seconds(time, &zone)).unwrap_or_default(),
            event.code.as_deref().map(plain).unwrap_or_default(),
            outcome_in_words(&event.outcome),
            reason_in_words(event.reason.as_deref(), event.detail.as_deref()).unwrap_or_default(),
            event.delivery_key.chars().take(SHORT_KEY).collect(),
        ]);
    }
    writeln!(out, "{rows}\n{}; `jodo-sync events show <key>` tells more.", shown(found.len()))?;
    Ok(())
}

fn shown(number: usize) -> String {
    // At most 10,000.
    count(i64::try_from(number).unwrap_or(i64::MAX), "event", "events")
}

fn in_json((target, event): &Found<'_>) -> Value {
    json!({
        "target": target,
        "delivery_key": event.delivery_key,
        "source": event.source,
        "event_id": event.event_id,
        "code": event.code,
        "event_time": event.event_time,
        "outcome": event.outcome,
        "reason": event.reason,
        "detail": event.detail,
        "received_at": event.received_at,
    })
}
