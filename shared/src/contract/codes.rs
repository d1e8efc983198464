//! Event codes.

use std::fmt;
use std::sync::Arc;

/// An event code as received: any non-empty text of at most 200 bytes, known or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventCode(Arc<str>);

impl EventCode {
    /// The code as received.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// placeholder
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownCode {}
