//! Which run an invented key belongs to.

use std::fmt;

/// How every invented key begins.
pub(crate) const PREFIX: &str = "sim_";

/// The three numbers that decide every byte of a run. Each of its keys begins with them, so that two runs never share
/// one, and a key alone is enough to invent its run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Run {
    pub(crate) seed: u64,
    pub(crate) events: u64,
    pub(crate) students: u64,
}

impl Run {
    /// Most events and pupils of one run: inventing it again takes seconds and fits in memory.
    pub(crate) const MOST: u64 = 10_000_000;

    /// The id of its `n`th event.
    pub(crate) fn event_id(self, n: u64) -> String {
        format!("{self}_{n}")
    }

    /// The run that an event id names, and the event's number in it. `None` for an id that no run gives.
    pub(crate) fn of_event_id(id: &str) -> Option<(Self, u64)> {
        let mut numbers = id.strip_prefix(PREFIX)?.split('_').map(|number| number.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        let (run, n) = (Self { seed: next()?, events: next()?, students: next()? }, next()?);
        let possible = run.events <= Self::MOST && (1..=Self::MOST).contains(&run.students) && n < run.events;
        // Not `sim_01_5_5_0`, nor with anything behind it.
        (possible && run.event_id(n) == id).then_some((run, n))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_{}_{}", self.seed, self.events, self.students)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_names_its_run_and_nothing_else_does() {
        let run = Run { seed: 7, events: 20, students: 3 };
        assert_eq!(Run::of_event_id(&run.event_id(19)), Some((run, 19)));
        for id in [
            "sim_7_20_3_20",
            "sim_7_20_0_1",
            "sim_07_20_3_1",
            "sim_7_20_3_1_1",
            "sim_7_20_3",
            "sim_7_20_3_",
            "sim_+7_20_3_1",
            "sim_7_99999999999_3_1",
            "sim_",
            "7_20_3_1",
        ] {
            assert_eq!(Run::of_event_id(id), None, "{id}");
        }
    }
}
