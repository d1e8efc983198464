//! What has been handed out and is not settled, by consumer session. Only the writer has it.

use std::collections::{BTreeMap, HashMap};

use super::queues::{Handle, Place};
use crate::ids::TargetName;

/// All sessions, by epoch. A session begins with its first take and ends when it is given back.
#[derive(Default)]
pub(super) struct Sessions {
    by_epoch: HashMap<u64, Session>,
    last_tag: u64,
}

/// What one consumer holds.
pub(super) struct Session {
    pub(super) target: TargetName,
    /// By tag.
    pub(super) held: BTreeMap<u64, Handle>,
    /// Tags of messages that were handed out to nobody: the consumer had gone.
    pub(super) unseen: Vec<u64>,
}

impl Sessions {
    /// Notes that these are handed out, and returns their tags.
    pub(super) fn hold(
        &mut self,
        epoch: u64,
        target: &TargetName,
        handles: Vec<Handle>,
    ) -> Vec<(u64, Place)> {
        let session = self.by_epoch.entry(epoch).or_insert_with(|| Session {
            target: target.clone(),
            held: BTreeMap::new(),
            unseen: Vec::new(),
        });
        let mut tags = Vec::with_capacity(handles.len());
        for handle in handles {
            self.last_tag += 1;
            session.held.insert(self.last_tag, handle);
            tags.push((self.last_tag, handle.place));
        }
        tags
    }

    /// The places of those tags that the session holds.
    pub(super) fn places(&self, epoch: u64, tags: &[u64]) -> Vec<Place> {
        let Some(session) = self.by_epoch.get(&epoch) else { return Vec::new() };
        tags.iter().filter_map(|tag| Some(session.held.get(tag)?.place)).collect()
    }

    /// The places of what was taken for the session and never seen, `told` being what it says itself.
    pub(super) fn unseen(&self, epoch: u64, told: &[u64]) -> Vec<Place> {
        let own = self.by_epoch.get(&epoch).map_or(&[][..], |session| &session.unseen);
        [self.places(epoch, told), self.places(epoch, own)].concat()
    }

    /// The session no longer holds this.
    pub(super) fn release(&mut self, epoch: u64, tag: u64) -> Option<(TargetName, Handle)> {
        let session = self.by_epoch.get_mut(&epoch)?;
        let handle = session.held.remove(&tag)?;
        Some((session.target.clone(), handle))
    }

    /// The session's consumer did not get these.
    pub(super) fn not_seen(&mut self, epoch: u64, tags: impl IntoIterator<Item = u64>) {
        if let Some(session) = self.by_epoch.get_mut(&epoch) {
            session.unseen.extend(tags);
        }
    }

    /// Ends the session.
    pub(super) fn end(&mut self, epoch: u64) -> Option<Session> {
        self.by_epoch.remove(&epoch)
    }

    /// Forgets what is in this file.
    pub(super) fn forget(&mut self, file: u32) {
        for session in self.by_epoch.values_mut() {
            session.held.retain(|_, handle| handle.place.file != file);
        }
    }

    /// How many messages of each target are held.
    pub(super) fn held(&self) -> impl Iterator<Item = (&TargetName, usize, Option<i64>)> {
        self.by_epoch.values().map(|session| {
            let oldest = session.held.values().map(|handle| handle.received_at).min();
            (&session.target, session.held.len(), oldest)
        })
    }
}
