//! Step 7 of an event's journey: what a delivery means, as changes to rows. Pure and total: no I/O, no clock, and an
//! answer for every sequence of bytes.
//!
//! What can be wrong with an event ends in one of two ways. Without a readable envelope, natural key or amount it is
//! `quarantined`, and the member concerned is named; anything else is left out with a [`Warning`] and the event is
//! `applied`. [`meaning`] holds what the codes mean, as tables.

mod about;
mod event;
mod fields;
mod findings;
mod lists;
pub mod meaning;
mod rows;
mod student;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use jiff::tz::TimeZone;
use jodo_shared::config::Source;
use jodo_shared::contract::{Envelope, EventCode, KnownCode, Problem, Reading};
use jodo_shared::ids::EventId;
use jodo_shared::message::Message;
use jodo_shared::outcome::{Outcome, Reason};

pub use self::about::{About, subject};
use self::event::Event;
pub use self::findings::Warning;
use self::findings::{Findings, Refusal};
use self::meaning::meaning_of;
use self::student::Pupil;
use crate::table::Change;

/// What the configuration says about the events of one source.
#[derive(Debug, Clone)]
pub struct SourceRules {
    /// Time zone of the institute's calendar days.
    pub time_zone: TimeZone,
    /// Codes that are stored but not applied.
    pub ignore: HashSet<EventCode>,
}

impl From<&Source> for SourceRules {
    fn from(source: &Source) -> Self {
        Self { time_zone: source.time_zone.clone(), ignore: source.ignore.iter().cloned().collect() }
    }
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The sender's `event_id`, where it is usable text.
    pub event_id: Option<EventId>,
    /// The sender's `event`, where it is usable text.
    pub code: Option<EventCode>,
    /// When it happened, in Unix seconds, where that is plausible.
    pub time: Option<i64>,
    /// Hexadecimal SHA-256 of what the payload says, whatever its spelling; tells a reused `event_id` from a repeat.
    pub payload_digest: Option<String>,
    /// `Applied`, `Ignored` or `Quarantined`.
    pub outcome: Outcome,
    /// Why it is quarantined.
    pub reason: Option<Reason>,
    /// The member that is the reason, such as `payload.payment.amount`; never its value.
    pub detail: Option<String>,
    /// Whom and what it is about, as far as that can be read, applied or not.
    pub about: About,
    /// What was odd without being a reason.
    pub warnings: Vec<Warning>,
    /// Its effect; none unless it is applied.
    pub changes: Vec<Change>,
}

impl Decision {
    /// The warnings as a JSON list of `{"path":…,"problem":…}`, as stored; `None` when there are none.
    pub fn warnings_json(&self) -> Option<String> {
        let list = self.warnings.iter().map(|warning| {
            serde_json::json!({ "path": warning.path.as_str(), "problem": warning.problem.as_str() })
        });
        (!self.warnings.is_empty()).then(|| serde_json::Value::from_iter(list).to_string())
    }
}

/// Decides what a verified delivery means. `rules` are those of its source, `None` when the configuration has no
/// source of that name.
pub fn decide(message: &Message, rules: Option<&SourceRules>) -> Decision {
    let mut findings = Findings::default();
    let envelope = match Envelope::open(&message.body) {
        Ok(envelope) => envelope,
        Err(reason) => return unopened(reason),
    };
    let event_id = event_id(&envelope, &mut findings);
    let (outcome, refusal, changes) = match merge(message, rules, &envelope, &mut findings) {
        Ok(Some(changes)) => (Outcome::Applied, None, changes),
        Ok(None) => (Outcome::Ignored, None, Vec::new()),
        Err(refusal) => (Outcome::Quarantined, Some(refusal), Vec::new()),
    };
    let about = if refusal.is_some() { About::read(&envelope) } else { About::of(&changes) };
    let (reason, detail) = refusal.map(|refusal| (refusal.reason, refusal.path)).unzip();
    Decision {
        event_id,
        code: envelope.code().ok(),
        time: envelope.time().ok(),
        payload_digest: envelope.payload().digest(),
        outcome,
        reason,
        detail: detail.flatten(),
        about,
        warnings: findings.into_warnings(),
        changes,
    }
}

/// A body without an envelope.
fn unopened(reason: Reason) -> Decision {
    Decision {
        event_id: None,
        code: None,
        time: None,
        payload_digest: None,
        outcome: Outcome::Quarantined,
        reason: Some(reason),
        detail: None,
        about: About::default(),
        warnings: Vec::new(),
        changes: Vec::new(),
    }
}

/// The event's id; what is odd about the members that identify nothing is only worth a warning.
fn event_id(envelope: &Envelope<'_>, findings: &mut Findings) -> Option<EventId> {
    let reading = envelope.event_id();
    if reading == Reading::Absent {
        findings.warn("event_id", Problem::Missing);
    }
    if let Some(problem) = envelope.version_problem() {
        findings.warn("version", problem);
    }
    findings.take("event_id", reading)
}

/// The event's effect; `None` when its code is switched off. The order of the checks is the order in which a person
/// would ask: whose is it, what is it, when was it, what does it say.
fn merge(
    message: &Message,
    rules: Option<&SourceRules>,
    envelope: &Envelope<'_>,
    findings: &mut Findings,
) -> Result<Option<Vec<Change>>, Refusal> {
    let rules = rules.ok_or_else(|| Refusal::whole(Reason::UnknownSource))?;
    let code = envelope.code().map_err(|reason| Refusal::at("event", reason))?;
    // Before it is asked whether the code is known: who switches off a code that a later version brings means it.
    if rules.ignore.contains(&code) {
        return Ok(None);
    }
    let meaning = KnownCode::try_from(&code).ok().and_then(meaning_of);
    let meaning = meaning.ok_or_else(|| Refusal::at("event", Reason::UnknownEventCode))?;
    let time = envelope.time().map_err(|reason| Refusal::at("timestamp", reason))?;
    let payload = envelope.payload().object().value();
    let payload = payload.ok_or_else(|| Refusal::at("payload", Reason::MissingPayload))?;

    let (key, tenant, zone) = (&message.key, &message.tenant, &rules.time_zone);
    let event = Event { key, tenant, time, zone, payload };
    let pupil = match &meaning.student {
        Some(how) => Pupil::of(&event, how, findings)?,
        None => None,
    };
    let mut changes = Vec::new();
    for row in meaning.rows() {
        let pupil_key = pupil.as_ref().map(|pupil| pupil.key.as_str());
        changes.extend(rows::changes(&event, row, pupil_key, findings)?);
    }
    if let Some(pupil) = pupil {
        changes.extend(pupil.changes(&event, findings)?);
    }
    Ok(Some(changes))
}
