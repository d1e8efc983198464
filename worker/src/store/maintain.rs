//! What operators do to a target as a whole.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use jodo_shared::clock::stored;
use jodo_shared::ids::TargetName;

use super::StoreError;
use super::operate::Operate;

/// A pause that a person has ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedPause {
    /// Since when.
    pub paused_at: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Who ordered it.
    pub who: String,
    /// Why, in that person's words.
    pub reason: String,
}

impl fmt::Display for OrderedPause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "paused until {} by {}: {}", stored(self.until), self.who, self.reason)
    }
}

/// What people have ordered a target to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orders {
    /// To take nothing. It may be over already.
    pub pause: Option<OrderedPause>,
    /// To lift the brake that is on.
    pub lift_brake: bool,
}

/// Who does something, for `jodo_history`.
#[derive(Debug, Clone)]
pub struct Deed {
    /// The person.
    pub who: String,
    /// When.
    pub at: Timestamp,
}

/// What [`Maintain::resume`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// The pause that was ordered, in force or over.
    pub pause: Option<OrderedPause>,
    /// Events that wait because a worker braked.
    pub braked: i64,
}

/// Pauses, retention and rebuilding. Each leaves a line in `jodo_history`.
#[async_trait]
pub trait Maintain: Operate {
    /// Orders a pause, in place of one that may be there already, which is returned.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn pause(
        &self,
        target: &TargetName,
        pause: &OrderedPause,
    ) -> Result<Option<OrderedPause>, StoreError>;

    /// What there is to resume. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn resumable(&self, target: &TargetName) -> Result<Resumed, StoreError>;

    /// Ends a pause, and lifts the brake of every worker that has braked until now. Returns what there was.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn resume(&self, target: &TargetName, deed: &Deed) -> Result<Resumed, StoreError>;
}
