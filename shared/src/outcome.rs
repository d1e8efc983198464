//! How an event can end: every ending has a name (promise 5 of docs/ARCHITECTURE.md).
//!
//! The word is the same in the column, the metric label and the log; the sentence is for people.

use std::fmt;
use std::str::FromStr;

/// Where an event stands. Stored in `jodo_events.outcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Its effect and its row are committed.
    Applied,
    /// Its code is switched off by configuration; the row keeps the bytes.
    Ignored,
    /// The row owns it and it is tried again when it is due.
    Retrying,
    /// It needs a person; the reason says why.
    Quarantined,
    /// A person threw it away, with a reason.
    Discarded,
}

impl Outcome {
    /// All outcomes, in the order in which they are listed to people.
    pub const ALL: [Self; 5] =
        [Self::Applied, Self::Ignored, Self::Retrying, Self::Quarantined, Self::Discarded];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Ignored => "ignored",
            Self::Retrying => "retrying",
            Self::Quarantined => "quarantined",
            Self::Discarded => "discarded",
        }
    }

    /// What a person reads.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Applied => "recorded",
            Self::Ignored => "switched off by configuration",
            Self::Retrying => "tries again by itself",
            Self::Quarantined => "needs a person",
            Self::Discarded => "thrown away by a person",
        }
    }

    /// Settled events are finished: a repeat of one is skipped and never changes its row.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Applied | Self::Ignored | Self::Discarded)
    }
}

/// Why an event is quarantined, retrying or discarded. Stored in `jodo_events.reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The body has no bytes.
    EmptyBody,
    /// The body is not UTF-8.
    NotUtf8,
    /// The body is not one JSON object.
    NotJson,
    /// `event` is absent, null, empty or no text.
    MissingEventCode,
    /// `event` is none of the codes this version knows.
    UnknownEventCode,
    /// `timestamp` is absent, null or empty.
    MissingTimestamp,
    /// `timestamp` is no whole number of seconds between the years 2000 and 2100.
    ImplausibleTimestamp,
    /// `payload` is absent or no object.
    MissingPayload,
    /// A natural key is absent.
    MissingKey,
    /// A natural key is longer than 191 bytes.
    KeyTooLong,
    /// A natural key is there but is no text or number, or holds a NUL or a lone surrogate.
    UnreadableKey,
    /// An amount is there but is no decimal with at most two places and 15 digits before the point.
    UnreadableAmount,
    /// The worker's configuration has no source of this name.
    UnknownSource,
    /// The database refuses this event alone, while it takes others.
    RefusedByDatabase,
    /// Five tries each ended with the death of the process.
    CrashesWorker,
    /// Its stored row has lost its bytes, or holds what no version of this program writes.
    UnreadableRow,
    /// A worker died holding it; it is tried apart from others (outcome `retrying`).
    CrashSuspect,
    /// The database took too long over it (outcome `retrying`).
    DatabaseTimeout,
    /// So many events failed that the deployment is suspected, not the events (outcome `retrying`).
    Brake,
    /// A person asked for another try, and it has not had its turn (outcome `retrying`).
    AskedAgain,
    /// A person brought it in by hand, and it has not had its turn (outcome `retrying`).
    Imported,
    /// A person threw it away (outcome `discarded`); why is in the history.
    ByHand,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 22] = [
        Self::EmptyBody,
        Self::NotUtf8,
        Self::NotJson,
        Self::MissingEventCode,
        Self::UnknownEventCode,
        Self::MissingTimestamp,
        Self::ImplausibleTimestamp,
        Self::MissingPayload,
        Self::MissingKey,
        Self::KeyTooLong,
        Self::UnreadableKey,
        Self::UnreadableAmount,
        Self::UnknownSource,
        Self::RefusedByDatabase,
        Self::CrashesWorker,
        Self::UnreadableRow,
        Self::CrashSuspect,
        Self::DatabaseTimeout,
        Self::Brake,
        Self::AskedAgain,
        Self::Imported,
        Self::ByHand,
    ];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmptyBody => "empty_body",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::MissingEventCode => "missing_event_code",
            Self::UnknownEventCode => "unknown_event_code",
            Self::MissingTimestamp => "missing_timestamp",
            Self::ImplausibleTimestamp => "implausible_timestamp",
            Self::MissingPayload => "missing_payload",
            Self::MissingKey => "missing_key",
            Self::KeyTooLong => "key_too_long",
            Self::UnreadableKey => "unreadable_key",
            Self::UnreadableAmount => "unreadable_amount",
            Self::UnknownSource => "unknown_source",
            Self::RefusedByDatabase => "refused_by_database",
            Self::CrashesWorker => "crashes_worker",
            Self::UnreadableRow => "unreadable_row",
            Self::CrashSuspect => "crash_suspect",
            Self::DatabaseTimeout => "database_timeout",
            Self::Brake => "brake",
            Self::AskedAgain => "asked_again",
            Self::Imported => "imported",
            Self::ByHand => "by_hand",
        }
    }

    /// What a person reads; the path of the field concerned stands beside it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::EmptyBody => "the delivery had no content",
            Self::NotUtf8 => "the delivery is not valid UTF-8 text",
            Self::NotJson => "the delivery is not a JSON object",
            Self::MissingEventCode => "it does not say what kind of event it is",
            Self::UnknownEventCode => "this version does not know this kind of event",
            Self::MissingTimestamp => "it does not say when it happened",
            Self::ImplausibleTimestamp => {
                "the time it gives is not in seconds between the years 2000 and 2100"
            }
            Self::MissingPayload => "it has no payload",
            Self::MissingKey => "the number that identifies the record is missing",
            Self::KeyTooLong => "the number that identifies the record is longer than 191 bytes",
            Self::UnreadableKey => "the number that identifies the record cannot be read",
            Self::UnreadableAmount => "an amount of money cannot be read exactly",
            Self::UnknownSource => "the worker's configuration does not name the source it came from",
            Self::RefusedByDatabase => "the ERP database refuses this event but takes others",
            Self::CrashesWorker => "each of five tries ended with the worker's death",
            Self::UnreadableRow => "its row in the inbox cannot be read any more",
            Self::CrashSuspect => "a worker died while it held this event; it is tried by itself",
            Self::DatabaseTimeout => "the ERP database took too long over it",
            Self::Brake => "too many events failed at once; the set-up is suspected, not the event",
            Self::AskedAgain => "a person asked for another try",
            Self::Imported => "a person brought it in by hand",
            Self::ByHand => "a person decided so; the history says why",
        }
    }
}

/// A stored word that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown word for an {0}")]
pub struct UnknownWord(&'static str);

macro_rules! words {
    ($name:ident, $what:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.into_iter().find(|one| one.as_str() == word).ok_or(UnknownWord($what))
            }
        }
    };
}

words!(Outcome, "outcome");
words!(Reason, "reason");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_and_none_repeats() {
        for outcome in Outcome::ALL {
            assert_eq!(outcome.as_str().parse(), Ok(outcome));
        }
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
    }

    #[test]
    fn only_applied_ignored_and_discarded_are_settled() {
        let settled: Vec<_> = Outcome::ALL.into_iter().filter(|o| o.is_settled()).collect();
        assert_eq!(settled, [Outcome::Applied, Outcome::Ignored, Outcome::Discarded]);
    }
}
