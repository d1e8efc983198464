//! A look into a spool from outside, while its process goes on or is gone.
//!
//! Each file is read in one transaction of its own. A message is in one file only, so that is consistent; a file that
//! is deleted meanwhile had only settled messages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::dsl::{count_star, min};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use jiff::Timestamp;

use super::error::SpoolError;
use super::folder::Folder;
use super::row::{CONNECTION, messages, parsed};
use crate::ids::{DeliveryKey, TargetName};

/// What is in a spool.
#[derive(Debug)]
pub struct Look {
    /// Everything that ever came for each target, as far as it is still there.
    pub targets: BTreeMap<TargetName, TargetLook>,
    /// Files in use.
    pub files: usize,
    /// Files set aside, or found unreadable now. What is in them is not counted in `targets`.
    pub corrupt_files: usize,
    /// Size of the folder.
    pub bytes: u64,
    folder: Folder,
    numbers: Vec<u32>,
}

/// What is in a spool for one target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TargetLook {
    /// Unsettled messages, handed out or not.
    pub waiting: u64,
    /// When the oldest of them was received.
    pub oldest_waiting: Option<Timestamp>,
    /// All messages, settled or not.
    pub total: u64,
}

/// Looks into the spool in this folder. Changes nothing in its files; SQLite may leave an empty log beside one.
///
/// # Errors
/// [`SpoolError`] when the folder cannot be read, or a file is locked or not of a known form.
pub fn look(dir: &Path) -> Result<Look, SpoolError> {
    let folder = Folder::new(dir);
    let inventory = folder.inventory()?;
    let mut look = Look {
        targets: BTreeMap::new(),
        files: 0,
        corrupt_files: inventory.corrupt,
        bytes: inventory.bytes,
        folder,
        numbers: Vec::new(),
    };
    for number in inventory.files {
        match look.count(number) {
            Ok(true) => look.numbers.push(number),
            Ok(false) => {}
            Err(SpoolError::Corrupt) => look.corrupt_files += 1,
            Err(error) => return Err(error),
        }
    }
    look.files = look.numbers.len();
    Ok(look)
}

impl Look {
    /// Targets that messages wait for and that are none of these, and how many wait.
    pub fn stranded<'n>(
        &self,
        configured: impl IntoIterator<Item = &'n TargetName>,
    ) -> Vec<(TargetName, u64)> {
        let configured: BTreeSet<_> = configured.into_iter().collect();
        let waiting =
            self.targets.iter().filter(|(name, look)| look.waiting > 0 && !configured.contains(name));
        waiting.map(|(name, look)| (name.clone(), look.waiting)).collect()
    }

    /// Every settled message that is still there, file by file.
    pub fn settled_keys(&self) -> impl Iterator<Item = Result<(TargetName, DeliveryKey), SpoolError>> {
        self.keys(true)
    }

    /// The unsettled messages that are there now.
    ///
    /// # Errors
    /// [`SpoolError`] when a file cannot be read.
    pub fn waiting_keys(&self) -> Result<BTreeSet<(TargetName, DeliveryKey)>, SpoolError> {
        self.keys(false).collect()
    }

    fn keys(&self, settled: bool) -> impl Iterator<Item = Result<(TargetName, DeliveryKey), SpoolError>> {
        self.numbers.iter().flat_map(move |number| match keys(&self.folder, *number, settled) {
            Ok(keys) => keys.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    }

    /// Adds what is in a file; false when it has gone.
    fn count(&mut self, number: u32) -> Result<bool, SpoolError> {
        let Some(mut connection) = open_to_read(&self.folder, number)? else { return Ok(false) };
        connection.batch_execute("BEGIN")?;
        let totals: Vec<(String, i64)> = messages::table
            .group_by(messages::target)
            .select((messages::target, count_star()))
            .load(&mut connection)?;
        let waiting: Vec<(String, i64, Option<i64>)> = messages::table
            .filter(messages::settled_at.is_null())
            .group_by(messages::target)
            .select((messages::target, count_star(), min(messages::received_at)))
            .load(&mut connection)?;
        for (target, total) in totals {
            self.targets.entry(parsed(&target)?).or_default().total += total.unsigned_abs();
        }
        for (target, count, oldest) in waiting {
            let target = self.targets.entry(parsed(&target)?).or_default();
            target.waiting += count.unsigned_abs();
            let oldest = oldest.and_then(|oldest| Timestamp::from_millisecond(oldest).ok());
            target.oldest_waiting = target.oldest_waiting.into_iter().chain(oldest).min();
        }
        Ok(true)
    }
}

fn keys(folder: &Folder, number: u32, settled: bool) -> Result<Vec<(TargetName, DeliveryKey)>, SpoolError> {
    let Some(mut connection) = open_to_read(folder, number)? else { return Ok(Vec::new()) };
    let all = messages::table.order(messages::id).select((messages::target, messages::key)).into_boxed();
    let rows: Vec<(String, Vec<u8>)> = if settled {
        all.filter(messages::settled_at.is_not_null()).load(&mut connection)?
    } else {
        all.filter(messages::settled_at.is_null()).load(&mut connection)?
    };
    let key = |bytes: Vec<u8>| bytes.try_into().map(DeliveryKey::from_bytes).map_err(|_| SpoolError::Corrupt);
    rows.into_iter().map(|(target, bytes)| Ok((parsed(&target)?, key(bytes)?))).collect()
}

#[derive(QueryableByName)]
struct Tables {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A connection that cannot write; `None` when the file has gone, or has only just been begun.
pub(super) fn open_to_read(folder: &Folder, number: u32) -> Result<Option<SqliteConnection>, SpoolError> {
    let path = folder.file(number);
    let mut connection = match SqliteConnection::establish(&read_only(&path)?) {
        Ok(connection) => connection,
        Err(_) if !path.try_exists()? => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    connection.batch_execute(CONNECTION)?;
    let tables = "SELECT count(*) AS count FROM sqlite_master WHERE name = 'messages'";
    let tables: Tables = diesel::sql_query(tables).get_result(&mut connection)?;
    Ok((tables.count > 0).then_some(connection))
}

/// The path as a URI: only there can SQLite be told not to write, and not to make a file.
fn read_only(path: &Path) -> Result<String, SpoolError> {
    let path = std::path::absolute(path)?;
    let text = path.to_str().ok_or(SpoolError::Path)?;
    let text = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Ok(format!("file://{text}?mode=ro"))
}
