//! One row of a view, filled in column by column.

use super::Row;
use super::book::{Kind, World};
use super::reading::{instant_and_day, money};
use super::words::Known;

/// A row in the making.
pub(super) struct Sheet<'a> {
    world: &'a World,
    row: Row,
}

impl<'a> Sheet<'a> {
    /// A row of the tenant.
    pub(super) fn new(world: &'a World) -> Self {
        Self { world, row: Row::from([("tenant", world.tenant.clone())]) }
    }

    /// A column's value, if it has one.
    pub(super) fn put(mut self, column: &'static str, value: Option<impl Into<String>>) -> Self {
        self.row.extend(value.map(|value| (column, value.into())));
        self
    }

    /// A column that always has a value.
    pub(super) fn set(self, column: &'static str, value: impl Into<String>) -> Self {
        self.put(column, Some(value))
    }

    /// Leaves a column out.
    pub(super) fn without(mut self, column: &str) -> Self {
        self.row.remove(column);
        self
    }

    /// The members that have the names of their columns.
    pub(super) fn copy(mut self, known: &Known, columns: &[&'static str]) -> Self {
        for column in columns {
            self = self.put(column, known.get(column));
        }
        self
    }

    /// `pupil_key` and `identifier`.
    pub(super) fn pupil(self, pupil: Option<&str>) -> Self {
        let known = pupil.and_then(|pupil| self.world.find(Kind::Pupil, pupil));
        let identifier = known.and_then(|known| known.get("identifier")).map(str::to_owned);
        self.put("pupil_key", pupil).put("identifier", identifier)
    }

    /// An amount as text and in paise.
    pub(super) fn money(self, [text, number]: [&'static str; 2], paise: Option<i64>) -> Self {
        self.put(text, paise.map(money)).put(number, paise.map(|paise| paise.to_string()))
    }

    /// The columns for the instant and the local day of a date and time.
    pub(super) fn moment(self, [instant, day]: [&'static str; 2], datetime: Option<&str>) -> Self {
        let read = datetime.and_then(|text| instant_and_day(text, &self.world.time_zone));
        let (utc, on) = read.unzip();
        self.put(instant, utc).put(day, on)
    }

    /// `paid_at_utc` and `paid_on`.
    pub(super) fn paid(self, known: &Known) -> Self {
        self.moment(["paid_at_utc", "paid_on"], known.get("paid_at"))
    }

    /// The row.
    pub(super) fn done(self) -> Row {
        self.row
    }
}
