//! The sender's contract: event codes, and readers that tolerate what its documentation leaves open.

mod codes;
mod peek;

pub use codes::{EventCode, InvalidCode, KnownCode, MAX_CODE_BYTES, UnknownCode, metric_label};
pub use peek::peek;
