//! What people did to an event.

use jiff::tz::TimeZone;
use jodo_worker::store::inspect::HistoryLine;
use serde_json::{Value, json};

use super::{outcome_in_words, reason_in_words};
use crate::wording::{plain, when_stored};

/// Which command, and the rest of the sentence: when, by whom, why, and what the event was before.
pub(crate) fn in_words(line: &HistoryLine, zone: &TimeZone) -> (String, String) {
    let mut told = format!("{} by {}", when_stored(&line.at, zone), plain(&line.who));
    if let Some(reason) = &line.reason {
        told.push_str(&format!(": “{}”", plain(reason)));
    }
    if let Some(was) = &line.was {
        told.push_str(&format!("; it was {}", was_in_words(was)));
    }
    (plain(&line.action), told)
}

/// `quarantined – needs a person: an amount of money cannot be read exactly (payload.payment.amount)`.
fn was_in_words(was: &str) -> String {
    let mut words = was.splitn(3, ' ');
    let outcome = words.next().map(outcome_in_words).unwrap_or_default();
    match reason_in_words(words.next(), words.next()) {
        Some(reason) => format!("{outcome}: {reason}"),
        None => outcome,
    }
}

/// The same for a program.
pub(super) fn in_json(line: &HistoryLine) -> Value {
    json!({
        "at": line.at,
        "who": line.who,
        "action": line.action,
        "was": line.was,
        "reason": line.reason,
    })
}
