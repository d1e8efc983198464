//! What the lives of all pupils share.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::diary::Diary;
use super::ids::Ids;
use crate::run::Run;

/// Chance, keys and the diary.
pub(super) struct School {
    pub(super) rng: Rng,
    pub(super) ids: Ids,
    pub(super) diary: Diary,
    bags: BTreeMap<&'static str, Vec<usize>>,
}

impl School {
    pub(super) fn new(run: Run) -> Self {
        Self {
            rng: Rng::with_seed(run.seed),
            ids: Ids::new(run),
            diary: Diary::default(),
            bags: BTreeMap::new(),
        }
    }

    /// True once in `n` times that something could happen, so that what is rare happens in a small school too.
    pub(super) fn every(&mut self, n: usize, what: &'static str) -> bool {
        self.draw(n, what) == 0
    }

    /// Each of several possibilities equally often.
    pub(super) fn next_of<T: Copy, const N: usize>(&mut self, possible: [T; N], what: &'static str) -> T {
        possible[self.draw(N, what)]
    }

    /// Draws one of `n` lots from a bag, which is filled again when it is empty.
    fn draw(&mut self, n: usize, what: &'static str) -> usize {
        let bag = self.bags.entry(what).or_default();
        if bag.is_empty() {
            bag.extend(0..n);
            self.rng.shuffle(bag);
        }
        bag.pop().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Scenario;

    #[test]
    fn what_happens_every_seventh_time_happens_once_in_seven() {
        let mut school = School::new(Run { seed: 1, students: 1, scenario: Scenario::SchoolYear });
        for _ in 0..20 {
            assert_eq!((0..7).filter(|_| school.every(7, "rain")).count(), 1);
        }
    }
}
