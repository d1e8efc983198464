//! Copying a spool while its process goes on.

use std::fs;
use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::error::SpoolError;
use super::folder::{Folder, name};
use super::look::open_to_read;

/// How many files were copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Files of the spool.
    pub files: usize,
    /// Files that cannot be read and were set aside, with what stands beside them.
    pub set_aside: usize,
}

/// Copies each file of the spool in `dir` into `to`, which is made if it is not there. Each copy is the file at one
/// instant, without anything beside it, and on disk when this returns. What was set aside is copied as it is.
///
/// # Errors
/// [`SpoolError`]; also when `to` already has a file of the same name. What has been copied so far stays.
pub fn backup(dir: &Path, to: &Path) -> Result<Copied, SpoolError> {
    let folder = Folder::new(dir);
    let copies = Folder::create(to)?;
    let inventory = folder.inventory()?;
    for name in &inventory.aside {
        folder.copy(name, to)?;
    }
    let mut copied = Copied { files: 0, set_aside: inventory.aside.len() };
    for number in inventory.files {
        // Under another name until it is whole.
        let (partial, whole) = (to.join(format!("{}.partial", name(number))), to.join(name(number)));
        if whole.try_exists()? || partial.try_exists()? {
            return Err(SpoolError::Exists);
        }
        let Some(mut connection) = open_to_read(&folder, number)? else { continue };
        let path = partial.to_str().ok_or(SpoolError::Path)?;
        diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(path).execute(&mut connection)?;
        fs::File::open(&partial)?.sync_all()?;
        fs::rename(&partial, &whole)?;
        copied.files += 1;
    }
    copies.sync()?;
    Ok(copied)
}
