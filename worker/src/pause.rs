//! Why a target takes nothing: a trouble of its own, a person's order, or both at once.

use std::fmt;

use jiff::Timestamp;

use crate::store::StoreError;
use crate::store::maintain::OrderedPause;

/// Why a target takes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pause {
    /// The first probe has not succeeded yet.
    Starting,
    /// A probe failed.
    Database(StoreError),
    /// The brake is on.
    Brake,
    /// A person has ordered it.
    Ordered(OrderedPause),
}

impl Pause {
    /// The stable word, also the metric's label.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Database(_) => "database",
            Self::Brake => "brake",
            Self::Ordered(_) => "ordered",
        }
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::Database(error) => write!(f, "{error}"),
            Self::Brake => f.write_str("too many events failed at once; the set-up is suspected"),
            Self::Ordered(pause) => write!(f, "{pause}"),
        }
    }
}

/// Both kinds of reason, which come and go by themselves: an order outlasts an outage, and an outage an order.
#[derive(Debug)]
pub(crate) struct State {
    /// What the target itself has met with. Never [`Pause::Ordered`].
    pub(crate) trouble: Option<Pause>,
    /// What a person has ordered.
    pub(crate) ordered: Option<OrderedPause>,
}

impl State {
    /// The reason to name: the order, for while it stands nothing that the target does by itself matters.
    pub(crate) fn pause(&self) -> Option<Pause> {
        self.ordered.clone().map(Pause::Ordered).or_else(|| self.trouble.clone())
    }
}

/// The order, if it is not over yet.
pub(crate) fn in_force(pause: Option<OrderedPause>, now: Timestamp) -> Option<OrderedPause> {
    pause.filter(|pause| now < pause.until)
}
