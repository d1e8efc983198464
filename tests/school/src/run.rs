//! Which run an invented key belongs to.

use std::fmt;

use crate::office::World;
use crate::year::Year;

/// How every invented key begins.
pub const PREFIX: &str = "sim_";

/// What happens in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// So many events of the school's office: pupils who come and go, and manual payments.
    Office {
        /// How many.
        events: u64,
    },
    /// A whole school year, with events of every code.
    SchoolYear,
}

/// The numbers that decide every byte of a run. Each of its keys begins with them, so that two runs never share one,
/// and a key alone is enough to invent its run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// Decides everything left to chance.
    pub seed: u64,
    /// How many pupils the school has.
    pub students: u64,
    /// What happens.
    pub scenario: Scenario,
}

impl Run {
    /// Most events and pupils of one run: inventing it again takes seconds and fits in memory.
    pub const MOST: u64 = 10_000_000;
    /// Most pupils of a school year, for the same reason: each of them has about twenty events.
    pub const MOST_IN_A_YEAR: u64 = 50_000;

    /// The id of its `n`th event.
    pub fn event_id(self, n: u64) -> String {
        format!("{self}_{n}")
    }

    /// The run that an event id names, and the event's number in it. `None` for an id that no run gives; how many
    /// events a school year has, only its bodies tell.
    pub fn of_event_id(id: &str) -> Option<(Self, u64)> {
        let rest = id.strip_prefix(PREFIX)?;
        let (year, numbers) = match rest.strip_prefix('y') {
            Some(numbers) => (true, numbers),
            None => (false, rest),
        };
        let mut numbers = numbers.split('_').map(|number| number.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        let seed = next()?;
        let scenario = if year { Scenario::SchoolYear } else { Scenario::Office { events: next()? } };
        let (run, n) = (Self { seed, students: next()?, scenario }, next()?);
        // Not `sim_01_5_5_0`, nor with anything behind it.
        (run.is_possible() && n < run.most_events() && run.event_id(n) == id).then_some((run, n))
    }

    /// The bodies of its events in order of occurrence.
    pub fn bodies(self) -> Box<dyn Iterator<Item = String> + Send> {
        match self.scenario {
            Scenario::Office { events } => Box::new(World::new(self, events)),
            Scenario::SchoolYear => Box::new(Year::new(self).map(|event| event.body)),
        }
    }

    fn is_possible(self) -> bool {
        let most_students = match self.scenario {
            Scenario::Office { .. } => Self::MOST,
            Scenario::SchoolYear => Self::MOST_IN_A_YEAR,
        };
        self.most_events() <= Self::MOST && (1..=most_students).contains(&self.students)
    }

    fn most_events(self) -> u64 {
        match self.scenario {
            Scenario::Office { events } => events,
            Scenario::SchoolYear => Self::MOST,
        }
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, students, scenario } = self;
        match scenario {
            Scenario::Office { events } => write!(f, "{PREFIX}{seed}_{events}_{students}"),
            Scenario::SchoolYear => write!(f, "{PREFIX}y{seed}_{students}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_names_its_run_and_nothing_else_does() {
        let office = Run { seed: 7, students: 3, scenario: Scenario::Office { events: 20 } };
        let year = Run { seed: 7, students: 3, scenario: Scenario::SchoolYear };
        assert_eq!(Run::of_event_id("sim_7_20_3_19"), Some((office, 19)));
        assert_eq!(Run::of_event_id("sim_y7_3_19"), Some((year, 19)));
        for run in [office, year] {
            assert_eq!(Run::of_event_id(&run.event_id(19)), Some((run, 19)));
        }
        for id in [
            "sim_7_20_3_20",
            "sim_7_20_0_1",
            "sim_07_20_3_1",
            "sim_7_20_3_1_1",
            "sim_7_20_3",
            "sim_7_20_3_",
            "sim_+7_20_3_1",
            "sim_7_99999999999_3_1",
            "sim_y7_3",
            "sim_y7_0_1",
            "sim_y07_3_1",
            "sim_y7_3_1_1",
            "sim_y7_3_1_1_1",
            "sim_y7_50001_1",
            "sim_y7_3_10000000",
            "sim_yy7_3_1",
            "sim_y7_3_",
            "sim_y",
            "sim_",
            "7_20_3_1",
        ] {
            assert_eq!(Run::of_event_id(id), None, "{id}");
        }
    }

    #[test]
    fn either_scenario_gives_bodies_that_bear_its_ids() {
        for scenario in [Scenario::Office { events: 20 }, Scenario::SchoolYear] {
            let run = Run { seed: 7, students: 3, scenario };
            for (n, body) in run.bodies().enumerate() {
                assert!(body.contains(&format!("\"event_id\":\"{}\"", run.event_id(n as u64))));
            }
            assert!(run.bodies().count() >= 20);
        }
    }
}
