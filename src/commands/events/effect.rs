//! What an applied event wrote, and which of it is still the current state.
//!
//! Rows do not say which events made them, but `decide` is pure: run again on the stored bytes it names the same
//! registers with the same clocks, and a register's clock names the event whose value it holds.

use jiff::tz::TimeZone;
use jodo_shared::config::Source;
use jodo_shared::ids::TargetName;
use jodo_worker::decide::{SourceRules, decide};
use jodo_worker::store::StoreError;
use jodo_worker::store::inspect::AnyRow;
use jodo_worker::store::inspect::Inspect;
use jodo_worker::store::reads::StoredEvent;
use jodo_worker::table::{Change, Clock, Entity, Register, Set};
use serde::Serialize;

/// A clock's digits before the 16 of the delivery key: `001780377631.10.`, of a fixed width.
const BEFORE_KEY: usize = 16;
/// A clock's digits of the time, in Unix seconds.
const SECONDS: usize = 12;

/// Said of an event whose bytes retention has removed.
pub(crate) const BODY_REMOVED: &str = "What it wrote cannot be told: its body has been removed.";

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
        /// When that event happened, in Unix seconds; `None` where its value counts as older than any.
        #[serde(skip)]
        at: Option<i64>,
    },
    /// The row is not there, or older than this event: it was committed by a program that read less of it, or
    /// somebody removed it.
    Absent,
}

impl Standing {
    /// Replaced by the value with this clock.
    pub(crate) fn replaced_by(clock: &str) -> Self {
        Self::Replaced { by: clock.get(BEFORE_KEY..).unwrap_or(clock).to_owned(), at: seconds(clock) }
    }
}

/// One register or fact of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Value {
    /// Its name in the declarative table.
    pub(crate) name: &'static str,
    /// Whether it still counts.
    #[serde(flatten)]
    pub(crate) standing: Standing,
    /// The value itself.
    #[serde(skip)]
    pub(crate) written: Written,
}

/// What an event wrote of one register, or reported with a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// When it was reported.
    pub(crate) clock: Clock,
    /// The register; `None` of a fact.
    pub(crate) register: Option<&'static Register>,
    /// A value for each of its columns, the first always there; none of a fact.
    pub(crate) columns: Vec<Option<String>>,
    /// Whether the row says the same now, whichever event it has it from.
    pub(crate) still_so: bool,
    /// Whether it counts only while no other event says it, whatever their times.
    pub(crate) last_resort: bool,
}

/// What an event wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The row of an entity.
    Row(&'static Entity),
    /// The lines of a set.
    Lines(&'static Set),
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
    /// The same table in the declaration.
    #[serde(skip)]
    pub(crate) to: Place,
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
    let message = event.clone().into_due()?.row.message(target);
    let mut effects = Vec::new();
    for change in decide(&message, Some(&rules(source))).changes {
        effects.push(match change {
            Change::Write { entity, key, registers, facts } => {
                let row = store.entity_row(entity, &key).await?;
                let registers = registers.into_iter().map(|(register, clock, columns)| {
                    value(row.as_ref(), register.name, clock, Some(register), columns)
                });
                let facts = facts
                    .into_iter()
                    .map(|(fact, clock)| value(row.as_ref(), fact.name, clock, None, Vec::new()));
                let values = registers.chain(facts).collect();
                Effect { table: table_of(entity), key, values, to: Place::Row(entity) }
            }
            Change::Add { set, line } => Effect {
                table: format!("jodo_s_{}", set.name),
                key: line,
                values: Vec::new(),
                to: Place::Lines(set),
            },
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

/// One value as it was written, beside the row as it is now.
fn value(
    row: Option<&AnyRow>,
    name: &'static str,
    clock: Clock,
    register: Option<&'static Register>,
    columns: Vec<Option<String>>,
) -> Value {
    let standing = standing(row, name, &clock);
    let now = register.and_then(|register| row?.get(register.columns.first()?.name)?.as_ref());
    let still_so = standing != Standing::Absent && now == columns.first().and_then(Option::as_ref);
    let last_resort = seconds(clock.as_str()).is_none();
    Value { name, standing, written: Written { clock, register, columns, still_so, last_resort } }
}

fn standing(row: Option<&AnyRow>, name: &str, written: &Clock) -> Standing {
    let now = row.and_then(|row| row.get(&format!("{name}_clock"))?.as_deref()).unwrap_or_default();
    match now.cmp(written.as_str()) {
        std::cmp::Ordering::Equal => Standing::Current,
        std::cmp::Ordering::Less => Standing::Absent,
        std::cmp::Ordering::Greater => Standing::replaced_by(now),
    }
}

/// The time in a clock; `None` of one that is older than any event.
fn seconds(clock: &str) -> Option<i64> {
    clock.get(..SECONDS)?.parse().ok().filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use jodo_shared::ids::DeliveryKey;
    use jodo_worker::entities::MANUAL_PAYMENTS;

    use super::*;

    #[test]
    fn a_value_is_current_replaced_or_absent_by_the_clock_of_its_row() {
        let key = |body: &[u8]| DeliveryKey::of(&"jodo".parse().unwrap(), body);
        let [older, ours, newer] =
            [1, 2, 3].map(|seconds| Clock::new(seconds, 10, &key(seconds.to_string().as_bytes())));
        let in_row = |clock: &str| AnyRow::from([("mode_clock".to_owned(), Some(clock.to_owned()))]);
        let judge = |row: Option<AnyRow>| standing(row.as_ref(), "mode", &ours);
        assert_eq!(judge(Some(in_row(ours.as_str()))), Standing::Current);
        assert_eq!(
            judge(Some(in_row(newer.as_str()))),
            Standing::Replaced { by: key(b"3").short(), at: Some(3) }
        );
        for row in [None, Some(AnyRow::new()), Some(in_row("")), Some(in_row(older.as_str()))] {
            assert_eq!(judge(row), Standing::Absent);
        }
    }

    #[test]
    fn a_value_is_still_so_when_another_event_wrote_the_same() {
        let mode = MANUAL_PAYMENTS.registers.iter().find(|register| register.name == "mode");
        let [ours, newer] = [1, 2].map(|seconds| {
            Clock::new(seconds, 10, &DeliveryKey::of(&"jodo".parse().unwrap(), &[seconds as u8]))
        });
        for (now, still_so) in [("cash", true), ("cheque", false)] {
            let row = [("mode", now), ("mode_clock", newer.as_str())];
            let row: AnyRow =
                row.into_iter().map(|(column, value)| (column.to_owned(), Some(value.to_owned()))).collect();
            let value = value(Some(&row), "mode", ours, mode, vec![Some("cash".to_owned())]);
            assert_eq!((value.written.still_so, value.written.last_resort), (still_so, false));
        }
    }
}
