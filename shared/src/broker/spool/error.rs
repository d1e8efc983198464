//! What can go wrong with the spool's files.

use std::error::Error as _;
use std::fmt;
use std::io;

/// The spool, or one of its files, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// SQLite takes only UTF-8 paths.
    #[error("the spool folder's path is not UTF-8")]
    Path,
    /// The folder, or a file as a whole.
    #[error("the spool folder cannot be used")]
    Io(#[from] io::Error),
    /// A file could not be opened.
    #[error("a spool file cannot be opened")]
    Open(#[from] diesel::ConnectionError),
    /// Reading or writing failed: the disk is full or fails, or another program keeps the file locked.
    #[error("a spool file cannot be read or written")]
    Sql(#[source] diesel::result::Error),
    /// What is in the file is not what was written.
    #[error("a spool file is corrupt")]
    Corrupt,
    /// A newer version of the program wrote this file.
    #[error("a spool file has a form that this version does not know")]
    Form,
    /// Another process has the folder.
    #[error("the spool folder is in use by another process")]
    InUse,
    /// It has the size it may have, or the disk has only its reserve left.
    #[error("the spool is full: ingress.spool_max_bytes or ingress.spool_min_free is reached")]
    Full,
    /// A back-up would overwrite something.
    #[error("the back-up folder already has a file of that name")]
    Exists,
}

/// The texts of `SQLITE_CORRUPT` and `SQLITE_NOTADB`: diesel keeps a code only for broken constraints.
///
/// Source: `sqlite3ErrStr` and `corruptSchema` of the bundled SQLite.
const CORRUPT: [&str; 3] =
    ["database disk image is malformed", "file is not a database", "malformed database schema"];

impl From<diesel::result::Error> for SpoolError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::Error;
        match &error {
            // Every row that is asked for was there before, and every column has the type that was written.
            Error::NotFound | Error::DeserializationError(_) => Self::Corrupt,
            Error::DatabaseError(_, information)
                if CORRUPT.iter().any(|text| information.message().starts_with(text)) =>
            {
                Self::Corrupt
            }
            _ => Self::Sql(error),
        }
    }
}

/// An error with its causes, for a log line. Texts of SQLite name tables and columns, never values.
pub(super) struct Causes<'e>(pub(super) &'e SpoolError);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
