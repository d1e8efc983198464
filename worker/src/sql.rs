//! The SQL of the ERP side, made from the declarative table, in the dialect of either database.
//!
//! One constant statement per table, which takes a whole batch as one JSON bind; every scalar is a JSON string and is
//! cast here. A register is written only by a newer clock, so a statement may be repeated, and batches may be cut and
//! ordered in any way, without changing where the rows end.

use std::sync::LazyLock;

use crate::entities::{ENTITIES, SETS};
use crate::table::{Column, ColumnType, Entity, Register, Set};

mod by_hand;

pub use by_hand::ByHand;

/// A statement and the table it writes.
#[derive(Debug)]
pub struct TableStatement {
    /// Name of the entity or set, as in [`TableBatch`](crate::fold::TableBatch).
    pub table: &'static str,
    /// Takes one text bind: a JSON array of rows.
    pub sql: String,
}

/// The statements of a commit. `$1` is a JSON array of rows, `$2`, where there is one, the list of their bodies.
#[derive(Debug)]
pub struct Statements {
    /// Every projection's, in the fixed order of the declarative table.
    pub projections: Vec<TableStatement>,
    /// Writes event rows. A settled row is left alone. Returns the keys it wrote. A row that is `retrying` and stays so
    /// keeps its lease. A row's attempts are the inbox's own count and are never taken from a repeat.
    pub events: String,
    /// Stores held deliveries.
    pub unverified: String,
    /// What operators do to single events.
    pub by_hand: ByHand,
}

/// For PostgreSQL.
pub static POSTGRES: LazyLock<Statements> = LazyLock::new(|| statements(Dialect::Postgres));
/// For SQLite.
pub static SQLITE: LazyLock<Statements> = LazyLock::new(|| statements(Dialect::Sqlite));

/// How the names of the tables that people read begin.
pub const LIVE: &str = "jodo_";
/// How the names of the tables begin in which `jodo-sync rebuild` makes the same rows anew.
pub const SHADOW: &str = "jodo_rebuilt_";

/// The projections' statements on the shadow tables, for PostgreSQL.
pub static POSTGRES_SHADOW: LazyLock<Vec<TableStatement>> =
    LazyLock::new(|| projections(Dialect::Postgres, SHADOW));
/// For SQLite.
pub static SQLITE_SHADOW: LazyLock<Vec<TableStatement>> =
    LazyLock::new(|| projections(Dialect::Sqlite, SHADOW));

fn statements(dialect: Dialect) -> Statements {
    Statements {
        projections: projections(dialect, LIVE),
        events: events(dialect),
        unverified: unverified(dialect),
        by_hand: ByHand::new(dialect),
    }
}

fn projections(dialect: Dialect, prefix: &str) -> Vec<TableStatement> {
    let entities = ENTITIES.iter().map(|e| TableStatement { table: e.name, sql: upsert(dialect, prefix, e) });
    let sets = SETS.iter().map(|s| TableStatement { table: s.name, sql: insert_lines(dialect, prefix, s) });
    entities.chain(sets).collect()
}

/// What the two databases say in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    /// The rows of the JSON bind as a table `x` with these columns, all text; with the rows' bodies as a column `body`.
    fn rows(self, columns: &[&str], bodies: bool) -> String {
        let list =
            |each: &dyn Fn(&str) -> String| columns.iter().map(|c| each(c)).collect::<Vec<_>>().join(", ");
        match (self, bodies) {
            (Self::Postgres, false) => {
                format!("json_to_recordset($1::json) AS x({})", list(&|c| format!("{c} text")))
            }
            (Self::Postgres, true) => format!(
                "ROWS FROM (json_to_recordset($1::json) AS ({}), unnest($2)) AS x({}, body)",
                list(&|c| format!("{c} text")),
                list(&str::to_owned),
            ),
            (Self::Sqlite, _) => {
                let body = if bodies { ", unhex(value ->> 'body') AS body" } else { "" };
                format!(
                    "(SELECT {}{body} FROM jsonb_each($1)) AS x",
                    list(&|c| format!("value ->> '{c}' AS {c}"))
                )
            }
        }
    }

    /// Column `column` of `x`, which is text, as a value of type `kind`. SQLite's strict tables convert by themselves,
    /// or refuse.
    fn cast(self, column: &str, kind: ColumnType) -> String {
        match (self, kind) {
            (Self::Sqlite, _) | (_, ColumnType::Text | ColumnType::Instant) => format!("x.{column}"),
            (Self::Postgres, ColumnType::Money) => format!("x.{column}::numeric(17,2)"),
            (Self::Postgres, ColumnType::Integer) => format!("x.{column}::bigint"),
            (Self::Postgres, ColumnType::Date) => format!("x.{column}::date"),
        }
    }

    /// A value in the form in which two are compared bytewise.
    fn bytewise(self, value: &str) -> String {
        match self {
            Self::Postgres => format!("{value}::text COLLATE \"C\""),
            Self::Sqlite => format!("CAST({value} AS TEXT)"),
        }
    }

    fn boolean(self, column: &str) -> String {
        match self {
            Self::Postgres => format!("x.{column}::boolean"),
            Self::Sqlite => format!("x.{column} = 'true'"),
        }
    }
}

const EVENT_COLUMNS: [&str; 18] = [
    "delivery_key",
    "source",
    "tenant",
    "event_id",
    "code",
    "event_time",
    "pupil_key",
    "subject",
    "payload_digest",
    "outcome",
    "reason",
    "detail",
    "warnings",
    "due_at",
    "received_at",
    "recorded_at",
    "redrive",
    "trace",
];

fn events(dialect: Dialect) -> String {
    format!(
        "INSERT INTO jodo_events AS t ({names}, body) SELECT {picked}, x.body FROM {rows} WHERE true \
         ON CONFLICT (delivery_key) DO UPDATE SET event_id = excluded.event_id, code = excluded.code, \
         event_time = excluded.event_time, pupil_key = excluded.pupil_key, \
         subject = excluded.subject, payload_digest = excluded.payload_digest, \
         outcome = excluded.outcome, reason = excluded.reason, detail = excluded.detail, warnings = excluded.warnings, \
         due_at = CASE WHEN t.outcome = 'retrying' AND excluded.outcome = 'retrying' AND t.due_at > excluded.due_at \
         THEN t.due_at ELSE excluded.due_at END, \
         recorded_at = excluded.recorded_at \
         WHERE t.outcome IN ('retrying', 'quarantined') \
         RETURNING delivery_key",
        names = EVENT_COLUMNS.join(", "),
        picked = picked_events(dialect),
        rows = dialect.rows(&EVENT_COLUMNS, true),
    )
}

/// [`EVENT_COLUMNS`] of `x`.
fn picked_events(dialect: Dialect) -> String {
    let picked: Vec<_> = EVENT_COLUMNS
        .iter()
        .map(|column| match *column {
            "event_time" => dialect.cast("event_time", ColumnType::Integer),
            "redrive" => dialect.boolean("redrive"),
            column => format!("x.{column}"),
        })
        .collect();
    picked.join(", ")
}

fn unverified(dialect: Dialect) -> String {
    let columns = ["delivery_key", "source", "tenant", "received_at", "expires_at", "signature"];
    format!(
        "INSERT INTO jodo_unverified ({names}, body) SELECT {picked}, x.body FROM {rows} WHERE true \
         ON CONFLICT (delivery_key) DO NOTHING",
        names = columns.join(", "),
        picked = columns.map(|c| format!("x.{c}")).join(", "),
        rows = dialect.rows(&columns, true),
    )
}

fn clocks(entity: &Entity) -> impl Iterator<Item = &'static str> {
    entity.registers.iter().map(|register| register.clock).chain(entity.facts.iter().map(|fact| fact.clock))
}

fn value_columns(entity: &Entity) -> impl Iterator<Item = &'static Column> {
    entity.registers.iter().flat_map(|register| register.columns)
}

/// When the incoming register replaces the stored one: the rule of the fold, in SQL.
fn newer(dialect: Dialect, register: &Register) -> String {
    let (clock, value) = (register.clock, register.columns[0].name);
    let (incoming, stored) =
        (dialect.bytewise(&format!("excluded.{value}")), dialect.bytewise(&format!("t.{value}")));
    format!("(excluded.{clock} > t.{clock} OR (excluded.{clock} = t.{clock} AND {incoming} > {stored}))")
}

fn upsert(dialect: Dialect, prefix: &str, entity: &Entity) -> String {
    let keys: Vec<_> = std::iter::once("tenant").chain(entity.key.iter().copied()).collect();
    let clocks: Vec<_> = clocks(entity).collect();
    let values = value_columns(entity).map(|column| column.name);
    let names: Vec<_> = keys.iter().copied().chain(values).chain(clocks.iter().copied()).collect();
    let picked = keys.iter().map(|key| format!("x.{key}"));
    let picked = picked.chain(value_columns(entity).map(|column| dialect.cast(column.name, column.kind)));
    let picked: Vec<_> =
        picked.chain(clocks.iter().map(|clock| format!("coalesce(x.{clock}, '')"))).collect();
    let (sets, changed) = updates(dialect, entity);
    format!(
        "INSERT INTO {prefix}r_{table} AS t ({names}) SELECT {picked} FROM {rows} WHERE true \
         ON CONFLICT ({keys}) DO UPDATE SET {sets} WHERE {changed}",
        table = entity.name,
        names = names.join(", "),
        picked = picked.join(", "),
        rows = dialect.rows(&names, false),
        keys = keys.join(", "),
        sets = sets.join(", "),
        changed = changed.join(" OR "),
    )
}

/// What an upsert sets, and the conditions of which one must hold for it to set anything.
fn updates(dialect: Dialect, entity: &Entity) -> (Vec<String>, Vec<String>) {
    let (mut sets, mut changed) = (Vec::new(), Vec::new());
    for register in entity.registers {
        let newer = newer(dialect, register);
        let columns = register.columns.iter().map(|c| c.name.to_owned());
        for column in columns.chain([register.clock.to_owned()]) {
            sets.push(format!("{column} = CASE WHEN {newer} THEN excluded.{column} ELSE t.{column} END"));
        }
        changed.push(newer);
    }
    for fact in entity.facts {
        let clock = fact.clock;
        sets.push(format!(
            "{clock} = CASE WHEN excluded.{clock} > t.{clock} THEN excluded.{clock} ELSE t.{clock} END"
        ));
        changed.push(format!("excluded.{clock} > t.{clock}"));
    }
    (sets, changed)
}

fn insert_lines(dialect: Dialect, prefix: &str, set: &Set) -> String {
    let columns: Vec<_> = std::iter::once("tenant").chain(set.columns.iter().copied()).collect();
    let picked: Vec<_> = columns.iter().map(|column| format!("x.{column}")).collect();
    format!(
        "INSERT INTO {prefix}s_{table} ({names}) SELECT {picked} FROM {rows} WHERE true ON CONFLICT DO NOTHING",
        table = set.name,
        names = columns.join(", "),
        picked = picked.join(", "),
        rows = dialect.rows(&columns, false),
    )
}
