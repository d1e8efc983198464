//! The sender's contract: event codes, and readers that tolerate what its documentation leaves open.

mod codes;
mod peek;

pub use codes::{EventCode, KnownCode};
pub use peek::peek;
