//! One file of the chain, open for writing.

use std::collections::BTreeSet;
use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::error::SpoolError;
use super::queues::{Handle, Place};
use super::row::{
    ADD_SIGNATURES, CONNECTION, FORM, FORM_WITHOUT_SIGNATURES, NewRow, Row, SCHEMA, about, add_signature,
    bodies, messages, parsed,
};
use crate::ids::TargetName;
use crate::message::Message;

/// `EXTRA` makes each commit wait for the disk, with and without a write-ahead log; everything that the spool promises
/// rests on it.
const SESSION: &str = "
PRAGMA synchronous = EXTRA;
PRAGMA wal_autocheckpoint = 1000;
PRAGMA journal_size_limit = 8388608;
";

/// What a row takes besides its body, about.
const ROW_BYTES: u64 = 300;

/// How many rows one statement changes: SQLite reads an `UPDATE` anew each time, so one for each row is dear; and it
/// binds at most 32,766 values (<https://sqlite.org/limits.html>).
const ROWS_PER_UPDATE: usize = 1_000;

/// One connection to one file. After an error it is not used again: what the transaction manager and the cache then
/// hold is not worth finding out.
pub(super) struct File {
    connection: SqliteConnection,
    number: u32,
    next_row: i64,
}

/// What one transaction does to rows that are there.
#[derive(Default)]
pub(super) struct Work {
    /// Finished. A row may be settled twice within one transaction; it is one all the same.
    pub(super) settle: BTreeSet<i64>,
    /// Taken, but never seen by anybody: the hand-out does not count.
    pub(super) uncount: Vec<i64>,
    /// To be handed out.
    pub(super) take: Vec<i64>,
}

impl Work {
    pub(super) fn is_empty(&self) -> bool {
        self.settle.is_empty() && self.uncount.is_empty() && self.take.is_empty()
    }
}

/// What one transaction adds.
#[derive(Clone, Copy, Default)]
pub(super) struct New<'m> {
    /// To wait for a consumer.
    pub(super) waiting: &'m [Message],
    /// To be kept only: they are durable elsewhere.
    pub(super) archived: &'m [Message],
}

impl New<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.archived.is_empty()
    }

    /// About what it takes on disk.
    pub(super) fn bytes(&self) -> u64 {
        let all = self.waiting.iter().chain(self.archived);
        all.map(|message| message.body.len() as u64 + ROW_BYTES).sum()
    }
}

/// What one transaction brought.
#[derive(Default)]
pub(super) struct Done {
    /// The messages taken, and how often each has been handed out.
    pub(super) taken: Vec<(Place, Message, u32)>,
    /// Where the new waiting messages are, in their order.
    pub(super) inserted: Vec<Handle>,
}

/// What a file holds when it is opened.
pub(super) struct Contents {
    pub(super) waiting: Vec<(TargetName, Handle)>,
    /// Milliseconds since 1970.
    pub(super) newest_settlement: Option<i64>,
    /// Days since 1970.
    pub(super) day: i32,
}

#[derive(QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

impl File {
    /// Makes or opens a file. `day` is written into a new one.
    pub(super) fn open(
        path: &Path,
        number: u32,
        day: i32,
        max_pages: Option<u32>,
    ) -> Result<Self, SpoolError> {
        let path = path.to_str().ok_or(SpoolError::Path)?;
        let mut connection = SqliteConnection::establish(path)?;
        connection.batch_execute(CONNECTION)?;
        // Durable in any mode; but only with a write-ahead log can others look while we write.
        let mode: JournalMode = diesel::sql_query("PRAGMA journal_mode = WAL").get_result(&mut connection)?;
        if mode.journal_mode != "wal" {
            tracing::warn!(spool.file = number, "the file system allows no write-ahead log");
        }
        connection.batch_execute(SESSION)?;
        if let Some(pages) = max_pages {
            connection.batch_execute(&format!("PRAGMA max_page_count = {pages}"))?;
        }
        connection.batch_execute("BEGIN IMMEDIATE")?;
        connection.batch_execute(SCHEMA)?;
        let form: Option<i32> = about::table.select(about::form).first(&mut connection).optional()?;
        match form {
            Some(FORM) => {}
            Some(FORM_WITHOUT_SIGNATURES) => connection.batch_execute(ADD_SIGNATURES)?,
            Some(_) => return Err(SpoolError::Form),
            None => {
                let values = (about::form.eq(FORM), about::day.eq(day));
                diesel::insert_into(about::table).values(values).execute(&mut connection)?;
            }
        }
        connection.batch_execute("COMMIT")?;
        let last: Option<i64> =
            messages::table.select(diesel::dsl::max(messages::id)).first(&mut connection)?;
        Ok(Self { connection, number, next_row: last.unwrap_or(0) + 1 })
    }

    /// Reads which rows wait.
    pub(super) fn contents(&mut self) -> Result<Contents, SpoolError> {
        let rows: Vec<(i64, String, i64, i64)> = messages::table
            .filter(messages::settled_at.is_null())
            .select((messages::id, messages::target, messages::body_bytes, messages::received_at))
            .load(&mut self.connection)?;
        let waiting = rows.into_iter().map(|(row, target, bytes, received_at)| {
            let place = Place { file: self.number, row };
            let bytes = u32::try_from(bytes).map_err(|_| SpoolError::Corrupt)?;
            Ok((parsed(&target)?, Handle { place, bytes, received_at }))
        });
        let waiting: Vec<_> = waiting.collect::<Result<_, SpoolError>>()?;
        let newest_settlement =
            messages::table.select(diesel::dsl::max(messages::settled_at)).first(&mut self.connection)?;
        let day = about::table.select(about::day).first(&mut self.connection)?;
        Ok(Contents { waiting, newest_settlement, day })
    }

    /// Does all of it in one transaction, and returns when that is on disk.
    pub(super) fn run(&mut self, work: &Work, new: New<'_>, now: i64) -> Result<Done, SpoolError> {
        self.connection.batch_execute("BEGIN IMMEDIATE")?;
        let settle: Vec<i64> = work.settle.iter().copied().collect();
        self.settle(&settle, now)?;
        self.count_hand_outs(&work.uncount, -1)?;
        self.count_hand_outs(&work.take, 1)?;
        let mut done = Done::default();
        for row in &work.take {
            done.taken.push(self.read(*row)?);
        }
        for message in new.waiting {
            done.inserted.push(self.insert(message, None)?);
        }
        for message in new.archived {
            self.insert(message, Some(now))?;
        }
        self.connection.batch_execute("COMMIT")?;
        Ok(done)
    }

    fn insert(&mut self, message: &Message, settled_at: Option<i64>) -> Result<Handle, SpoolError> {
        let row = self.next_row;
        self.next_row += 1;
        diesel::insert_into(messages::table)
            .values(NewRow::new(row, message, settled_at))
            .execute(&mut self.connection)?;
        diesel::insert_into(bodies::table)
            .values((bodies::id.eq(row), bodies::body.eq(&message.body[..])))
            .execute(&mut self.connection)?;
        Ok(Handle {
            place: Place { file: self.number, row },
            bytes: u32::try_from(message.body.len()).unwrap_or(u32::MAX),
            received_at: message.received_at.as_millisecond(),
        })
    }

    fn read(&mut self, row: i64) -> Result<(Place, Message, u32), SpoolError> {
        let head: Row = messages::table.find(row).select(Row::as_select()).first(&mut self.connection)?;
        let body = bodies::table.find(row).select(bodies::body).first(&mut self.connection)?;
        let (mut message, hand_outs) = head.message(body)?;
        add_signature(&mut self.connection, row, &mut message)?;
        Ok((Place { file: self.number, row }, message, hand_outs))
    }

    fn settle(&mut self, rows: &[i64], now: i64) -> Result<(), SpoolError> {
        for rows in rows.chunks(ROWS_PER_UPDATE) {
            let changed = diesel::update(messages::table.filter(messages::id.eq_any(rows)))
                .set(messages::settled_at.eq(now))
                .execute(&mut self.connection)?;
            if changed != rows.len() {
                return Err(SpoolError::Corrupt);
            }
        }
        Ok(())
    }

    /// A row that is not there is no harm here: whoever is handed it out finds that out.
    fn count_hand_outs(&mut self, rows: &[i64], by: i32) -> Result<(), SpoolError> {
        for rows in rows.chunks(ROWS_PER_UPDATE) {
            diesel::update(messages::table.filter(messages::id.eq_any(rows)))
                .set(messages::hand_outs.eq(messages::hand_outs + by))
                .execute(&mut self.connection)?;
        }
        Ok(())
    }

    /// Writes something without a meaning.
    pub(super) fn probe(&mut self) -> Result<(), SpoolError> {
        diesel::update(about::table).set(about::day.eq(about::day)).execute(&mut self.connection)?;
        Ok(())
    }

    /// Brings everything into the file itself, so that the log beside it can go.
    pub(super) fn checkpoint(&mut self) -> Result<(), SpoolError> {
        Ok(self.connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?)
    }
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::Integer;

    use super::super::folder::Folder;
    use super::super::look::open_to_read;
    use super::*;
    use crate::broker::conformance::message;

    #[test]
    fn what_is_said_twice_is_done_once_and_what_is_not_there_is_corrupt() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = File::open(&folder.path().join("a"), 1, 0, None).unwrap();
        let waiting = [message(&"main".parse().unwrap(), "{}")];
        let new = New { waiting: &waiting, archived: &[] };
        let row = file.run(&Work::default(), new, 0).unwrap().inserted[0].place.row;
        let hand_outs = |file: &mut File| {
            let work = Work { take: vec![row], ..Work::default() };
            file.run(&work, New::default(), 0).unwrap().taken[0].2
        };
        assert_eq!([hand_outs(&mut file), hand_outs(&mut file)], [1, 2]);
        let settle: BTreeSet<i64> = [row, row].into();
        file.run(&Work { settle, uncount: vec![row, row], ..Work::default() }, New::default(), 0).unwrap();
        assert_eq!(hand_outs(&mut file), 2);
        let nothing = Work { settle: [row + 1].into(), ..Work::default() };
        assert!(matches!(file.run(&nothing, New::default(), 0), Err(SpoolError::Corrupt)));
    }

    #[derive(QueryableByName)]
    struct TempStore {
        #[diesel(sql_type = Integer)]
        temp_store: i32,
    }

    /// With temporary files a spool of a container without a writable `/tmp` failed as soon as many rows were settled or
    /// counted at once; `make test-compose` is where that can be seen.
    #[test]
    fn no_statement_needs_a_file_elsewhere() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::create(place.path()).unwrap();
        let file = File::open(&folder.file(1), 1, 0, None).unwrap();
        for mut connection in [file.connection, open_to_read(&folder, 1).unwrap().unwrap()] {
            let kept: TempStore = diesel::sql_query("PRAGMA temp_store").get_result(&mut connection).unwrap();
            // <https://sqlite.org/pragma.html#pragma_temp_store>: 2 is memory.
            assert_eq!(kept.temp_store, 2);
        }
    }
}
