//! Chance, from a seed.

use std::time::Duration;

/// Numbers that look random: splitmix64, whose steps are a fixed sequence from its seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or(0)
    }

    /// When a fault begins, as a share of what is sent.
    pub(crate) fn share(&mut self) -> f64 {
        0.1 + 0.4 * (self.below(1_000) as f64 / 1_000.0)
    }

    /// How long it lasts.
    pub(crate) fn lasting(&mut self) -> Duration {
        Duration::from_millis(500 + self.below(2_500) as u64)
    }
}
