//! What the writer and everybody else know of each other.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::message::Message;

/// Most body bytes on their way into the archive. Too high: memory, when the disk is slow. Too low: copies are missed.
const ARCHIVING_BYTES: usize = 32 << 20;

#[derive(Default)]
pub(super) struct State {
    /// Set while the disk refuses messages.
    pub(super) refusing: AtomicBool,
    /// Messages that wait or are handed out.
    pub(super) unsettled: AtomicUsize,
    /// Body bytes that nobody waits for and that are not on disk yet.
    archiving: AtomicUsize,
}

impl State {
    /// Whether there is room for one more on its way into the archive; then it counts.
    pub(super) fn begin_archiving(&self, message: &Message) -> bool {
        let bytes = message.body.len();
        let before = self.archiving.fetch_add(bytes, Ordering::Relaxed);
        let fits = before + bytes <= ARCHIVING_BYTES;
        if !fits {
            self.archiving.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// These are on disk, or never will be.
    pub(super) fn archived(&self, messages: &[Message]) {
        let bytes = messages.iter().map(|message| message.body.len()).sum();
        self.archiving.fetch_sub(bytes, Ordering::Relaxed);
    }
}
