//! Files that leave the chain: closed, deleted or set aside.

use super::super::error::Causes;
use super::super::file::File;
use super::super::folder::name;
use super::{Chain, Link, OPEN_FILES};
use crate::clock;
use crate::metrics::SPOOL_CORRUPT_FILES;

impl Chain {
    /// The files that have been set aside since this was asked last.
    pub(in crate::broker::spool) fn take_set_aside(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.set_aside)
    }

    /// Takes a corrupt file out of use.
    pub(super) fn put_aside(&mut self, number: u32) {
        self.files.remove(&number);
        self.current.take_if(|current| current.number == number);
        self.set_aside.push(number);
        metrics::counter!(SPOOL_CORRUPT_FILES).increment(1);
        match self.folder.set_aside(number) {
            Ok(new_name) => tracing::error!(
                spool.file = name(number),
                spool.set_aside_as = new_name,
                "a spool file is corrupt and has been set aside; check the disk, then save what can be read with \
                 `sqlite3 <file> .recover`: messages in it are not applied"
            ),
            Err(error) => tracing::error!(
                spool.file = name(number),
                %error,
                "a spool file is corrupt and cannot be renamed; nothing more is read from it"
            ),
        }
    }

    /// Deletes the files that nobody needs any more: everything in them settled, long enough ago.
    pub(in crate::broker::spool) fn expire(&mut self) {
        let current = self.current.as_ref().map(|current| current.number);
        let keep = i64::try_from(self.settings.keep_settled.as_millis()).unwrap_or(i64::MAX);
        let limit = clock::now().as_millisecond().saturating_sub(keep);
        let expired =
            |link: &Link| link.unsettled == 0 && link.newest_settlement.is_none_or(|at| at <= limit);
        let numbers: Vec<u32> =
            self.files.iter().filter(|(_, link)| expired(link)).map(|(number, _)| *number).collect();
        for number in numbers.into_iter().filter(|number| Some(*number) != current) {
            self.files.remove(&number);
            match self.folder.delete(number) {
                Ok(()) => {
                    tracing::info!(
                        spool.file = name(number),
                        "all of a spool file was settled long ago; deleted"
                    );
                }
                Err(error) => tracing::warn!(spool.file = name(number), %error, "cannot delete a spool file"),
            }
        }
    }

    /// Closes files that nothing waits in, and the later ones if too many are open: work goes from first to last.
    pub(super) fn close_idle(&mut self) {
        let current = self.current.as_ref().map(|current| current.number);
        let mut open = 0;
        for (number, link) in &mut self.files {
            if Some(*number) != current && link.open.is_some() {
                open += 1;
                if link.unsettled == 0 || open > OPEN_FILES {
                    link.open = None;
                }
            }
        }
    }

    /// Closes all files.
    pub(in crate::broker::spool) fn close(&mut self) {
        for (number, mut link) in std::mem::take(&mut self.files) {
            if let Some(Err(error)) = link.open.as_mut().map(File::checkpoint) {
                // The log stays, and is read when the file is opened again.
                tracing::warn!(spool.file = number, error = %Causes(&error), "a spool file was not checkpointed");
            }
        }
    }
}
