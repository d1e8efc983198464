//! A store in memory with the rules of the real ones: registers by their clocks, facts by their newest, sets by union.
//! It holds the tables and no views, and is quick enough for hundreds of thousands of histories.

use std::collections::{BTreeMap, BTreeSet};

use jodo_worker::entities::ENTITIES;
use jodo_worker::fold::TableBatch;
use jodo_worker::table::Column;
use serde_json::{Map, Value};

/// The rows of all tables; sets keep their lines as text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    rows: BTreeMap<(&'static str, String), Map<String, Value>>,
    lines: BTreeSet<(&'static str, String)>,
}

impl Memory {
    /// Takes one batch in, as an upsert does.
    pub(crate) fn write(&mut self, batches: &[TableBatch]) {
        for batch in batches {
            let incoming: Vec<Map<String, Value>> = serde_json::from_str(&batch.rows).expect("rows");
            match ENTITIES.iter().find(|entity| entity.name == batch.table) {
                None => {
                    let lines =
                        incoming.into_iter().map(|line| (batch.table, Value::Object(line).to_string()));
                    self.lines.extend(lines);
                }
                Some(entity) => {
                    for row in incoming {
                        let key: Vec<_> = entity.key.iter().map(|column| row[*column].to_string()).collect();
                        let stored = self.rows.entry((batch.table, key.join("/"))).or_default();
                        for register in entity.registers {
                            merge(stored, &row, register.name, register.columns);
                        }
                        for fact in entity.facts {
                            merge(stored, &row, fact.name, &[]);
                        }
                    }
                }
            }
        }
    }
}

/// Replaces a register whose incoming clock is newer, or whose value is greater at the same one.
fn merge(stored: &mut Map<String, Value>, incoming: &Map<String, Value>, name: &str, columns: &[Column]) {
    let clock = format!("{name}_clock");
    let first = columns.first().map_or(clock.as_str(), |column| column.name);
    let rank = |row: &Map<String, Value>| {
        let text = |column: &str| row.get(column).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text(&clock), text(first))
    };
    if rank(incoming) > rank(stored) {
        for column in columns.iter().map(|column| column.name).chain([clock.as_str()]) {
            stored.insert(column.to_owned(), incoming.get(column).cloned().unwrap_or_default());
        }
    }
}
