//! What operators do to a target as a whole.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use jodo_shared::clock::stored;
use jodo_shared::ids::{SourceName, TargetName};

use super::StoreError;
use super::operate::{Deed, Operate};
use crate::decide::SourceRules;

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

/// What [`Maintain::resume`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// The pause that was ordered, in force or over.
    pub pause: Option<OrderedPause>,
    /// Events that wait because a worker braked.
    pub braked: i64,
}

/// What has been kept long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired {
    /// Settled events with a body.
    pub bodies: i64,
    /// Held deliveries.
    pub held: i64,
}

/// Some of the bodies were removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// How many.
    pub removed: usize,
    /// When the last of them had come: where the next slice begins.
    pub reached: String,
}

/// How the rows of a table differ from those that the stored events make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDifference {
    /// Name of the table.
    pub table: String,
    /// Rows that no event makes.
    pub surplus: i64,
    /// Rows that are not there.
    pub missing: i64,
    /// Rows that hold something else.
    pub different: i64,
}

impl TableDifference {
    /// Whether there is any.
    pub fn is_some(&self) -> bool {
        (self.surplus, self.missing, self.different) != (0, 0, 0)
    }
}

/// What [`Maintain::rebuild`] found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Applied events.
    pub events: i64,
    /// Applied events without a body. Where there is one, nothing else was looked at.
    pub without_body: i64,
    /// Applied events that today's program and configuration would not apply: the word of the reason or outcome, and
    /// how many.
    pub not_applied: BTreeMap<&'static str, i64>,
    /// Every table.
    pub tables: Vec<TableDifference>,
    /// Whether the tables that differed hold now what the events make.
    pub replaced: bool,
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

    /// Takes a pause back, unless somebody else has replaced it. Lifts no brake.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn take_back(&self, target: &TargetName, pause: &OrderedPause) -> Result<(), StoreError>;

    /// What there is to resume. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn resumable(&self, target: &TargetName) -> Result<Resumed, StoreError>;

    /// Ends a pause, and lifts the brake of every worker that has braked until now. Returns what there was.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn resume(&self, target: &TargetName, by: &Deed) -> Result<Resumed, StoreError>;

    /// Counts bodies of settled events that came before `before`, and held deliveries whose time is over at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn expired(&self, before: Timestamp, now: Timestamp) -> Result<Expired, StoreError>;

    /// Removes at most `most` bodies of settled events that came before `before` and not before `from`, a stored instant
    /// or nothing, in one transaction. `None` when there was none left.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn remove_bodies(
        &self,
        from: &str,
        before: Timestamp,
        now: Timestamp,
        most: i64,
    ) -> Result<Option<Slice>, StoreError>;

    /// Deletes at most `most` held deliveries whose time is over at `now`, and returns how many it were.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn forget_held(&self, now: Timestamp, most: i64) -> Result<usize, StoreError>;

    /// Adds a line to `jodo_history` that concerns no single event.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn note_of_target(&self, by: &Deed, action: &'static str, what: &str) -> Result<(), StoreError>;

    /// Makes every projection anew from the applied events, in one transaction, and compares. With a by it also
    /// replaces the rows of the tables that differ, unless an applied event has lost its body or would not be applied
    /// today; nobody else writes meanwhile. Without one nobody is kept from anything.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was changed.
    async fn rebuild(
        &self,
        target: &TargetName,
        rules: &HashMap<SourceName, SourceRules>,
        by: Option<&Deed>,
    ) -> Result<Rebuilt, StoreError>;
}
