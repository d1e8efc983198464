//! Folds the changes of a batch into one row per key, as the JSON that the statements of [`crate::sql`] take.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::entities::{ENTITIES, SETS};
use crate::table::{Change, Clock, Entity, Fact, Register};

/// What a batch does to one row: the newest value per register, the newest clock per fact.
#[derive(Debug, Default)]
struct Row {
    registers: BTreeMap<&'static str, (&'static Register, Clock, Vec<Option<String>>)>,
    facts: BTreeMap<&'static str, Clock>,
}

impl Row {
    /// The newer clock wins; at equal clocks the bytewise greater value, as in SQL.
    fn write(&mut self, register: &'static Register, clock: &Clock, values: &[Option<String>]) {
        let newer = self.registers.get(register.name).is_none_or(|(_, old_clock, old_values)| {
            (clock, values.first()) > (old_clock, old_values.first())
        });
        if newer {
            self.registers.insert(register.name, (register, clock.clone(), values.to_vec()));
        }
    }

    fn report(&mut self, fact: &'static Fact, clock: &Clock) {
        if self.facts.get(fact.name).is_none_or(|old| clock > old) {
            self.facts.insert(fact.name, clock.clone());
        }
    }

    fn into_json(self, entity: &Entity, key: Vec<String>) -> Value {
        let mut object = Map::new();
        let key_columns = std::iter::once("tenant").chain(entity.key.iter().copied());
        object.extend(key_columns.zip(key).map(|(column, value)| (column.to_owned(), Value::String(value))));
        for (name, (register, clock, values)) in self.registers {
            object.insert(format!("{name}_clock"), clock.as_str().into());
            for (column, value) in register.columns.iter().zip(values) {
                object.insert(column.name.to_owned(), value.map_or(Value::Null, Value::String));
            }
        }
        for (name, clock) in self.facts {
            object.insert(format!("{name}_clock"), clock.as_str().into());
        }
        Value::Object(object)
    }
}

/// The rows of one table, ready to be bound: the table's name and a JSON array, keys in bytewise order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableBatch {
    /// Name of the entity or set.
    pub table: &'static str,
    /// JSON array of objects, one per row; every scalar is a JSON string or null.
    pub rows: String,
}

/// Folds changes, in any order, into at most one batch per table, in the fixed order of the declarative table.
/// Keys within a table are sorted bytewise, so that two workers lock rows in the same order.
pub fn fold<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Vec<TableBatch> {
    let mut entities: BTreeMap<&'static str, BTreeMap<Vec<String>, Row>> = BTreeMap::new();
    let mut sets: BTreeMap<&'static str, BTreeSet<Vec<String>>> = BTreeMap::new();
    for change in changes {
        match change {
            Change::Write { entity, key, registers, facts } => {
                let row = entities.entry(entity.name).or_default().entry(key.clone()).or_default();
                for (register, clock, values) in registers {
                    row.write(register, clock, values);
                }
                for (fact, clock) in facts {
                    row.report(fact, clock);
                }
            }
            Change::Add { set, line } => {
                sets.entry(set.name).or_default().insert(line.clone());
            }
        }
    }
    let entity_rows = ENTITIES.iter().filter_map(|entity| {
        let rows = entities.remove(entity.name)?;
        let rows = rows.into_iter().map(|(key, row)| row.into_json(entity, key)).collect();
        Some(TableBatch { table: entity.name, rows: Value::Array(rows).to_string() })
    });
    let mut batches: Vec<_> = entity_rows.collect();
    batches.extend(SETS.iter().filter_map(|set| {
        let columns = || std::iter::once("tenant").chain(set.columns.iter().copied());
        let line_json = |line: Vec<String>| {
            Value::Object(columns().map(str::to_owned).zip(line.into_iter().map(Value::String)).collect())
        };
        let lines = sets.remove(set.name)?.into_iter().map(line_json).collect();
        Some(TableBatch { table: set.name, rows: Value::Array(lines).to_string() })
    }));
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entities::{STUDENT_IDS, STUDENTS};
    use jodo_shared::ids::DeliveryKey;

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
        assert_eq!(folded[1].rows, r#"[{"identifier":"","jodo_student_id":"7","tenant":"main"}]"#);
    }
}
