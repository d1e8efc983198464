//! What operators do to single events.

use async_trait::async_trait;

use super::inspect::Inspect;

/// Writes for people. Each is one transaction, and leaves a line in `jodo_history` for each event that it touched.
#[async_trait]
pub trait Operate: Inspect {}
