//! `jodo-sync events show`.

use std::io::{self, Write};

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::tz::TimeZone;
use jodo_shared::config::{Config, Source};
use jodo_shared::ids::TargetName;
use jodo_shared::outcome::Outcome;
use jodo_worker::store::inspect::{HistoryLine, Inspect};
use jodo_worker::store::reads::StoredEvent;
use serde_json::{Value, json};

use super::effect::{self, BODY_REMOVED, Effect, Standing};
use super::history;
use super::{outcome_in_words, reason_in_words, zone_of};
use crate::json_text::lay_out;
use crate::wording::{count, plain, when_seconds, when_stored};
use crate::{Exit, targets};

/// Arguments of `events show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Delivery key, its first 8 digits or more, or the sender's event_id.
    pub id: String,
    /// Only this ERP database; all configured ones without it.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
    /// Also the body as received; it holds personal data.
    #[arg(long)]
    pub body: bool,
    /// Nothing but the body, byte for byte, such as for a file; the id must fit one event alone.
    #[arg(long, conflicts_with_all = ["body", "json"])]
    pub raw: bool,
    /// As JSON: a list, for an event_id may have been used more than once; times in UTC.
    #[arg(long)]
    pub json: bool,
}

/// Shows every event that the id fits.
///
/// # Errors
/// Which ERP database could not be read, and why.
pub async fn run(args: &ShowArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut found = Vec::new();
    for (name, erp) in targets::some(config, args.target.as_ref())? {
        let store = targets::open(name, erp)?;
        let known = async {
            let mut known = Vec::new();
            for event in store.event(&args.id).await? {
                known.push(Known::of(store.as_ref(), name, event, config).await?);
            }
            anyhow::Ok(known)
        };
        found.extend(known.await.with_context(|| format!("erp.{name}"))?);
    }
    if args.raw {
        out.write_all(only_body(&found)?)?;
    } else if args.json {
        writeln!(out, "{:#}", found.iter().map(|known| known.in_json(args.body)).collect::<Value>())?;
    } else if found.is_empty() {
        writeln!(out, "No event has this key, these first digits of a key (8 or more), or this event_id.")?;
    } else {
        if found.len() > 1 {
            writeln!(out, "{} fit:\n", count(found.len() as i64, "event", "events"))?;
        }
        for known in &found {
            known.in_words(config, args.body, out)?;
        }
    }
    Ok(if found.is_empty() { Exit::Wrong } else { Exit::Well })
}

/// The body of the one event that was found.
fn only_body<'k>(found: &'k [Known<'_>]) -> anyhow::Result<&'k [u8]> {
    let [known] = found else {
        bail!("{} fit: --raw wants one", count(found.len() as i64, "event", "events"));
    };
    known.event.body.as_deref().context("its body has been removed")
}

/// An event and what it did.
pub(crate) struct Known<'a> {
    target: &'a TargetName,
    /// The event.
    pub(crate) event: StoredEvent,
    /// What it wrote, if it is applied and that can be told.
    pub(crate) effects: Option<Vec<Effect>>,
    /// What people did to it.
    pub(crate) history: Vec<HistoryLine>,
}

impl<'a> Known<'a> {
    /// Looks up what the event did.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub(crate) async fn of(
        store: &dyn Inspect,
        target: &'a TargetName,
        event: StoredEvent,
        config: &Config,
    ) -> anyhow::Result<Self> {
        let source = config.sources.iter().find(|(name, _)| name.as_str() == event.source);
        let source: Option<&Source> = source.map(|(_, source)| source);
        let effects = match event.outcome.parse() {
            Ok(Outcome::Applied) => effect::of(store, target, &event, source).await?,
            _ => Some(Vec::new()),
        };
        let history = store.history(&event.delivery_key).await?;
        Ok(Self { target, event, effects, history })
    }

    /// Tells it to a person; `with_body` also what was received.
    pub(crate) fn in_words(&self, config: &Config, with_body: bool, out: &mut dyn Write) -> io::Result<()> {
        let event = &self.event;
        let zone = zone_of(config, &event.source);
        let text = |text: &Option<String>| text.as_deref().map(plain);
        let lines = [
            ("outcome", Some(outcome_in_words(&event.outcome))),
            ("reason", reason_in_words(event.reason.as_deref(), event.detail.as_deref())),
            ("tries again", event.due_at.as_ref().map(|at| when_stored(at, &zone))),
            ("tries so far", (event.attempts > 0).then(|| event.attempts.to_string())),
            ("kind", text(&event.code)),
            ("happened", event.event_time.map(|time| when_seconds(time, &zone))),
            ("received", Some(when_stored(&event.received_at, &zone))),
            ("last written", Some(when_stored(&event.recorded_at, &zone))),
            ("source", Some(format!("{} (tenant {}, target {})", event.source, event.tenant, self.target))),
            ("pupil", text(&event.pupil_key)),
            ("event_id", text(&event.event_id)),
            ("brought in by", text(&event.imported_by).map(|who| format!("{who}, by hand"))),
            ("sent round again", event.redrive.then(|| "yes, by an operator".to_owned())),
            ("trace", text(&event.trace)),
            ("warnings", event.warnings.as_deref().map(warnings_in_words)),
            ("body", Some(body_in_words(event, &zone))),
        ];
        writeln!(out, "Event {}", event.delivery_key)?;
        for (what, value) in lines.iter().filter_map(|(what, value)| Some((what, value.as_ref()?))) {
            writeln!(out, "  {what:<17} {value}")?;
        }
        for line in &self.history {
            let (action, told) = history::in_words(line, &zone);
            writeln!(out, "  {action:<17} {told}")?;
        }
        self.effects_in_words(out)?;
        if let (true, Some(body)) = (with_body, &event.body) {
            writeln!(out, "\n{}", lay_out(body))?;
        }
        writeln!(out)
    }

    /// What it wrote, and whether it still counts.
    fn effects_in_words(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(effects) = &self.effects else {
            return writeln!(out, "  {BODY_REMOVED}");
        };
        for effect in effects {
            let key: Vec<_> = effect.key.iter().map(|part| plain(part)).collect();
            if effect.values.is_empty() {
                writeln!(out, "  {} ({}): line kept", effect.table, key.join(", "))?;
                continue;
            }
            writeln!(out, "  {} ({})", effect.table, key.join(", "))?;
            for value in &effect.values {
                writeln!(out, "    {:<22} {}", value.name, standing_in_words(&value.standing))?;
            }
        }
        Ok(())
    }

    /// All of it for a program; `with_body` also what was received.
    pub(crate) fn in_json(&self, with_body: bool) -> Value {
        let event = &self.event;
        let mut all = json!({
            "target": self.target,
            "delivery_key": event.delivery_key,
            "source": event.source,
            "tenant": event.tenant,
            "event_id": event.event_id,
            "code": event.code,
            "event_time": event.event_time,
            "pupil_key": event.pupil_key,
            "payload_digest": event.payload_digest,
            "outcome": event.outcome,
            "reason": event.reason,
            "detail": event.detail,
            "warnings": warnings(event.warnings.as_deref()),
            "attempts": event.attempts,
            "due_at": event.due_at,
            "received_at": event.received_at,
            "recorded_at": event.recorded_at,
            "redrive": event.redrive,
            "trace": event.trace,
            "imported_by": event.imported_by,
            "body_removed_at": event.body_removed_at,
            "history": self.history.iter().map(history::in_json).collect::<Value>(),
            "body_bytes": event.body.as_ref().map(Vec::len),
            "effects": self.effects,
        });
        if let (true, Some(body)) = (with_body, &event.body) {
            match std::str::from_utf8(body) {
                Ok(text) => all["body"] = text.into(),
                Err(_) => all["body_hex"] = hex::encode(body).into(),
            }
        }
        all
    }
}

fn standing_in_words(standing: &Standing) -> String {
    match standing {
        Standing::Current => "current".to_owned(),
        Standing::Replaced { by, .. } => format!("replaced by {}", plain(by)),
        Standing::Absent => "not in the table".to_owned(),
    }
}

/// Its size, or since when it is gone.
fn body_in_words(event: &StoredEvent, zone: &TimeZone) -> String {
    match (&event.body, &event.body_removed_at) {
        (Some(body), _) => count(body.len() as i64, "byte", "bytes"),
        (None, Some(at)) => {
            format!("removed on {}, because it had been kept long enough", when_stored(at, zone))
        }
        (None, None) => "removed".to_owned(),
    }
}

/// The stored list; null where there is none, or another program wrote something else.
fn warnings(stored: Option<&str>) -> Value {
    stored.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// `event_id: missing; payload.payment.mode: wrong type`.
fn warnings_in_words(stored: &str) -> String {
    let list = warnings(Some(stored));
    let said: Vec<_> = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|warning| {
            let (path, problem) = (warning["path"].as_str()?, warning["problem"].as_str()?);
            Some(format!("{}: {}", plain(path), plain(&problem.replace('_', " "))))
        })
        .collect();
    if said.is_empty() { plain(stored) } else { said.join("; ") }
}
