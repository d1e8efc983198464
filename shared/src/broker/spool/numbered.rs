//! A folder that several processes share: each has a numbered one in it, locked for as long as it lives.
//!
//! A process that is gone for good leaves its folder with what waited in it. Whoever finds the lock free takes it over.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::prelude::*;
use jiff::{SignedDuration, Timestamp};

use super::error::{Causes, SpoolError};
use super::folder::Folder;
use super::look::open_to_read;
use super::row::messages;
use super::{Spool, SpoolSettings};
use crate::clock;

/// Opens the lowest numbered folder in `dir` that no process has, and makes it if it is not there. One that is there
/// and cannot be opened is left to a person: new deliveries can be kept elsewhere.
///
/// # Errors
/// [`SpoolError`], as [`Spool::open`], when not even a new folder can be used.
pub fn open_lowest_free(dir: &Path, settings: &SpoolSettings) -> Result<Spool, SpoolError> {
    let mut number = 0_u32;
    loop {
        let folder = dir.join(number.to_string());
        let is_there = folder.is_dir();
        match Spool::open(&folder, settings.clone()) {
            Err(SpoolError::InUse) => {}
            Err(error) if is_there => tracing::error!(
                spool.dir = %folder.display(),
                error = %Causes(&error),
                "a spool cannot be opened; what waits in it is not taken to the broker until a person has mended it"
            ),
            opened => return opened,
        }
        number += 1;
    }
}

/// The numbered folders in `dir`, in ascending order.
///
/// # Errors
/// When the folder cannot be read. One that is not there has none.
pub fn numbered(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers.into_iter().map(|number| dir.join(number.to_string())).collect())
}

/// The numbered folders in `dir` that no process has and that need one: messages wait in them, or nothing was written
/// to them for `keep`, so that they can be emptied.
///
/// One that cannot be looked at is among them: whoever opens it says why.
///
/// # Errors
/// When the folder cannot be read.
pub fn orphans(dir: &Path, keep: Duration) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in numbered(dir)? {
        let folder = Folder::new(&path);
        let looked = folder.lock().and_then(|_lock| needs_somebody(&folder, keep));
        if !matches!(looked, Ok(false) | Err(SpoolError::InUse)) {
            found.push(path);
        }
    }
    Ok(found)
}

fn needs_somebody(folder: &Folder, keep: Duration) -> Result<bool, SpoolError> {
    for number in folder.inventory()?.files {
        match waits(folder, number) {
            Ok(false) => {}
            // Whoever opens it sets it aside.
            Ok(true) | Err(SpoolError::Corrupt) => return Ok(true),
            Err(error) => return Err(error),
        }
        let written = Timestamp::try_from(fs::metadata(folder.file(number))?.modified()?);
        // A clock that was set back makes it young.
        if written.is_ok_and(|at| {
            clock::now().duration_since(at) > SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX)
        }) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn waits(folder: &Folder, number: u32) -> Result<bool, SpoolError> {
    let Some(mut connection) = open_to_read(folder, number)? else { return Ok(false) };
    let waiting = messages::table.filter(messages::settled_at.is_null());
    Ok(diesel::select(diesel::dsl::exists(waiting)).get_result(&mut connection)?)
}
