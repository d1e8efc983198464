//! Which simulated events have arrived.

use std::collections::BTreeMap;

use jodo_school::{PREFIX, Run, Scenario};

/// The events in a database, told apart by their ids.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arrivals {
    /// For each run, how many rows each of its events has.
    pub(super) runs: BTreeMap<Run, Vec<u32>>,
    /// Ids that look simulated and belong to no run.
    pub(super) strange: Vec<String>,
    /// Events that were not simulated.
    pub(super) real: u64,
}

/// How many events each run has, so that a school year is let happen once only.
pub(super) type Lengths = BTreeMap<Run, usize>;

fn length(run: Run) -> usize {
    match run.scenario {
        Scenario::Office { events } => events as usize,
        Scenario::SchoolYear => run.bodies().count(),
    }
}

impl Arrivals {
    /// Sorts ids; an event without one was not simulated.
    pub(super) fn of(ids: Vec<Option<String>>, lengths: &mut Lengths) -> Self {
        let mut arrivals = Self::default();
        for id in ids {
            let Some(id) = id.filter(|id| id.starts_with(PREFIX)) else {
                arrivals.real += 1;
                continue;
            };
            let place = Run::of_event_id(&id).and_then(|(run, n)| {
                let length = *lengths.entry(run).or_insert_with(|| length(run));
                let rows = arrivals.runs.entry(run).or_insert_with(|| vec![0; length]);
                rows.get_mut(usize::try_from(n).ok()?)
            });
            match place {
                Some(rows) => *rows += 1,
                None => arrivals.strange.push(id),
            }
        }
        arrivals
    }

    /// How many events the runs have in all.
    pub(super) fn expected(&self) -> u64 {
        self.runs.values().map(|rows| rows.len() as u64).sum()
    }

    /// How many of them are there.
    pub(super) fn arrived(&self) -> u64 {
        self.runs.values().flatten().filter(|rows| **rows > 0).count() as u64
    }

    /// Whether there are simulated events, and none is missing.
    pub(super) fn complete(&self) -> bool {
        !self.runs.is_empty() && self.arrived() == self.expected()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_apart_and_counted() {
        let ids = ["sim_1_3_1_0", "sim_1_3_1_2", "sim_1_3_1_2", "sim_2_1_1_0", "sim_1_3_1_3", "afbb1451"];
        let ids = ids.map(|id| Some(id.to_owned())).into_iter().chain([None]).collect();
        let of = |ids| Arrivals::of(ids, &mut Lengths::new());
        let arrivals = of(ids);
        let run = Run { seed: 1, students: 1, scenario: Scenario::Office { events: 3 } };
        assert_eq!(arrivals.runs[&run], [1, 0, 2]);
        assert_eq!((arrivals.expected(), arrivals.arrived(), arrivals.complete()), (4, 3, false));
        assert_eq!((arrivals.strange, arrivals.real), (vec!["sim_1_3_1_3".to_owned()], 2));
        assert!(of(vec![Some("sim_2_1_1_0".to_owned())]).complete());
        assert!(!of(Vec::new()).complete());
    }

    #[test]
    fn a_school_year_has_as_many_events_as_it_has_bodies() {
        let run = Run { seed: 4, students: 2, scenario: Scenario::SchoolYear };
        let all = run.bodies().count() as u64;
        let mut lengths = Lengths::new();
        let mut of =
            |count: u64| Arrivals::of((0..count).map(|n| Some(run.event_id(n))).collect(), &mut lengths);
        assert!(of(all).complete());
        assert!(!of(all - 1).complete());
        assert_eq!(of(all + 1).strange, [run.event_id(all)]);
    }
}
