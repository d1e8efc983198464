//! The declarative table: every entity, register, fact and set there is.
//!
//! SQL, fold, migrations' columns and docs/EVENTS.md all follow from this; [`ENTITIES`] and [`SETS`] are also the fixed order
//! in which a commit touches the tables.

// The macros come first, so that the modules below see them.

/// A register of one text.
macro_rules! text {
    ($name:literal) => {
        register!($name: $name Text)
    };
}

/// A register of one whole number.
macro_rules! integer {
    ($name:literal) => {
        register!($name: $name Integer)
    };
}

/// A register of one calendar day.
macro_rules! day {
    ($name:literal) => {
        register!($name: $name Date)
    };
}

/// A register with its columns: the first holds the value, the rest is derived from it.
macro_rules! register {
    ($name:literal: $($column:literal $kind:ident),+) => {
        crate::table::Register {
            name: $name,
            clock: concat!($name, "_clock"),
            columns: &[$(crate::table::Column { name: $column, kind: crate::table::ColumnType::$kind }),+],
        }
    };
}

/// A fact.
macro_rules! fact {
    ($name:literal) => {
        crate::table::Fact { name: $name, clock: concat!($name, "_clock") }
    };
}

mod agreements;
mod payments;
mod students;

pub use agreements::{DISBURSEMENTS, LOANS, MANDATES, SCHEDULE_LINES, SUBSCRIPTIONS};
pub use payments::{EMIS, FEE_LINES, FLEX_PAYMENTS, MANUAL_PAYMENTS, ORDERS, PAY_PAYMENTS, SETTLEMENTS};
pub use students::{STUDENT_IDS, STUDENTS};

use crate::table::{Entity, Set};

/// Every entity, in the order in which a commit touches them.
pub static ENTITIES: &[&Entity] = &[
    &STUDENTS,
    &MANUAL_PAYMENTS,
    &SUBSCRIPTIONS,
    &MANDATES,
    &FLEX_PAYMENTS,
    &PAY_PAYMENTS,
    &ORDERS,
    &LOANS,
    &DISBURSEMENTS,
    &EMIS,
    &SETTLEMENTS,
];

/// Every set, in the order in which a commit touches them, after the entities.
pub static SETS: &[&Set] = &[&STUDENT_IDS, &FEE_LINES, &SCHEDULE_LINES];

/// The views that people and the ERP read (docs/VIEWS.md).
pub static VIEWS: &[&str] = &[
    "jodo_students",
    "jodo_manual_payments",
    "jodo_fee_lines",
    "jodo_flex_payments",
    "jodo_pay_payments",
    "jodo_orders",
    "jodo_subscriptions",
    "jodo_plan_instalments",
    "jodo_mandates",
    "jodo_loans",
    "jodo_disbursements",
    "jodo_loan_repayments",
    "jodo_receipts",
    "jodo_unmatched_receipts",
    "jodo_bank_credits",
    "jodo_student_overview",
    "jodo_anomalies",
];
