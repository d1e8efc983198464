//! What an applied event wrote, and which of it is still the current state.
//!
//! Rows do not say which events made them, but `decide` is pure: run again on the stored bytes it names the same
//! registers with the same clocks, and a register's clock names the event whose value it holds.

use bytes::Bytes;
use jiff::tz::TimeZone;
use jodo_shared::config::Source;
use jodo_shared::ids::TargetName;
use jodo_shared::message::{Message, Peeked};
use jodo_worker::decide::{SourceRules, decide};
use jodo_worker::store::StoreError;
use jodo_worker::store::inspect::AnyRow;
use jodo_worker::store::inspect::Inspect;
use jodo_worker::store::reads::StoredEvent;
use jodo_worker::table::{Change, Clock, Entity};
use serde::Serialize;

/// A clock's digits before the 16 of the delivery key: `001780377631.10.`, of a fixed width.
const BEFORE_KEY: usize = 16;

/// What became of one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Standing {
    /// The row holds this event's value.
    Current,
    /// The row holds the value of the event with this 16-digit key.
    Replaced {
        /// What `events show` takes.
        by: String,
    },
    /// The row is not there, or older than this event: it was committed by a program that read less of it, or
    /// somebody removed it.
    Absent,
}

/// One register or fact of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Value {
    /// Its name in the declarative table.
    pub(crate) name: &'static str,
    /// Whether it still counts.
    #[serde(flatten)]
    pub(crate) standing: Standing,
}

/// What an event did to one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Effect {
    /// Name of the table.
    pub(crate) table: String,
    /// Tenant, then the rest of the key; of a set, the whole line.
    pub(crate) key: Vec<String>,
    /// Registers and facts; none in a set, whose lines stay for ever.
    pub(crate) values: Vec<Value>,
}

/// What `event` wrote; `None` where its body is gone. `source` is its source as configured today.
///
/// # Errors
/// When the rows, or the event itself, cannot be read.
pub(crate) async fn of(
    store: &dyn Inspect,
    target: &TargetName,
    event: &StoredEvent,
    source: Option<&Source>,
) -> Result<Option<Vec<Effect>>, StoreError> {
    if event.body.is_none() {
        return Ok(None);
    }
    let message = message(target, event.clone())?;
    let mut effects = Vec::new();
    for change in decide(&message, Some(&rules(source))).changes {
        effects.push(match change {
            Change::Write { entity, key, registers, facts } => {
                let row = store.entity_row(entity, &key).await?;
                let registers = registers.iter().map(|(register, clock, _)| (register.name, clock));
                let clocks = registers.chain(facts.iter().map(|(fact, clock)| (fact.name, clock)));
                let values = clocks.map(|(name, clock)| standing(row.as_ref(), name, clock)).collect();
                Effect { table: table_of(entity), key, values }
            }
            Change::Add { set, line } => {
                Effect { table: format!("jodo_s_{}", set.name), key: line, values: Vec::new() }
            }
        });
    }
    Ok(Some(effects))
}

fn table_of(entity: &Entity) -> String {
    format!("jodo_r_{}", entity.name)
}

/// The rules under which it was applied, as far as they decide what is written: a code that has been switched off
/// since counts, and a time zone changes derived columns only.
fn rules(source: Option<&Source>) -> SourceRules {
    let rules = source.map(SourceRules::from);
    let time_zone = rules.map_or(TimeZone::UTC, |rules| rules.time_zone);
    SourceRules { time_zone, ignore: Default::default() }
}

fn message(target: &TargetName, event: StoredEvent) -> Result<Message, StoreError> {
    let row = event.into_due()?.row;
    Ok(Message {
        key: row.key,
        source: row.source,
        tenant: row.tenant,
        target: target.clone(),
        received_at: row.received_at,
        peeked: Peeked::default(),
        verified: true,
        redrive: row.redrive,
        trace: row.trace,
        body: Bytes::clone(&row.body),
    })
}

fn standing(row: Option<&AnyRow>, name: &'static str, written: &Clock) -> Value {
    let now = row.and_then(|row| row.get(&format!("{name}_clock"))?.as_deref()).unwrap_or_default();
    let standing = match now.cmp(written.as_str()) {
        std::cmp::Ordering::Equal => Standing::Current,
        std::cmp::Ordering::Less => Standing::Absent,
        std::cmp::Ordering::Greater => {
            Standing::Replaced { by: now.get(BEFORE_KEY..).unwrap_or(now).to_owned() }
        }
    };
    Value { name, standing }
}

#[cfg(test)]
mod tests {
    use jodo_shared::ids::DeliveryKey;

    use super::*;

    #[test]
    fn a_value_is_current_replaced_or_absent_by_the_clock_of_its_row() {
        let key = |body: &[u8]| DeliveryKey::of(&"jodo".parse().unwrap(), body);
        let [older, ours, newer] =
            [1, 2, 3].map(|seconds| Clock::new(seconds, 10, &key(seconds.to_string().as_bytes())));
        let in_row = |clock: &str| AnyRow::from([("mode_clock".to_owned(), Some(clock.to_owned()))]);
        let judge = |row: Option<AnyRow>| standing(row.as_ref(), "mode", &ours).standing;
        assert_eq!(judge(Some(in_row(ours.as_str()))), Standing::Current);
        assert_eq!(judge(Some(in_row(newer.as_str()))), Standing::Replaced { by: key(b"3").short() });
        for row in [None, Some(AnyRow::new()), Some(in_row("")), Some(in_row(older.as_str()))] {
            assert_eq!(judge(row), Standing::Absent);
        }
    }
}
