//! Folds the changes of a batch into one row per key, as the JSON that the statements of [`crate::sql`] take.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::entities::{ENTITIES, SETS};
use crate::table::{Change, Clock, Entity, Fact, Register, Set};

/// What a batch does to one row: the newest value per register, the newest clock per fact. Few of each are written, so
/// they are looked for one by one.
#[derive(Debug, Default)]
struct Row<'a> {
    registers: Vec<(&'static Register, &'a Clock, &'a [Option<String>])>,
    facts: Vec<(&'static Fact, &'a Clock)>,
}

impl<'a> Row<'a> {
    /// The newer clock wins; at equal clocks the bytewise greater value, as in SQL.
    fn write(&mut self, register: &'static Register, clock: &'a Clock, values: &'a [Option<String>]) {
        match self.registers.iter_mut().find(|(own, ..)| own.name == register.name) {
            Some(own) if (clock, values.first()) > (own.1, own.2.first()) => *own = (register, clock, values),
            Some(_) => {}
            None => self.registers.push((register, clock, values)),
        }
    }

    fn report(&mut self, fact: &'static Fact, clock: &'a Clock) {
        match self.facts.iter_mut().find(|(own, _)| own.name == fact.name) {
            Some(own) if clock > own.1 => own.1 = clock,
            Some(_) => {}
            None => self.facts.push((fact, clock)),
        }
    }
}

/// Tenant and natural key, or a line of a set.
type Key<'a> = &'a [String];

/// A row as it is bound: every scalar a JSON string; what is left out is null.
struct EntityRow<'a> {
    entity: &'static Entity,
    key: Key<'a>,
    row: &'a Row<'a>,
}

impl Serialize for EntityRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (column, value) in key_columns(self.entity.key).zip(self.key) {
            object.serialize_entry(column, value)?;
        }
        for (register, clock, values) in &self.row.registers {
            object.serialize_entry(register.clock, clock.as_str())?;
            // What is left out is null.
            for (column, value) in register.columns.iter().zip(*values).filter(|(_, value)| value.is_some()) {
                object.serialize_entry(column.name, value)?;
            }
        }
        for (fact, clock) in &self.row.facts {
            object.serialize_entry(fact.clock, clock.as_str())?;
        }
        object.end()
    }
}

/// A line of a set as it is bound.
struct Line<'a> {
    set: &'static Set,
    line: Key<'a>,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(key_columns(self.set.columns).zip(self.line))
    }
}

fn key_columns(own: &'static [&'static str]) -> impl Iterator<Item = &'static str> {
    std::iter::once("tenant").chain(own.iter().copied())
}

/// The rows of one table, ready to be bound: the table's name and a JSON array, keys in bytewise order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableBatch {
    /// Name of the entity or set.
    pub table: &'static str,
    /// JSON array of objects, one per row; every scalar is a JSON string, and what is left out is null.
    pub rows: String,
}

impl TableBatch {
    fn of(table: &'static str, rows: impl Iterator<Item: Serialize>) -> Self {
        let rows: Vec<_> = rows.collect();
        // Objects whose names are texts cannot fail to become JSON, nor can a write into memory.
        Self { table, rows: serde_json::to_string(&rows).unwrap_or_default() }
    }
}

/// Folds changes, in any order, into at most one batch per table, in the fixed order of the declarative table.
/// Keys within a table are sorted bytewise, so that two workers lock rows in the same order.
pub fn fold<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Vec<TableBatch> {
    let mut entities: BTreeMap<&'static str, BTreeMap<Key<'a>, Row<'a>>> = BTreeMap::new();
    let mut sets: BTreeMap<&'static str, BTreeSet<Key<'a>>> = BTreeMap::new();
    for change in changes {
        match change {
            Change::Write { entity, key, registers, facts } => {
                let row = entities.entry(entity.name).or_default().entry(key).or_default();
                for (register, clock, values) in registers {
                    row.write(register, clock, values);
                }
                for (fact, clock) in facts {
                    row.report(fact, clock);
                }
            }
            Change::Add { set, line } => {
                sets.entry(set.name).or_default().insert(line);
            }
        }
    }
    let of_entities = ENTITIES.iter().filter_map(|entity| {
        let rows = entities.get(entity.name)?.iter().map(|(key, row)| EntityRow { entity, key, row });
        Some(TableBatch::of(entity.name, rows))
    });
    let of_sets = SETS.iter().filter_map(|set| {
        let lines = sets.get(set.name)?.iter().map(|line| Line { set, line });
        Some(TableBatch::of(set.name, lines))
    });
    of_entities.chain(of_sets).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entities::{STUDENT_IDS, STUDENTS};
    use jodo_shared::ids::DeliveryKey;
    use serde_json::Value;

    fn clock(seconds: i64) -> Clock {
        Clock::new(seconds, 10, &DeliveryKey::of(&"jodo".parse().unwrap(), b"one"))
    }

    fn fullname() -> &'static Register {
        STUDENTS.registers.iter().find(|r| r.name == "fullname").unwrap()
    }

    fn named(key: &str, seconds: i64, name: &str) -> Change {
        Change::Write {
            entity: &STUDENTS,
            key: vec!["main".into(), key.into()],
            registers: vec![(fullname(), clock(seconds), vec![Some(name.into())])],
            facts: vec![(&STUDENTS.facts[0], clock(seconds))],
        }
    }

    #[test]
    fn each_key_is_left_once_with_its_newest_value_whatever_the_order() {
        let forward = fold(&[named("erp:2", 5, "new"), named("erp:10", 1, "x"), named("erp:2", 4, "old")]);
        let backward = fold(&[named("erp:2", 4, "old"), named("erp:10", 1, "x"), named("erp:2", 5, "new")]);
        assert_eq!(forward, backward);
        let rows: Vec<Value> = serde_json::from_str(&forward[0].rows).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0]["pupil_key"], "erp:10", "keys are sorted bytewise");
        assert_eq!(rows[1]["fullname"], "new");
        assert_eq!(rows[1]["registered_clock"], clock(5).as_str());
    }

    #[test]
    fn at_equal_clocks_the_bytewise_greater_value_wins() {
        for changes in [["a", "b"], ["b", "a"]] {
            let folded = fold(&changes.map(|name| named("erp:1", 5, name)));
            let rows: Vec<Value> = serde_json::from_str(&folded[0].rows).unwrap();
            assert_eq!(rows[0]["fullname"], "b");
        }
    }

    #[test]
    fn a_set_keeps_one_of_equal_lines_and_comes_after_the_entities() {
        let line = || Change::Add { set: &STUDENT_IDS, line: vec!["main".into(), "7".into(), String::new()] };
        let folded = fold(&[line(), named("erp:1", 1, "x"), line()]);
        assert_eq!(folded.iter().map(|batch| batch.table).collect::<Vec<_>>(), ["students", "student_ids"]);
        assert_eq!(folded[1].rows, r#"[{"tenant":"main","jodo_student_id":"7","identifier":""}]"#);
    }
}
