//! How much the spool may take.

use std::io;
use std::time::{Duration, Instant};

use super::super::error::SpoolError;
use super::super::folder::name;
use super::Chain;

/// How often folder and disk are measured while messages come. What comes in between is not bounded.
const MEASURE_EVERY: Duration = Duration::from_secs(1);

/// What was found when it was last measured.
#[derive(Default)]
pub(super) struct Room {
    measured: Option<Instant>,
    is_full: bool,
}

/// What the spool takes, and may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::broker::spool) struct Space {
    /// Size of everything in the folder.
    pub(in crate::broker::spool) bytes: u64,
    /// What more it may take, by its own bound and by the disk's reserve.
    pub(in crate::broker::spool) left: u64,
}

impl Chain {
    /// Refuses new messages while the spool has its full size, or the disk only its reserve. Files that are kept
    /// although all in them is settled give way first, the oldest before the others.
    pub(super) fn room(&mut self) -> Result<(), SpoolError> {
        if self.room.measured.is_none_or(|at| at.elapsed() >= MEASURE_EVERY) {
            while self.is_full() && self.give_way() {}
            self.room = Room { measured: Some(Instant::now()), is_full: self.is_full() };
        }
        if self.room.is_full { Err(SpoolError::Full) } else { Ok(()) }
    }

    /// A disk that cannot be measured is not called full: the write shows whether it takes anything.
    fn is_full(&self) -> bool {
        match self.space() {
            Ok(space) => space.left == 0,
            Err(error) => {
                tracing::warn!(%error, "the room for the spool cannot be measured");
                false
            }
        }
    }

    /// Measures folder and disk.
    pub(in crate::broker::spool) fn space(&self) -> io::Result<Space> {
        let bytes = self.folder.inventory()?.bytes;
        let free = self.folder.free()?.saturating_sub(self.settings.min_free);
        let own = self.settings.max_bytes.map_or(u64::MAX, |most| most.saturating_sub(bytes));
        Ok(Space { bytes, left: own.min(free) })
    }

    /// Deletes the oldest file that nothing waits in; false when there is none.
    fn give_way(&mut self) -> bool {
        let current = self.current.as_ref().map(|current| current.number);
        let settled =
            self.files.iter().find(|(number, link)| link.unsettled == 0 && Some(**number) != current);
        let Some((&number, _)) = settled else { return false };
        self.files.remove(&number);
        let deleted = self.folder.delete(number);
        match &deleted {
            Ok(()) => tracing::warn!(
                spool.file = name(number),
                "the spool is full: deleted a file of settled deliveries before its time; `recover` cannot bring \
                 them back any more"
            ),
            Err(error) => tracing::warn!(spool.file = name(number), %error, "cannot delete a spool file"),
        }
        deleted.is_ok()
    }
}
