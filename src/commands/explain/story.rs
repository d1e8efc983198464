//! All that is told of one subject.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;
use jodo_shared::outcome::Outcome;
use jodo_worker::store::inspect::Inspect;
use jodo_worker::store::reads::StoredEvent;
use serde_json::{Value, json};

use super::record::Record;
use super::subject::{Subject, What};
use super::timeline::Timeline;
use super::views::Views;
use super::{anomalies, effects, headline, now};
use crate::commands::events::effect::{self, Effect};
use crate::commands::events::show::Known;
use crate::commands::events::{history, outcome_in_words, reason_in_words, zone_of};
use crate::wording::{count, when_seconds, when_stored};

/// Digits of a delivery key that tell it from every other: those that clocks bear.
const SHORT_KEY: usize = 16;

/// A subject with its events, the oldest first, and what the views show of it.
pub(super) struct Story<'a> {
    target: &'a TargetName,
    number: &'a str,
    subject: Subject,
    events: Vec<Known<'a>>,
    /// Whether there are older events than these.
    more: bool,
    views: Views,
}

impl<'a> Story<'a> {
    /// Reads all of it; at most `limit` events.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(super) async fn read(
        store: &dyn Inspect,
        target: &'a TargetName,
        number: &'a str,
        subject: Subject,
        limit: u32,
        config: &Config,
    ) -> anyhow::Result<Self> {
        let mut events = match &subject.what {
            What::Event(event) => vec![event.as_ref().clone()],
            _ => store.events_about(&subject.about(), i64::from(limit) + 1).await?,
        };
        let more = events.len() > limit as usize;
        if more {
            events.remove(0);
        }
        let views = Views::read(store, &subject, number, &events).await?;
        let mut known = Vec::new();
        for event in events {
            known.push(Known::of(store, target, event, config).await?);
        }
        Ok(Self { target, number, subject, events: known, more, views })
    }

    /// Its lines for a person, as they are before [`plain`](crate::wording::plain).
    pub(super) fn in_words(&self, config: &Config) -> Vec<String> {
        let zone =
            |event: Option<&StoredEvent>| event.map_or(TimeZone::UTC, |event| zone_of(config, &event.source));
        let first = zone(self.events.first().map(|known| &known.event));
        let mut lines = vec![
            headline::in_words(self.number, &self.subject, &self.views, &first),
            format!("ERP database {}, tenant {}; {}.", self.target, self.subject.tenant, self.how_many()),
        ];
        let timeline = Timeline::of(self.events.iter().filter_map(|known| known.effects.as_ref()).flatten());
        for known in &self.events {
            lines.push(String::new());
            lines.extend(event_in_words(known, &timeline, &zone(Some(&known.event))));
        }
        let shown = now::in_words(&self.subject, &self.views);
        section(&mut lines, "What the views show now:", shown);
        let odd = self.views.of(anomalies::VIEW).iter().map(anomalies::in_words).collect();
        section(&mut lines, "What a person should look at:", odd);
        lines
    }

    fn how_many(&self) -> String {
        let events = count(self.events.len() as i64, "event", "events");
        if self.more { format!("the newest {events}, older ones with a higher --limit") } else { events }
    }

    /// All of it for a program, times in UTC.
    pub(super) fn in_json(&self) -> Value {
        let mut views = self.views.0.clone();
        let anomalies = views.remove(anomalies::VIEW).unwrap_or_default();
        json!({
            "target": self.target,
            "subject": {
                "tenant": self.subject.tenant,
                "number": self.number,
                "kind": kind(&self.subject.what),
                "pupil_key": self.subject.pupil,
                "records": self.subject.records.iter().map(Record::subject).collect::<Vec<_>>(),
            },
            "events": self.events.iter().map(event_in_json).collect::<Vec<_>>(),
            "has_older_events": self.more,
            "views": views,
            "anomalies": anomalies,
        })
    }
}

fn kind(what: &What) -> &'static str {
    match what {
        What::Pupil => "pupil",
        What::Record(record) => record.entity.name,
        What::Payer => "payer",
        What::Transfer => "bank_transfer",
        What::Event(_) => "event",
    }
}

fn section(lines: &mut Vec<String>, title: &str, told: Vec<String>) {
    if !told.is_empty() {
        lines.extend([String::new(), title.to_owned()]);
        lines.extend(told.into_iter().map(|line| format!("  - {line}")));
    }
}

fn event_in_words(known: &Known<'_>, timeline: &Timeline<'_>, zone: &TimeZone) -> Vec<String> {
    let event = &known.event;
    let time =
        event.event_time.map_or_else(|| "at no known time".to_owned(), |time| when_seconds(time, zone));
    let code = event.code.as_deref().unwrap_or("event without a kind");
    let mut lines = vec![
        format!("{time}  {code}  {}", short_key(event)),
        format!(
            "  {} Outcome: {}.",
            headline::code_in_words(event.code.as_deref()),
            outcome_in_words(&event.outcome)
        ),
    ];
    lines.extend(held_back(event, zone).map(|line| format!("  {line}")));
    for line in &known.history {
        let (action, told) = history::in_words(line, zone);
        lines.push(format!("  jodo-sync {action}: {told}."));
    }
    match &known.effects {
        Some(effects) => {
            lines.extend(
                effects::in_words(effects, timeline, zone).into_iter().map(|line| format!("  - {line}")),
            );
        }
        None => lines.push(format!("  {}", effect::BODY_REMOVED)),
    }
    lines
}

/// Why an event is not applied, and what comes next.
fn held_back(event: &StoredEvent, zone: &TimeZone) -> impl Iterator<Item = String> {
    let reason = reason_in_words(event.reason.as_deref(), event.detail.as_deref());
    let next = match event.outcome.parse() {
        Ok(Outcome::Quarantined) => Some(format!(
            "It waits for a person; `jodo-sync events show {}` tells all that is known of it.",
            short_key(event)
        )),
        Ok(Outcome::Retrying) => {
            let at = event.due_at.as_deref().map(|at| format!(" at {}", when_stored(at, zone)));
            Some(format!("It is tried again by itself{}; nothing is to be done.", at.unwrap_or_default()))
        }
        _ => None,
    };
    reason.map(|reason| format!("Reason: {reason}.")).into_iter().chain(next)
}

fn short_key(event: &StoredEvent) -> String {
    event.delivery_key.chars().take(SHORT_KEY).collect()
}

/// As `events show` has it, with the values.
fn event_in_json(known: &Known<'_>) -> Value {
    let mut event = known.in_json(false);
    let happened = known.event.event_time.and_then(|time| Timestamp::from_second(time).ok());
    event["happened"] = happened.map(|time| time.to_string()).into();
    event["sentence"] = headline::code_in_words(known.event.code.as_deref()).into();
    let effects = known.effects.as_ref();
    event["effects"] = effects.map(|all| all.iter().map(effect_in_json).collect::<Vec<_>>()).into();
    event
}

/// As `events show` has it, with what was written to each column, and whether the row says the same now.
fn effect_in_json(effect: &Effect) -> Value {
    let values = effect.values.iter().map(|value| {
        let written = &value.written;
        let columns = written.register.map(|register| {
            let names = register.columns.iter().map(|column| column.name.to_owned());
            names.zip(written.columns.iter().map(|text| json!(text))).collect::<serde_json::Map<_, _>>()
        });
        let mut all = json!(value);
        all["written"] = columns.map_or(Value::Null, Value::Object);
        all["still_so"] = written.still_so.into();
        all
    });
    json!({ "table": effect.table, "key": effect.key, "values": values.collect::<Vec<_>>() })
}
