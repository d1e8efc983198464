//! Mistakes in a configuration: which key, and what kind. No type here can hold a value.

use std::cell::RefCell;
use std::fmt;
use std::io;

use crate::ids::IdError;

/// Everything that is wrong with a configuration, in the order of the keys; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// The mistakes.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used:")?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", key.escape_debug())]
pub struct ConfigError {
    /// The key, dotted as in TOML: `sources.jodo.path`. For the file itself, `JODO_SYNC_CONFIG`.
    pub key: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// The kind of a mistake. It says the rule that was broken; the offending value is nowhere in it, because a value
/// in the wrong place may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No such key.
    #[error("is not a known key")]
    Unknown,
    /// A value that this program cannot do without.
    #[error("is required{0}")]
    Missing(String),
    /// Another type than the key takes.
    #[error("must be {0}")]
    Type(&'static str),
    /// The right type, but it breaks a rule.
    #[error("{0}")]
    Rule(&'static str),
    /// A name that breaks the rule for names.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A number outside its range, both ends included.
    #[error("must be between {0} and {1}")]
    Range(u64, u64),
    /// It cannot stand together with another key.
    #[error("{0} {1}")]
    Clash(&'static str, String),
    /// A file that cannot be read.
    #[error("names a file that cannot be read ({0})")]
    File(io::ErrorKind),
    /// Bytes that are no text.
    #[error("must be UTF-8 text")]
    NotUtf8,
    /// A file that is no TOML; line and column from 1.
    #[error("is not valid TOML (line {line}, column {column})")]
    Toml {
        /// Line of the mistake.
        line: usize,
        /// Column of the mistake, in characters.
        column: usize,
    },
}

/// Collects mistakes while a configuration is read, so that a person sees all of them at once.
#[derive(Debug, Default)]
pub(super) struct Mistakes(RefCell<Vec<ConfigError>>);

impl Mistakes {
    pub(super) fn add(&self, key: impl Into<String>, problem: Problem) {
        self.0.borrow_mut().push(ConfigError { key: key.into(), problem });
    }

    /// Whether `key`, or a key inside it, is already known to be wrong.
    pub(super) fn mention(&self, key: &str) -> bool {
        let inside = |other: &str| {
            other.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.0.borrow().iter().any(|error| inside(&error.key))
    }

    /// `whole` when there were no mistakes and it could be made; else the mistakes.
    pub(super) fn into_result<T>(self, whole: Option<T>) -> Result<T, ConfigErrors> {
        let mut errors = self.0.into_inner();
        errors.sort_by_cached_key(ToString::to_string);
        errors.dedup();
        match whole {
            Some(whole) if errors.is_empty() => Ok(whole),
            _ => Err(ConfigErrors(errors)),
        }
    }
}
