//! Money that moves: payments of every kind, their fee lines, and what of them reached the institute.

use crate::table::{Entity, Register, Set};

const PUPIL: Register = register!("pupil": "pupil_key" Text);
const AMOUNT: Register = register!("amount": "amount" Money, "amount_paise" Integer);
const PAID_AT: Register = register!("paid_at": "paid_at" Text, "paid_at_utc" Instant, "paid_on" Date);
/// The fee lines as canonical JSON, and the sum of their amounts.
const DETAILS: Register =
    register!("details": "details" Text, "details_amount" Money, "details_paise" Integer);

/// Manual ("direct") payments, by the sender's payment id.
pub static MANUAL_PAYMENTS: Entity = Entity {
    name: "manual_payments",
    key: &["payment_id"],
    registers: &[
        PUPIL,
        AMOUNT,
        text!("mode"),
        text!("transaction_id"),
        text!("settlement_utr"),
        text!("notes"),
        PAID_AT,
        DETAILS,
    ],
    facts: &[fact!("added"), fact!("updated"), fact!("cancelled")],
};

/// Payments under an instalment plan, by the sender's payment id: debits of instalments, and down-payments.
pub static FLEX_PAYMENTS: Entity = Entity {
    name: "flex_payments",
    key: &["payment_id"],
    registers: &[
        PUPIL,
        text!("kind"),
        register!("subscription": "subscription_id" Text),
        AMOUNT,
        text!("reference_id"),
        text!("product"),
        text!("mode"),
        PAID_AT,
        day!("bounced_on"),
        DETAILS,
    ],
    facts: &[fact!("bounced"), fact!("debited"), fact!("settled"), fact!("settled_without_utr")],
};

/// Payments of a pupil's fees (Pay), by the sender's payment id.
pub static PAY_PAYMENTS: Entity = Entity {
    name: "pay_payments",
    key: &["payment_id"],
    registers: &[PUPIL, AMOUNT, text!("product"), text!("mode"), PAID_AT, DETAILS],
    facts: &[fact!("debited"), fact!("settled"), fact!("settled_without_utr")],
};

/// Orders, payment pages and payment links, which share their ids; which of them it is, is a register.
pub static ORDERS: Entity = Entity {
    name: "orders",
    key: &["order_id"],
    registers: &[
        text!("kind"),
        text!("name"),
        text!("phone"),
        text!("identifier"),
        text!("email"),
        text!("student_name"),
        text!("custom_identifier"),
        day!("date_of_birth"),
        text!("grade"),
        text!("new_admission"),
        integer!("academic_year_start"),
        integer!("academic_year_end"),
        text!("transaction_id"),
        text!("status"),
        text!("notes"),
        PAID_AT,
        DETAILS,
    ],
    facts: &[fact!("expired"), fact!("debited"), fact!("settled"), fact!("settled_without_utr")],
};

/// Instalments that borrowers repay to the lender, by the sender's payment id.
pub static EMIS: Entity = Entity {
    name: "emis",
    key: &["payment_id"],
    registers: &[PUPIL, register!("application": "application_id" Text), AMOUNT, day!("due_on"), PAID_AT],
    facts: &[fact!("debited")],
};

/// Fee lines that reached the institute, each under what tells it from others: family of payments, payment or order,
/// component, amount, bank transfer, and its number among equal lines of one event.
pub static SETTLEMENTS: Entity = Entity {
    name: "settlements",
    key: &["family", "payment_id", "component", "amount", "utr", "n"],
    registers: &[register!("settled_at": "settled_at" Text, "settled_at_utc" Instant, "settled_on" Date)],
    facts: &[fact!("settled")],
};

/// The fee lines of every list that was sent, by the clock of the event that sent it. Of a payment those count whose
/// clock is that of its register `details`.
pub static FEE_LINES: Set =
    Set { name: "fee_lines", columns: &["family", "payment_id", "clock", "n", "component", "amount"] };
