//! The chain of files: which is written to, when a new one begins, and when an old one may go.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::SpoolSettings;
use super::error::{Causes, SpoolError};
use super::file::{Contents, Done, File, New, Work};
use super::folder::Folder;
use super::queues::Handle;
use crate::clock;
use crate::ids::TargetName;

mod room;
mod upkeep;

use room::Room;
pub(super) use room::Space;

/// Most files open besides the current one. Too high: memory and handles; too low: files are opened again and again
/// while a backlog is worked off.
const OPEN_FILES: usize = 4;
/// Pause after a new file could not be begun; until then the old one grows.
const BEGIN_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// All files that are in use. Only the writer has it.
pub(super) struct Chain {
    folder: Folder,
    settings: SpoolSettings,
    files: BTreeMap<u32, Link>,
    current: Option<Current>,
    /// No number is used twice, so that what is left of a file is never taken for another's.
    highest: u32,
    begin_failed: Option<Instant>,
    set_aside: Vec<u32>,
    room: Room,
}

/// The file that new messages go to.
struct Current {
    number: u32,
    bytes: u64,
    /// Days since 1970.
    day: i32,
}

#[derive(Default)]
struct Link {
    open: Option<File>,
    unsettled: usize,
    /// Milliseconds since 1970.
    newest_settlement: Option<i64>,
}

/// What became of the work on some files.
#[derive(Default)]
pub(super) struct Outcome {
    /// The files whose work is on disk. What was to be done in others has not been done.
    pub(super) committed: BTreeSet<u32>,
    /// Messages taken and places of new messages.
    pub(super) done: Done,
    /// Why the new messages are not on disk.
    pub(super) refused: Option<SpoolError>,
}

impl Chain {
    /// Opens all files of the folder, and returns also which messages wait. A file that cannot be read is set aside.
    pub(super) fn open(
        folder: Folder,
        settings: SpoolSettings,
    ) -> Result<(Self, Vec<(TargetName, Handle)>), SpoolError> {
        let inventory = folder.inventory()?;
        let mut chain = Self {
            folder,
            settings,
            files: BTreeMap::new(),
            current: None,
            highest: inventory.highest,
            begin_failed: None,
            set_aside: Vec::new(),
            room: Room::default(),
        };
        let mut waiting = Vec::new();
        for number in inventory.files {
            match chain.load(number) {
                Ok(contents) => {
                    let bytes = chain.folder.size(number);
                    chain.current = Some(Current { number, bytes, day: contents.day });
                    waiting.extend(contents.waiting);
                }
                Err(SpoolError::Corrupt) => chain.put_aside(number),
                Err(error) => return Err(error),
            }
            chain.close_idle();
        }
        if chain.current.is_none() {
            chain.begin()?;
        }
        Ok((chain, waiting))
    }

    fn load(&mut self, number: u32) -> Result<Contents, SpoolError> {
        let mut file = self.open_file(number)?;
        let contents = file.contents()?;
        let link = Link {
            open: Some(file),
            unsettled: contents.waiting.len(),
            newest_settlement: contents.newest_settlement,
        };
        self.files.insert(number, link);
        Ok(contents)
    }

    fn open_file(&self, number: u32) -> Result<File, SpoolError> {
        File::open(&self.folder.file(number), number, day(clock::now()), self.settings.max_pages)
    }

    /// Begins a new file.
    fn begin(&mut self) -> Result<u32, SpoolError> {
        let number = self.highest + 1;
        let file = self.open_file(number)?;
        self.folder.sync()?;
        self.highest = number;
        self.files.insert(number, Link { open: Some(file), ..Link::default() });
        self.current = Some(Current { number, bytes: 0, day: day(clock::now()) });
        Ok(number)
    }

    /// The file for new messages: a new one when the current one is large enough or of another day.
    fn current_file(&mut self) -> Result<u32, SpoolError> {
        let Some(current) = &self.current else { return self.begin() };
        let number = current.number;
        if current.bytes < self.settings.max_file_bytes && current.day == day(clock::now()) {
            return Ok(number);
        }
        if self.begin_failed.is_some_and(|at| at.elapsed() < BEGIN_AGAIN_AFTER) {
            return Ok(number);
        }
        match self.begin() {
            Ok(new) => {
                self.begin_failed = None;
                self.expire();
                Ok(new)
            }
            Err(error) => {
                // An old file that goes on growing is better than a delivery refused.
                tracing::warn!(error = %Causes(&error), "no new spool file can be begun; going on with the old one");
                self.begin_failed = Some(Instant::now());
                Ok(number)
            }
        }
    }

    /// Does the work, one transaction for each file, and puts `new` into the current one.
    pub(super) fn run(&mut self, mut works: BTreeMap<u32, Work>, new: New<'_>) -> Outcome {
        let mut outcome = Outcome::default();
        if !new.is_empty() {
            let refused = self.room().and_then(|()| self.current_file()).and_then(|number| {
                let work = works.remove(&number).unwrap_or_default();
                self.publish(number, work, new, &mut works, &mut outcome)
            });
            outcome.refused = refused.err();
        }
        for (number, work) in works {
            if let Err(error) = self.run_one(number, &work, New::default(), &mut outcome) {
                tracing::warn!(spool.file = number, error = %Causes(&error), "work on a spool file failed");
            }
        }
        self.close_idle();
        outcome
    }

    /// Puts `new` into this file, in the same transaction as the work on it. When that fails, the work stands alone:
    /// it needs less room.
    fn publish(
        &mut self,
        number: u32,
        work: Work,
        new: New<'_>,
        works: &mut BTreeMap<u32, Work>,
        outcome: &mut Outcome,
    ) -> Result<(), SpoolError> {
        let result = self.run_one(number, &work, new, outcome);
        match result {
            Err(SpoolError::Corrupt) => {
                let number = self.begin()?;
                self.run_one(number, &Work::default(), new, outcome)
            }
            Err(error) => {
                if !work.is_empty() {
                    works.insert(number, work);
                }
                Err(error)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Does the work on one file. After an error its connection is given up; a corrupt one is set aside.
    fn run_one(
        &mut self,
        number: u32,
        work: &Work,
        new: New<'_>,
        outcome: &mut Outcome,
    ) -> Result<(), SpoolError> {
        let now = clock::now().as_millisecond();
        let result = self.opened(number).and_then(|mut file| Ok((file.run(work, new, now)?, file)));
        let (done, file) = match result {
            Ok(both) => both,
            Err(error) => {
                if matches!(error, SpoolError::Corrupt) {
                    self.put_aside(number);
                }
                return Err(error);
            }
        };
        let link = self.files.entry(number).or_default();
        link.open = Some(file);
        link.unsettled = (link.unsettled + new.waiting.len()).saturating_sub(work.settle.len());
        if !work.settle.is_empty() || !new.archived.is_empty() {
            link.newest_settlement = Some(now);
        }
        if let Some(current) = self.current.as_mut().filter(|current| current.number == number) {
            current.bytes += new.bytes();
        }
        outcome.committed.insert(number);
        outcome.done.taken.extend(done.taken);
        outcome.done.inserted.extend(done.inserted);
        Ok(())
    }

    /// Takes the open file out of its link, or opens it.
    fn opened(&mut self, number: u32) -> Result<File, SpoolError> {
        match self.files.get_mut(&number) {
            Some(link) => match link.open.take() {
                Some(file) => Ok(file),
                None => self.open_file(number),
            },
            // Opening it would make an empty one.
            None => Err(SpoolError::Io(io::ErrorKind::NotFound.into())),
        }
    }

    /// The folder's own name.
    pub(super) fn name(&self) -> String {
        self.folder.own_name()
    }

    /// Messages that wait or are handed out.
    pub(super) fn unsettled(&self) -> usize {
        self.files.values().map(|link| link.unsettled).sum()
    }

    /// Whether the disk takes anything.
    pub(super) fn probe(&mut self) -> Result<(), SpoolError> {
        self.room()?;
        let number = self.current_file()?;
        let mut file = self.opened(number)?;
        file.probe()?;
        self.files.entry(number).or_default().open = Some(file);
        Ok(())
    }
}

/// Days since 1970, in UTC.
fn day(instant: Timestamp) -> i32 {
    i32::try_from(instant.as_second().div_euclid(24 * 60 * 60)).unwrap_or(i32::MAX)
}
