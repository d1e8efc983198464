//! Which simulated events have arrived.

use std::collections::BTreeMap;

use super::world::{PREFIX, Run};

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

impl Arrivals {
    /// Sorts ids; an event without one was not simulated.
    pub(super) fn of(ids: Vec<Option<String>>) -> Self {
        let mut arrivals = Self::default();
        for id in ids {
            let Some(id) = id.filter(|id| id.starts_with(PREFIX)) else {
                arrivals.real += 1;
                continue;
            };
            match Run::of_event_id(&id) {
                Some((run, n)) => {
                    let rows = arrivals.runs.entry(run).or_insert_with(|| vec![0; run.events as usize]);
                    rows[n as usize] += 1;
                }
                None => arrivals.strange.push(id),
            }
        }
        arrivals
    }

    /// How many events the runs have in all.
    pub(super) fn expected(&self) -> u64 {
        self.runs.keys().map(|run| run.events).sum()
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
        let arrivals = Arrivals::of(ids);
        let run = Run { seed: 1, events: 3, students: 1 };
        assert_eq!(arrivals.runs[&run], [1, 0, 2]);
        assert_eq!((arrivals.expected(), arrivals.arrived(), arrivals.complete()), (4, 3, false));
        assert_eq!((arrivals.strange, arrivals.real), (vec!["sim_1_3_1_3".to_owned()], 2));
        assert!(Arrivals::of(vec![Some("sim_2_1_1_0".to_owned())]).complete());
        assert!(!Arrivals::of(Vec::new()).complete());
    }
}
