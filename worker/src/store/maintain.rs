//! What operators do to a target as a whole.

use async_trait::async_trait;

use super::operate::Operate;

/// Pauses, retention and rebuilding. Each leaves a line in `jodo_history`.
#[async_trait]
pub trait Maintain: Operate {}
