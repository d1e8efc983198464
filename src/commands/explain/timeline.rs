//! Which event first said otherwise. A row knows only which event it has its value from, and every later event that
//! mentions a plan repeats the plan's status: the events told together know more.

use std::collections::HashMap;

use jodo_worker::table::Clock;

use crate::commands::events::effect::{Effect, Value};

/// A value of a row: table, key, register.
type Place<'a> = (&'a str, &'a [String], &'static str);

/// What the told events wrote to each register, and when.
#[derive(Debug, Default)]
pub(super) struct Timeline<'a>(HashMap<Place<'a>, Vec<(&'a Clock, &'a str)>>);

impl<'a> Timeline<'a> {
    /// The timeline of what these events did.
    pub(super) fn of(effects: impl Iterator<Item = &'a Effect>) -> Self {
        let mut timeline = Self::default();
        for effect in effects {
            for value in &effect.values {
                let Some(text) = text(value) else { continue };
                timeline.0.entry(place(effect, value)).or_default().push((&value.written.clock, text));
            }
        }
        for written in timeline.0.values_mut() {
            written.sort_unstable();
        }
        timeline
    }

    /// The clock of the next event that wrote something else there, if it is told.
    pub(super) fn ended(&self, effect: &Effect, value: &Value) -> Option<&'a Clock> {
        let ours = text(value)?;
        let written = self.0.get(&place(effect, value))?;
        let other = written.iter().find(|(clock, text)| **clock > value.written.clock && *text != ours);
        other.map(|(clock, _)| *clock)
    }
}

fn place<'a>(effect: &'a Effect, value: &Value) -> Place<'a> {
    (&effect.table, &effect.key, value.name)
}

/// The value of a register; a fact has none.
fn text(value: &Value) -> Option<&str> {
    value.written.columns.first()?.as_deref()
}

#[cfg(test)]
mod tests {
    use super::super::effects::tests::{effect, register};
    use super::*;

    #[test]
    fn the_first_event_that_said_otherwise_is_named_and_not_the_last_that_repeated_it() {
        let told: Vec<_> = [(1, "setup"), (3, "active"), (2, "setup"), (4, "active")]
            .map(|(at, status)| effect("88140", vec![register("status", at, status)]))
            .into();
        let timeline = Timeline::of(told.iter());
        let ended = |place: usize| timeline.ended(&told[place], &told[place].values[0]);
        assert_eq!(ended(0), Some(&told[1].values[0].written.clock));
        assert_eq!(ended(2), Some(&told[1].values[0].written.clock));
        assert_eq!(ended(1), None);
        let other = effect("88141", vec![register("status", 1, "setup")]);
        assert_eq!(timeline.ended(&other, &other.values[0]), None);
    }
}
