//! What is noticed while an event is read: warnings, which let it pass, and the one refusal that stops it.

use std::fmt::Display;

use jodo_shared::contract::{Problem, Reading};
use jodo_shared::outcome::Reason;
use serde::Serialize;

/// Most warnings that are kept of one event. A body can hold a hundred thousand odd members; people read the first.
const MAX_WARNINGS: usize = 50;

/// Something about an applied event that a person may want to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Which member, such as `payload.payment.details[2].fee_component`; never its value.
    pub path: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Why an event needs a person, and which member says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) path: Option<String>,
}

impl Refusal {
    pub(super) fn whole(reason: Reason) -> Self {
        Self { reason, path: None }
    }

    pub(super) fn at(path: impl Display, reason: Reason) -> Self {
        Self { reason, path: Some(path.to_string()) }
    }

    /// A natural key with this problem.
    pub(super) fn key(path: impl Display, problem: Problem) -> Self {
        let reason = if problem == Problem::TooLong { Reason::KeyTooLong } else { Reason::UnreadableKey };
        Self::at(path, reason)
    }
}

/// The warnings so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    warnings: Vec<Warning>,
}

impl Findings {
    /// Records a problem, once: two rows may be made of one member.
    pub(super) fn warn(&mut self, path: impl Display, problem: Problem) {
        let path = path.to_string();
        if self.warnings.iter().any(|warning| warning.path == path && warning.problem == problem) {
            return;
        }
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(Warning { path, problem });
        } else if self.warnings.len() == MAX_WARNINGS {
            self.warnings.push(Warning { path: "payload".to_owned(), problem: Problem::MoreProblems });
        }
    }

    /// Takes what could be read, and records what was wrong with it.
    pub(super) fn take<T>(&mut self, path: impl Display, reading: Reading<T>) -> Option<T> {
        let (value, problem) = reading.split();
        if let Some(problem) = problem {
            self.warn(path, problem);
        }
        value
    }

    pub(super) fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }
}
