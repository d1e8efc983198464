//! Names in the spool folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::SpoolError;
use crate::clock;

/// What stands beside `<file>` while it is in use: SQLite's log and the log's index.
const BESIDE: [&str; 2] = ["-wal", "-shm"];
const CORRUPT: &str = ".corrupt-";

/// The spool's folder on disk.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

/// What is in the folder.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    /// Numbers of the files, ascending.
    pub(super) files: Vec<u32>,
    /// How many files have been set aside.
    pub(super) corrupt: usize,
    /// Names of the files that were set aside, and of what stands beside them.
    pub(super) aside: Vec<String>,
    /// Size of everything.
    pub(super) bytes: u64,
    /// The highest number in any name, so that no number is used twice.
    pub(super) highest: u32,
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The folder, made if it is not there, for this user alone: what is in it is personal.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)?;
        Ok(Self::new(path))
    }

    /// Its name without the path.
    pub(super) fn own_name(&self) -> String {
        self.0.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Takes the folder for this process alone, for as long as the file lives.
    pub(super) fn lock(&self) -> Result<fs::File, SpoolError> {
        let file = fs::File::options().create(true).truncate(false).write(true).open(self.0.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(SpoolError::InUse),
            Err(fs::TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Where the file of this number is.
    pub(super) fn file(&self, number: u32) -> PathBuf {
        self.0.join(name(number))
    }

    /// Reads the folder.
    pub(super) fn inventory(&self) -> io::Result<Inventory> {
        let mut found = Inventory::default();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            let file_name = entry.file_name();
            let Some(text) = file_name.to_str() else { continue };
            let Some((digits, rest)) = text.split_once(".db") else { continue };
            let Ok(number) = digits.parse() else { continue };
            found.highest = found.highest.max(number);
            // A file may go between being listed and being looked at.
            found.bytes += entry.metadata().map_or(0, |data| data.len());
            if rest.is_empty() {
                found.files.push(number);
            } else if rest.starts_with(CORRUPT) {
                found.corrupt += usize::from(!BESIDE.iter().any(|end| rest.ends_with(end)));
                found.aside.push(text.to_owned());
            }
        }
        found.files.sort_unstable();
        Ok(found)
    }

    /// Bytes that this user may still write to the disk.
    pub(super) fn free(&self) -> io::Result<u64> {
        fs4::available_space(&self.0)
    }

    /// Makes what was created or renamed in the folder survive a power cut.
    pub(super) fn sync(&self) -> io::Result<()> {
        fs::File::open(&self.0)?.sync_all()
    }

    /// Renames a file that cannot be read, with what stands beside it, and returns its new name.
    pub(super) fn set_aside(&self, number: u32) -> io::Result<String> {
        let old = name(number);
        let new = format!("{old}{CORRUPT}{}", clock::now().strftime("%Y%m%dT%H%M%SZ"));
        fs::rename(self.0.join(&old), self.0.join(&new))?;
        for end in BESIDE {
            // Not there when the file had been closed.
            if let Err(error) =
                fs::rename(self.0.join(format!("{old}{end}")), self.0.join(format!("{new}{end}")))
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        self.sync()?;
        Ok(new)
    }

    /// Deletes a file that is not open.
    pub(super) fn delete(&self, number: u32) -> io::Result<()> {
        fs::remove_file(self.file(number))?;
        for end in BESIDE {
            let beside = self.0.join(format!("{}{end}", name(number)));
            if let Err(error) = fs::remove_file(beside)
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Copies a file that was set aside, as it is.
    pub(super) fn copy(&self, name: &str, to: &Path) -> io::Result<()> {
        let copy = to.join(name);
        fs::copy(self.0.join(name), &copy)?;
        fs::File::open(copy)?.sync_all()
    }

    /// Size of a file and its log.
    pub(super) fn size(&self, number: u32) -> u64 {
        let size = |path| fs::metadata(path).map_or(0, |data| data.len());
        size(self.file(number)) + size(self.0.join(format!("{}-wal", name(number))))
    }
}

/// The name of the file of this number.
pub(super) fn name(number: u32) -> String {
    format!("{number:06}.db")
}
