//! How much is measured.

use clap::ValueEnum;

/// How long a run may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Five minutes: enough to see whether something has changed.
    Quick,
    /// At most an hour: what docs/BENCHMARKS.md shows.
    Full,
}

/// Sizes of what is measured, in deliveries or rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Measurements of each figure, ours and its ceiling in turn.
    pub(crate) rounds: usize,
    /// Sent per round to an ingress.
    pub(crate) accept: usize,
    /// Waiting in the queue before a worker takes them; a multiple of a batch.
    pub(crate) drain: usize,
    /// Waiting for the long drain, if there is one.
    pub(crate) long_drain: Option<usize>,
    /// Rows that are there before, per measurement of growth.
    pub(crate) growth: &'static [usize],
    /// Waiting after a night without the ERP database.
    pub(crate) night: Option<usize>,
}

impl Mode {
    pub(crate) fn plan(self) -> Plan {
        match self {
            Self::Quick => Plan {
                rounds: 3,
                accept: 10_000,
                drain: 25_000,
                long_drain: None,
                growth: &[30_000, 500_000],
                night: None,
            },
            Self::Full => Plan {
                rounds: 5,
                accept: 60_000,
                drain: 100_000,
                long_drain: Some(1_000_000),
                growth: &[30_000, 1_000_000, 5_000_000],
                night: Some(500_000),
            },
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Full => "full",
        }
    }
}
