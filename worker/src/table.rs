//! The shape of the declarative table: which entities exist, what each remembers, and how a change to one is said.
//!
//! Two kinds of memory, both of which only grow, so that order cannot matter (docs/ARCHITECTURE.md):
//! a **register** holds one member of the payload and the clock of the event that last wrote it, a **fact** is a
//! register without a value, and a **set** only gains lines. The entities themselves are in [`crate::entities`]; SQL
//! ([`crate::sql`]) and fold ([`crate::fold`]) are made from them and know none of their names.

/// An SQL type that every supported database can hold and print in one canonical text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Text, compared bytewise.
    Text,
    /// Decimal with two places: canonical text such as `1000.00`.
    Money,
    /// Whole number of 64 bits, as decimal text.
    Integer,
    /// Calendar day, `YYYY-MM-DD`.
    Date,
    /// Instant, RFC 3339 in UTC with whole seconds, `2026-06-02T05:00:00Z`; stored as that text.
    Instant,
}

/// One column.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    /// Name in the database.
    pub name: &'static str,
    /// Type in the database.
    pub kind: ColumnType,
}

/// One member of the payload: its columns change together or not at all.
#[derive(Debug, PartialEq, Eq)]
pub struct Register {
    /// Name.
    pub name: &'static str,
    /// The column that holds its clock: `<name>_clock`.
    pub clock: &'static str,
    /// The first column holds the value, never null once written; the rest is derived from it and may be null.
    pub columns: &'static [Column],
}

/// A state that was reported.
#[derive(Debug, PartialEq, Eq)]
pub struct Fact {
    /// Name of the state.
    pub name: &'static str,
    /// The column that holds the newest clock, or `''`: `<name>_clock`.
    pub clock: &'static str,
}

/// Something with a natural key, in table `jodo_r_<name>`. `tenant` is always the first key column.
#[derive(Debug, PartialEq, Eq)]
pub struct Entity {
    /// Name, plural: the table is `jodo_r_<name>`.
    pub name: &'static str,
    /// Text columns that, after `tenant`, make the primary key.
    pub key: &'static [&'static str],
    /// Registers.
    pub registers: &'static [Register],
    /// Facts.
    pub facts: &'static [Fact],
}

/// A grow-only set of lines, in table `jodo_s_<name>`. Every column is part of the primary key, `tenant` first.
#[derive(Debug, PartialEq, Eq)]
pub struct Set {
    /// Name, plural: the table is `jodo_s_<name>`.
    pub name: &'static str,
    /// Text columns after `tenant`; a missing value is `''`, never null.
    pub columns: &'static [&'static str],
}

/// When a value was reported: 12-digit seconds `.` 2-digit rank `.` first 16 hex digits of the delivery key.
/// Compared bytewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clock([u8; 32]);

impl Clock {
    /// A clock at `seconds` (Unix time, from 0 to 12 digits); at equal seconds the higher `rank` (0..=99) wins.
    pub fn new(seconds: i64, rank: u8, key: &jodo_shared::ids::DeliveryKey) -> Self {
        let text = format!("{seconds:012}.{rank:02}.{}", key.short());
        let mut clock = [b'0'; 32];
        // Of equal length, as long as seconds and rank are within their bounds.
        clock.iter_mut().zip(text.bytes()).for_each(|(place, byte)| *place = byte);
        Self(clock)
    }

    /// The clock as stored.
    pub fn as_str(&self) -> &str {
        // Made of a text of ASCII only.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// What one event does to one row or set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Registers and facts of one entity row.
    Write {
        /// Which entity.
        entity: &'static Entity,
        /// Tenant, then the values of [`Entity::key`].
        key: Vec<String>,
        /// Registers written: the register, its clock, and one value per column (the first always `Some`).
        registers: Vec<(&'static Register, Clock, Vec<Option<String>>)>,
        /// Facts reported.
        facts: Vec<(&'static Fact, Clock)>,
    },
    /// One line of a set: tenant, then the values of [`Set::columns`].
    Add {
        /// Which set.
        set: &'static Set,
        /// The line.
        line: Vec<String>,
    },
}
