//! The declarative table: every entity, register, fact and set there is.
//!
//! SQL, fold, migrations' columns and docs/EVENTS.md all follow from this; [`ENTITIES`] and [`SETS`] are also the fixed order
//! in which a commit touches the tables.

use crate::table::{Column, ColumnType, Entity, Fact, Register, Set};

const fn register(name: &'static str, columns: &'static [Column]) -> Register {
    Register { name, columns }
}

macro_rules! column {
    ($name:literal, $kind:ident) => {
        Column { name: $name, kind: ColumnType::$kind }
    };
}

/// Pupils, by `pupil_key`: `erp:` and the ERP's own number, or `jodo:` and the sender's id.
pub static STUDENTS: Entity = Entity {
    name: "students",
    key: &["pupil_key"],
    registers: &[
        register("identifier", &[column!("identifier", Text)]),
        register("jodo_student_id", &[column!("jodo_student_id", Text)]),
        register("custom_identifier", &[column!("custom_identifier", Text)]),
        register("collector_code", &[column!("collector_code", Text)]),
        register("fullname", &[column!("fullname", Text)]),
        register("grade_code", &[column!("grade_code", Text)]),
        register("grade_name", &[column!("grade_name", Text)]),
        register("academic_year_start", &[column!("academic_year_start", Integer)]),
        register("academic_year_end", &[column!("academic_year_end", Integer)]),
        register("contact_number", &[column!("contact_number", Text)]),
        register("contact_email", &[column!("contact_email", Text)]),
        register("notes", &[column!("notes", Text)]),
    ],
    facts: &[Fact { name: "registered" }, Fact { name: "dropped" }, Fact { name: "activated" }],
};

/// Manual ("direct") payments, by the sender's payment id.
pub static MANUAL_PAYMENTS: Entity = Entity {
    name: "manual_payments",
    key: &["payment_id"],
    registers: &[
        register("pupil", &[column!("pupil_key", Text)]),
        register("amount", &[column!("amount", Money), column!("amount_paise", Integer)]),
        register("mode", &[column!("mode", Text)]),
        register("transaction_id", &[column!("transaction_id", Text)]),
        register("settlement_utr", &[column!("settlement_utr", Text)]),
        register("notes", &[column!("notes", Text)]),
        register(
            "paid_at",
            &[column!("paid_at", Text), column!("paid_at_utc", Instant), column!("paid_on", Date)],
        ),
        // The lines as canonical JSON, and the sum of their amounts.
        register("details", &[column!("details", Text), column!("details_paise", Integer)]),
    ],
    facts: &[Fact { name: "added" }, Fact { name: "updated" }, Fact { name: "cancelled" }],
};

/// Which of the sender's student ids were seen beside which of the ERP's numbers (`''` when beside none).
pub static STUDENT_IDS: Set = Set { name: "student_ids", columns: &["jodo_student_id", "identifier"] };

/// Every entity, in the order in which a commit touches them.
pub static ENTITIES: &[&Entity] = &[&STUDENTS, &MANUAL_PAYMENTS];

/// Every set, in the order in which a commit touches them, after the entities.
pub static SETS: &[&Set] = &[&STUDENT_IDS];

/// The views that people and the ERP read.
pub static VIEWS: &[&str] =
    &["jodo_students", "jodo_manual_payments", "jodo_student_overview", "jodo_anomalies"];
