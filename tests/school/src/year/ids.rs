//! Invented keys. All of them tell their run.

use super::calendar::short_date;
use crate::run::Run;

/// Gives out keys, each once.
pub(super) struct Ids {
    run: Run,
    numbers: u64,
    texts: u64,
}

impl Ids {
    pub(super) fn new(run: Run) -> Self {
        Self { run, numbers: 0, texts: 0 }
    }

    /// An integer below 2^53, from a range that is this run's own as far as there are enough of them.
    pub(super) fn number(&mut self) -> u64 {
        let mixed = self.run.seed.wrapping_mul(1_000_003).wrapping_add(self.run.students);
        self.numbers += 1;
        (mixed % 9_000_000 + 1_000_000) * 100_000_000 + self.numbers - 1
    }

    /// A text: `sim_y7_500_flex_12`.
    pub(super) fn text(&mut self, kind: &str) -> String {
        self.texts += 1;
        format!("{}_{kind}_{}", self.run, self.texts - 1)
    }

    /// The UTR of the transfer in which much of a day's money reached the institute.
    pub(super) fn utr_of_day(&self, second: i64) -> String {
        format!("{}_UTR{}", self.run, short_date(second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Scenario;

    #[test]
    fn integers_follow_the_seed_and_the_number_of_pupils() {
        let mut ids = Ids::new(Run { seed: 7, students: 500, scenario: Scenario::SchoolYear });
        assert_eq!([ids.number(), ids.number()], [800_052_100_000_000, 800_052_100_000_001]);
        let mut ids = Ids::new(Run { seed: u64::MAX, students: 3, scenario: Scenario::SchoolYear });
        assert!((100_000_000_000_000..1 << 53).contains(&ids.number()));
    }
}
