//! What is kept of messages: found by time, and read.

use std::path::Path;

use diesel::prelude::*;
use jiff::Timestamp;

use super::error::SpoolError;
use super::folder::Folder;
use super::look::open_to_read;
use super::row::{Row, add_signature, bodies, messages, parsed};
use crate::ids::{DeliveryKey, TargetName};
use crate::message::Message;

/// A message that is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Identity of the delivery.
    pub key: DeliveryKey,
    /// The ERP database that it was for.
    pub target: TargetName,
    row: i64,
}

/// One file of a spool, and the messages that were found in it.
#[derive(Debug)]
pub struct KeptFile {
    folder: Folder,
    number: u32,
    /// In the order in which they came.
    pub kept: Vec<Kept>,
}

/// The messages in this folder that were received at `since` or later, file by file; those that still wait only with
/// `waiting`. Changes nothing.
///
/// # Errors
/// [`SpoolError`] when the folder cannot be read; for a file that cannot be read the error is the item.
pub fn kept_since(
    dir: &Path,
    since: Timestamp,
    waiting: bool,
) -> Result<impl Iterator<Item = Result<KeptFile, SpoolError>>, SpoolError> {
    let folder = Folder::new(dir);
    let files = folder.inventory()?.files;
    Ok(files.into_iter().map(move |number| KeptFile::find(folder.clone(), number, since, waiting)))
}

impl KeptFile {
    fn find(folder: Folder, number: u32, since: Timestamp, waiting: bool) -> Result<Self, SpoolError> {
        let Some(mut connection) = open_to_read(&folder, number)? else {
            return Ok(Self { folder, number, kept: Vec::new() });
        };
        let mut found = messages::table
            .filter(messages::received_at.ge(since.as_millisecond()))
            .order(messages::id)
            .select((messages::id, messages::key, messages::target))
            .into_boxed();
        if !waiting {
            found = found.filter(messages::settled_at.is_not_null());
        }
        let rows: Vec<(i64, Vec<u8>, String)> = found.load(&mut connection)?;
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
            let (mut message, _) = head.message(body)?;
            add_signature(&mut connection, one.row, &mut message)?;
            read.push(message);
        }
        Ok(read)
    }
}
