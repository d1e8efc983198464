//! What a tolerant reader makes of a member: its value, its absence, or a problem to be recorded.

use std::fmt;

use serde::{Serialize, Serializer};

/// What was wrong with a member that did not stop its event. Recorded as a warning, by its stable word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Problem {
    /// It is expected in every such event and is not there.
    Missing,
    /// It is of another JSON type, or is a text that does not say what it should.
    WrongType,
    /// It is longer than we keep.
    TooLong,
    /// It holds half of a surrogate pair, which is no character.
    LoneSurrogate,
    /// It held U+0000, which was removed.
    NulRemoved,
    /// It holds U+0000, which is not removed from a key: two keys must not become one.
    HoldsNul,
    /// It is nested deeper than we read.
    TooDeep,
    /// It is a number or a date beyond what we store.
    OutOfRange,
    /// It is a date and time that does not say in which zone; the text was kept.
    NoOffset,
    /// It names a version of the contract that we do not know.
    UnknownVersion,
    /// There were more problems than are listed.
    MoreProblems,
}

impl Problem {
    /// All problems.
    pub const ALL: [Self; 11] = [
        Self::Missing,
        Self::WrongType,
        Self::TooLong,
        Self::LoneSurrogate,
        Self::NulRemoved,
        Self::HoldsNul,
        Self::TooDeep,
        Self::OutOfRange,
        Self::NoOffset,
        Self::UnknownVersion,
        Self::MoreProblems,
    ];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::WrongType => "wrong_type",
            Self::TooLong => "too_long",
            Self::LoneSurrogate => "lone_surrogate",
            Self::NulRemoved => "nul_removed",
            Self::HoldsNul => "holds_nul",
            Self::TooDeep => "too_deep",
            Self::OutOfRange => "out_of_range",
            Self::NoOffset => "no_offset",
            Self::UnknownVersion => "unknown_version",
            Self::MoreProblems => "more_problems",
        }
    }

    /// What a person reads; the path of the field concerned stands beside it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Missing => "is missing",
            Self::WrongType => "is not of the expected type and was left out",
            Self::TooLong => "is too long and was left out",
            Self::LoneSurrogate => "holds a broken character and was left out",
            Self::NulRemoved => "held a NUL character, which was removed",
            Self::HoldsNul => "holds a NUL character and was left out",
            Self::TooDeep => "is nested too deep and was left out",
            Self::OutOfRange => "is beyond the values that can be stored",
            Self::NoOffset => "gives a time without a zone; kept as text only",
            Self::UnknownVersion => "names a version that is not known here",
            Self::MoreProblems => "has more problems than are listed",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What a reader made of one member that may be absent and never stops its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading<T> {
    /// Not there, or null, `""`, `[]` or `{}`, which the sender uses alike (C§7 row 12).
    Absent,
    /// There, but of no use: counts as absent, and is worth a warning.
    Unreadable(Problem),
    /// As expected.
    Clean(T),
    /// Of use, and worth a warning.
    Mended(T, Problem),
}

impl<T> Reading<T> {
    /// The value, where there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Clean(value) | Self::Mended(value, _) => Some(value),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }

    /// The value and the problem apart.
    pub fn split(self) -> (Option<T>, Option<Problem>) {
        match self {
            Self::Absent => (None, None),
            Self::Unreadable(problem) => (None, Some(problem)),
            Self::Clean(value) => (Some(value), None),
            Self::Mended(value, problem) => (Some(value), Some(problem)),
        }
    }

    /// Reads the value further; a problem that was already found stays the one that is told.
    pub fn and_then<U>(self, read: impl FnOnce(T) -> Reading<U>) -> Reading<U> {
        match self {
            Self::Absent => Reading::Absent,
            Self::Unreadable(problem) => Reading::Unreadable(problem),
            Self::Clean(value) => read(value),
            Self::Mended(value, problem) => match read(value) {
                Reading::Clean(value) | Reading::Mended(value, _) => Reading::Mended(value, problem),
                other => other,
            },
        }
    }
}

impl<T> From<Result<T, Problem>> for Reading<T> {
    fn from(result: Result<T, Problem>) -> Self {
        match result {
            Ok(value) => Self::Clean(value),
            Err(problem) => Self::Unreadable(problem),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_problems_share_a_word() {
        let words: std::collections::BTreeSet<_> = Problem::ALL.iter().map(|p| p.as_str()).collect();
        assert_eq!(words.len(), Problem::ALL.len());
    }
}
