//! What people did to an event.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use jodo_worker::store::inspect::HistoryLine;
use serde_json::{Value, json};

use super::{outcome_in_words, reason_in_words};
use crate::wording::{plain, when_stored};

/// Tells it to a person, a line for each deed, in their order.
pub(super) fn in_words(history: &[HistoryLine], zone: &TimeZone, out: &mut dyn Write) -> io::Result<()> {
    for line in history {
        write!(out, "  {:<17} {} by {}", plain(&line.action), when_stored(&line.at, zone), plain(&line.who))?;
        if let Some(reason) = &line.reason {
            write!(out, ": “{}”", plain(reason))?;
        }
        if let Some(was) = &line.was {
            write!(out, "; it was {}", was_in_words(was))?;
        }
        writeln!(out)?;
    }
    Ok(())
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
