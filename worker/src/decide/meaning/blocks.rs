//! The objects of the payloads, and where their members go.

use super::{Block, Field, Kind, register};
use crate::entities::{
    DISBURSEMENTS, EMIS, FLEX_PAYMENTS, LOANS, MANDATES, MANUAL_PAYMENTS, ORDERS, PAY_PAYMENTS, STUDENTS,
    SUBSCRIPTIONS,
};
use crate::table::Entity;

const fn field(member: &'static str, kind: Kind, entity: &'static Entity, name: &str) -> Field {
    Field { member, kind, register: register(entity, name) }
}

/// The student block, as far as it is flat (C§2).
pub static STUDENT: Block = Block {
    path: "payload.student",
    fields: &[
        field("identifier", Kind::Key, &STUDENTS, "identifier"),
        field("custom_identifier", Kind::Text, &STUDENTS, "custom_identifier"),
        field("collector_code", Kind::Text, &STUDENTS, "collector_code"),
        field("fullname", Kind::Text, &STUDENTS, "fullname"),
        field("academic_year_start", Kind::Integer, &STUDENTS, "academic_year_start"),
        field("academic_year_end", Kind::Integer, &STUDENTS, "academic_year_end"),
        field("primary_contact_number", Kind::Text, &STUDENTS, "contact_number"),
        field("primary_contact_email", Kind::Text, &STUDENTS, "contact_email"),
        field("notes", Kind::Notes, &STUDENTS, "notes"),
    ],
};

/// The grade within the student block.
pub static GRADE: Block = Block {
    path: "payload.student.grade",
    fields: &[
        field("code", Kind::Text, &STUDENTS, "grade_code"),
        field("name", Kind::Text, &STUDENTS, "grade_name"),
    ],
};

/// The sender's own number of the pupil, beside the student block. Only master data settles which is the pupil's.
pub static JODO_STUDENT_ID: Field = field("jodo_student_id", Kind::Key, &STUDENTS, "jodo_student_id");

/// A manual payment (C§3.2).
pub static MANUAL_PAYMENT: Block = Block {
    path: "payload.payment",
    fields: &[
        field("amount", Kind::Money, &MANUAL_PAYMENTS, "amount"),
        field("mode", Kind::Text, &MANUAL_PAYMENTS, "mode"),
        field("transaction_id", Kind::Text, &MANUAL_PAYMENTS, "transaction_id"),
        field("settlement_utr", Kind::Text, &MANUAL_PAYMENTS, "settlement_utr"),
        field("notes", Kind::Notes, &MANUAL_PAYMENTS, "notes"),
        field("paid_at", Kind::Moment, &MANUAL_PAYMENTS, "paid_at"),
    ],
};

/// An instalment plan (C§3.3). The status is the sender's word; no state follows from it.
pub static SUBSCRIPTION: Block =
    Block { path: "payload.subscription", fields: &[field("status", Kind::Text, &SUBSCRIPTIONS, "status")] };

/// A mandate (C§3.3).
pub static MANDATE: Block = Block {
    path: "payload.mandate",
    fields: &[
        field("status", Kind::Text, &MANDATES, "status"),
        field("npci_category_code", Kind::Text, &MANDATES, "npci_category_code"),
        field("end_date", Kind::Date, &MANDATES, "end_date"),
    ],
};

/// The plan of a mandate.
pub static MANDATE_SUBSCRIPTION: Block =
    Block { path: "payload.subscription", fields: &[field("id", Kind::Key, &MANDATES, "subscription")] };

/// A payment under a plan (C§3.3).
pub static FLEX_PAYMENT: Block = Block {
    path: "payload.payment",
    fields: &[
        field("amount", Kind::Money, &FLEX_PAYMENTS, "amount"),
        field("reference_id", Kind::Text, &FLEX_PAYMENTS, "reference_id"),
        field("product", Kind::Text, &FLEX_PAYMENTS, "product"),
        field("mode", Kind::Text, &FLEX_PAYMENTS, "mode"),
        field("paid_at", Kind::Moment, &FLEX_PAYMENTS, "paid_at"),
    ],
};

/// The plan of a payment.
pub static FLEX_SUBSCRIPTION: Block =
    Block { path: "payload.subscription", fields: &[field("id", Kind::Key, &FLEX_PAYMENTS, "subscription")] };

/// A payment of a pupil's fees (C§3.4).
pub static PAY_PAYMENT: Block = Block {
    path: "payload.payment",
    fields: &[
        field("amount", Kind::Money, &PAY_PAYMENTS, "amount"),
        field("product", Kind::Text, &PAY_PAYMENTS, "product"),
        field("mode", Kind::Text, &PAY_PAYMENTS, "mode"),
        field("paid_at", Kind::Moment, &PAY_PAYMENTS, "paid_at"),
    ],
};

/// An order, page or link (C§3.5). It stays `paid` there after it was settled (C§7 row 8).
pub static ORDER: Block = Block {
    path: "payload.order",
    fields: &[
        field("name", Kind::Text, &ORDERS, "name"),
        field("phone", Kind::Text, &ORDERS, "phone"),
        field("identifier", Kind::Text, &ORDERS, "identifier"),
        field("email", Kind::Text, &ORDERS, "email"),
        field("student_name", Kind::Text, &ORDERS, "student_name"),
        field("custom_identifier", Kind::Text, &ORDERS, "custom_identifier"),
        field("date_of_birth", Kind::Date, &ORDERS, "date_of_birth"),
        field("grade", Kind::Text, &ORDERS, "grade"),
        field("new_admission", Kind::Boolean, &ORDERS, "new_admission"),
        field("academic_year_start", Kind::Integer, &ORDERS, "academic_year_start"),
        field("academic_year_end", Kind::Integer, &ORDERS, "academic_year_end"),
        field("transaction_id", Kind::Text, &ORDERS, "transaction_id"),
        field("status", Kind::Text, &ORDERS, "status"),
        field("notes", Kind::Notes, &ORDERS, "notes"),
        field("paid_at", Kind::Moment, &ORDERS, "paid_at"),
    ],
};

/// A loan application (C§3.6).
pub static APPLICATION: Block = Block {
    path: "payload.application",
    fields: &[
        field("status", Kind::Text, &LOANS, "status"),
        field("amount", Kind::Money, &LOANS, "amount"),
        field("agreement_signed_at", Kind::Moment, &LOANS, "agreement_signed_at"),
    ],
};

/// A tranche as agreed (C§3.6).
pub static PLANNED_TRANCHE: Block = Block {
    path: "payload.disbursements",
    fields: &[
        field("date", Kind::Date, &DISBURSEMENTS, "planned_on"),
        field("amount", Kind::Money, &DISBURSEMENTS, "amount"),
    ],
};

/// A tranche as paid out (C§3.6).
pub static DISBURSED_TRANCHE: Block = Block {
    path: "payload.disbursement",
    fields: &[
        field("date", Kind::Date, &DISBURSEMENTS, "disbursed_on"),
        field("disbursed_amount", Kind::Money, &DISBURSEMENTS, "disbursed_amount"),
    ],
};

/// The loan of a tranche.
pub static TRANCHE_APPLICATION: Block =
    Block { path: "payload.application", fields: &[field("id", Kind::Key, &DISBURSEMENTS, "application")] };

/// A repayment to the lender (C§3.6).
pub static EMI: Block = Block {
    path: "payload.payment",
    fields: &[
        field("amount", Kind::Money, &EMIS, "amount"),
        field("due_date", Kind::Date, &EMIS, "due_on"),
        field("paid_at", Kind::Moment, &EMIS, "paid_at"),
    ],
};

/// The loan of a repayment.
pub static EMI_APPLICATION: Block =
    Block { path: "payload.application", fields: &[field("id", Kind::Key, &EMIS, "application")] };
