//! What is kept of settled messages: found by time, read, and taken up again.

use std::path::Path;

use diesel::prelude::*;
use jiff::Timestamp;

use super::error::SpoolError;
use super::file::File;
use super::folder::Folder;
use super::look::open_to_read;
use super::row::{Row, bodies, messages, parsed};
use crate::ids::{DeliveryKey, TargetName};
use crate::message::Message;

/// Most rows in one statement.
const SLICE: usize = 500;

/// A settled message that is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Identity of the delivery.
    pub key: DeliveryKey,
    /// The ERP database that it was for.
    pub target: TargetName,
    row: i64,
}

/// One file of a spool, and the settled messages in it.
#[derive(Debug)]
pub struct KeptFile {
    folder: Folder,
    number: u32,
    /// In the order in which they came.
    pub kept: Vec<Kept>,
}

/// The word that no process has this spool, for as long as it lives.
#[derive(Debug)]
pub struct Idle {
    folder: Folder,
    _lock: std::fs::File,
}

impl Idle {
    /// Takes the spool in this folder.
    ///
    /// # Errors
    /// [`SpoolError::InUse`] when a process has it; any other when the folder cannot be used.
    pub fn take(dir: &Path) -> Result<Self, SpoolError> {
        let folder = Folder::create(dir)?;
        Ok(Self { _lock: folder.lock()?, folder })
    }
}

/// The settled messages in this folder that were received at `since` or later, file by file. Changes nothing.
///
/// # Errors
/// [`SpoolError`] when the folder cannot be read; for a file that cannot be read the error is the item.
pub fn kept_since(
    dir: &Path,
    since: Timestamp,
) -> Result<impl Iterator<Item = Result<KeptFile, SpoolError>>, SpoolError> {
    let folder = Folder::new(dir);
    let files = folder.inventory()?.files;
    Ok(files.into_iter().map(move |number| KeptFile::find(folder.clone(), number, since)))
}

impl KeptFile {
    fn find(folder: Folder, number: u32, since: Timestamp) -> Result<Self, SpoolError> {
        let Some(mut connection) = open_to_read(&folder, number)? else {
            return Ok(Self { folder, number, kept: Vec::new() });
        };
        let rows: Vec<(i64, Vec<u8>, String)> = messages::table
            .filter(messages::settled_at.is_not_null())
            .filter(messages::received_at.ge(since.as_millisecond()))
            .order(messages::id)
            .select((messages::id, messages::key, messages::target))
            .load(&mut connection)?;
        let kept = rows.into_iter().map(|(row, key, target)| {
            let key = key.try_into().map(DeliveryKey::from_bytes).map_err(|_| SpoolError::Corrupt)?;
            Ok(Kept { key, target: parsed(&target)?, row })
        });
        Ok(Self { kept: kept.collect::<Result<_, SpoolError>>()?, folder, number })
    }

    /// Reads these messages of the file.
    ///
    /// # Errors
    /// [`SpoolError`], also when the file has been deleted meanwhile.
    pub fn read(&self, kept: &[Kept]) -> Result<Vec<Message>, SpoolError> {
        let gone = || SpoolError::Io(std::io::ErrorKind::NotFound.into());
        let mut connection = open_to_read(&self.folder, self.number)?.ok_or_else(gone)?;
        let mut read = Vec::with_capacity(kept.len());
        for one in kept {
            let head: Row = messages::table.find(one.row).select(Row::as_select()).first(&mut connection)?;
            let body = bodies::table.find(one.row).select(bodies::body).first(&mut connection)?;
            read.push(head.message(body)?.0);
        }
        Ok(read)
    }

    /// Lets these messages of the file wait again, as if they had never been handed out. They are taken when a process
    /// next opens the spool.
    ///
    /// # Errors
    /// [`SpoolError`].
    ///
    /// # Panics
    /// When `idle` is the word on another spool.
    pub fn take_up_again(&self, kept: &[Kept], idle: &Idle) -> Result<(), SpoolError> {
        assert_eq!(self.folder, idle.folder, "the folder that was taken");
        let mut file = File::open(&self.folder.file(self.number), self.number, 0, None)?;
        for slice in kept.chunks(SLICE) {
            file.unsettle(&slice.iter().map(|one| one.row).collect::<Vec<_>>())?;
        }
        file.checkpoint()
    }
}
