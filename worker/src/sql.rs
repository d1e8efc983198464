//! The SQL of the ERP side, made from the declarative table. PostgreSQL's dialect.
//!
//! One constant statement per table, which takes a whole batch as one JSON bind; every scalar is a JSON string and is
//! cast here. A register is written only by a newer clock, so a statement may be repeated, and batches may be cut and
//! ordered in any way, without changing where the rows end.

use std::sync::LazyLock;

use crate::entities::{ENTITIES, SETS};
use crate::table::{Column, ColumnType, Entity, Register, Set};

/// A statement and the table it writes.
#[derive(Debug)]
pub struct TableStatement {
    /// Name of the entity or set, as in [`TableBatch`](crate::fold::TableBatch).
    pub table: &'static str,
    /// Takes one text bind: a JSON array of rows.
    pub sql: String,
}

/// Every projection's statement, in the fixed order of the declarative table.
pub static PROJECTIONS: LazyLock<Vec<TableStatement>> = LazyLock::new(|| {
    let entities = ENTITIES.iter().map(|e| TableStatement { table: e.name, sql: upsert(e) });
    let sets = SETS.iter().map(|s| TableStatement { table: s.name, sql: insert_lines(s) });
    entities.chain(sets).collect()
});

/// Writes event rows: one text bind (JSON array of rows) and one bind of their bodies, in the same order.
///
/// A settled row is left alone. Returns the keys it wrote. A row that is `retrying` and stays so keeps its lease. A row's
/// attempts are the inbox's own count and are never taken from a repeat.
pub const EVENTS: &str = "\
INSERT INTO jodo_events AS t (delivery_key, source, tenant, event_id, code, event_time, pupil_key, payload_digest, \
outcome, reason, detail, warnings, due_at, received_at, recorded_at, redrive, trace, body) \
SELECT x.delivery_key, x.source, x.tenant, x.event_id, x.code, x.event_time::bigint, x.pupil_key, x.payload_digest, \
x.outcome, x.reason, x.detail, x.warnings, x.due_at, x.received_at, \
x.recorded_at, x.redrive::boolean, x.trace, x.body \
FROM ROWS FROM (json_to_recordset($1::json) AS (delivery_key text, source text, tenant text, event_id text, \
code text, event_time text, pupil_key text, payload_digest text, outcome text, reason text, detail text, \
warnings text, due_at text, received_at text, recorded_at text, redrive text, trace text), unnest($2)) \
AS x(delivery_key, source, tenant, event_id, code, event_time, pupil_key, payload_digest, outcome, reason, detail, \
warnings, due_at, received_at, recorded_at, redrive, trace, body) \
ON CONFLICT (delivery_key) DO UPDATE SET event_id = excluded.event_id, code = excluded.code, \
event_time = excluded.event_time, pupil_key = excluded.pupil_key, payload_digest = excluded.payload_digest, \
outcome = excluded.outcome, reason = excluded.reason, detail = excluded.detail, warnings = excluded.warnings, \
due_at = CASE WHEN t.outcome = 'retrying' AND excluded.outcome = 'retrying' AND t.due_at > excluded.due_at \
THEN t.due_at ELSE excluded.due_at END, \
recorded_at = excluded.recorded_at \
WHERE t.outcome IN ('retrying', 'quarantined') \
RETURNING t.delivery_key";

/// Stores held deliveries: one text bind (JSON array of rows) and one bind of their bodies, in the same order.
pub const UNVERIFIED: &str = "\
INSERT INTO jodo_unverified (delivery_key, source, tenant, received_at, expires_at, body) \
SELECT x.delivery_key, x.source, x.tenant, x.received_at, x.expires_at, x.body \
FROM ROWS FROM (json_to_recordset($1::json) AS (delivery_key text, source text, tenant text, received_at text, \
expires_at text), unnest($2)) AS x(delivery_key, source, tenant, received_at, expires_at, body) \
ON CONFLICT (delivery_key) DO NOTHING";

fn sql_type(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Text | ColumnType::Instant => "text",
        ColumnType::Money => "numeric(17,2)",
        ColumnType::Integer => "bigint",
        ColumnType::Date => "date",
    }
}

fn clock_column(name: &str) -> String {
    format!("{name}_clock")
}

fn clocks(entity: &Entity) -> impl Iterator<Item = String> {
    let registers = entity.registers.iter().map(|r| r.name);
    registers.chain(entity.facts.iter().map(|f| f.name)).map(clock_column)
}

fn value_columns(entity: &Entity) -> impl Iterator<Item = &'static Column> {
    entity.registers.iter().flat_map(|register| register.columns)
}

/// When the incoming register replaces the stored one: the rule of the fold, in SQL.
fn newer(register: &Register) -> String {
    let (clock, value) = (clock_column(register.name), register.columns[0].name);
    format!(
        "(excluded.{clock} > t.{clock} OR (excluded.{clock} = t.{clock} \
         AND excluded.{value}::text COLLATE \"C\" > t.{value}::text COLLATE \"C\"))"
    )
}

fn upsert(entity: &Entity) -> String {
    let keys: Vec<_> = std::iter::once("tenant").chain(entity.key.iter().copied()).collect();
    let names = keys.iter().map(|key| (*key).to_owned());
    let names: Vec<_> =
        names.chain(value_columns(entity).map(|c| c.name.to_owned())).chain(clocks(entity)).collect();
    let picked = keys.iter().map(|key| format!("x.{key}"));
    let picked = picked.chain(value_columns(entity).map(|c| match sql_type(c.kind) {
        "text" => format!("x.{}", c.name),
        other => format!("x.{}::{other}", c.name),
    }));
    let picked: Vec<_> = picked.chain(clocks(entity).map(|c| format!("coalesce(x.{c}, '')"))).collect();
    let incoming: Vec<_> = names.iter().map(|name| format!("{name} text")).collect();

    let mut sets = Vec::new();
    let mut changed = Vec::new();
    for register in entity.registers {
        let newer = newer(register);
        let columns = register.columns.iter().map(|c| c.name.to_owned());
        for column in columns.chain([clock_column(register.name)]) {
            sets.push(format!("{column} = CASE WHEN {newer} THEN excluded.{column} ELSE t.{column} END"));
        }
        changed.push(newer);
    }
    for fact in entity.facts {
        let clock = clock_column(fact.name);
        sets.push(format!(
            "{clock} = CASE WHEN excluded.{clock} > t.{clock} THEN excluded.{clock} ELSE t.{clock} END"
        ));
        changed.push(format!("excluded.{clock} > t.{clock}"));
    }
    format!(
        "INSERT INTO jodo_r_{table} AS t ({names}) SELECT {picked} FROM json_to_recordset($1::json) AS x({incoming}) \
         ON CONFLICT ({keys}) DO UPDATE SET {sets} WHERE {changed}",
        table = entity.name,
        names = names.join(", "),
        picked = picked.join(", "),
        incoming = incoming.join(", "),
        keys = keys.join(", "),
        sets = sets.join(", "),
        changed = changed.join(" OR "),
    )
}

fn insert_lines(set: &Set) -> String {
    let columns: Vec<_> = std::iter::once("tenant").chain(set.columns.iter().copied()).collect();
    let list = |prefix: &str, suffix: &str| {
        columns.iter().map(|c| format!("{prefix}{c}{suffix}")).collect::<Vec<_>>().join(", ")
    };
    format!(
        "INSERT INTO jodo_s_{table} ({names}) SELECT {picked} FROM json_to_recordset($1::json) AS x({incoming}) \
         ON CONFLICT DO NOTHING",
        table = set.name,
        names = list("", ""),
        picked = list("x.", ""),
        incoming = list("", " text"),
    )
}
