//! Exit codes.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// What was asked was done, and all is well: 0.
    Well,
    /// It was not done, or something needs a person: 1.
    Wrong,
    /// It cannot be told whether all is well: 2. (Wrong command lines end with 2, too.)
    CannotTell,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Well => 0,
            Exit::Wrong => 1,
            Exit::CannotTell => 2,
        })
    }
}
