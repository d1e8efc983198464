//! Which messages wait, by target: a few bytes for each, kept in memory. The rows themselves are on disk.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::broker::BatchLimits;
use crate::ids::TargetName;

/// Where a message is. Its order is that of acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) file: u32,
    pub(super) row: i64,
}

/// What is remembered of a waiting message; ordered by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Handle {
    pub(super) place: Place,
    /// Of its body.
    pub(super) bytes: u32,
    /// Milliseconds since 1970.
    pub(super) received_at: i64,
}

type ByTarget = HashMap<TargetName, BTreeSet<Handle>>;

/// The queues. Only the writer adds and takes; consumers look whether a batch is worth asking for.
///
/// In order of acceptance, so that what is given back is first in line again without being told to.
#[derive(Default)]
pub(super) struct Queues {
    by_target: Mutex<ByTarget>,
    added: Notify,
}

impl Queues {
    fn lock(&self) -> MutexGuard<'_, ByTarget> {
        self.by_target.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds messages, without waking consumers.
    pub(super) fn add(&self, target: &TargetName, handles: impl IntoIterator<Item = Handle>) {
        self.lock().entry(target.clone()).or_default().extend(handles);
    }

    /// Lets consumers look again.
    pub(super) fn wake(&self) {
        self.added.notify_waiters();
    }

    /// Takes out a batch within the limits, of at least one message if there is one.
    pub(super) fn pick(&self, target: &TargetName, limits: &BatchLimits) -> Vec<Handle> {
        let mut by_target = self.lock();
        let Some(queue) = by_target.get_mut(target) else { return Vec::new() };
        let mut picked = Vec::new();
        let mut bytes = 0;
        while let Some(next) = queue.first() {
            bytes += next.bytes as usize;
            if !picked.is_empty() && (picked.len() >= limits.messages || bytes > limits.bytes) {
                break;
            }
            picked.extend(queue.pop_first());
        }
        picked
    }

    /// Forgets what is in this file.
    pub(super) fn forget(&self, file: u32) {
        for queue in self.lock().values_mut() {
            queue.retain(|handle| handle.place.file != file);
        }
    }

    /// How many wait, and when the first of them was received, for each target that ever had one.
    pub(super) fn waiting(&self) -> Vec<(TargetName, usize, Option<i64>)> {
        let first = |queue: &BTreeSet<Handle>| queue.first().map(|handle| handle.received_at);
        self.lock().iter().map(|(target, queue)| (target.clone(), queue.len(), first(queue))).collect()
    }

    /// Waits until something waits for `target`.
    pub(super) async fn until_any(&self, target: &TargetName) {
        self.until(|by_target| by_target.get(target).is_some_and(|queue| !queue.is_empty())).await;
    }

    /// Waits until there is as much for `target` as fits in a batch.
    pub(super) async fn until_full(&self, target: &TargetName, limits: &BatchLimits) {
        let is_full = |queue: &BTreeSet<Handle>| {
            let bytes: usize = queue.iter().take(limits.messages).map(|handle| handle.bytes as usize).sum();
            queue.len() >= limits.messages || bytes >= limits.bytes
        };
        self.until(|by_target| by_target.get(target).is_some_and(is_full)).await;
    }

    async fn until(&self, look: impl Fn(&ByTarget) -> bool) {
        loop {
            let added = self.added.notified();
            tokio::pin!(added);
            added.as_mut().enable();
            if look(&self.lock()) {
                return;
            }
            added.await;
        }
    }
}
