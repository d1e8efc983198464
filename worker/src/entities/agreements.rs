//! What was agreed: instalment plans and their mandates, loans and their tranches.

use crate::table::{Entity, Set};

/// Instalment plans (Flex), by the sender's subscription id.
pub static SUBSCRIPTIONS: Entity = Entity {
    name: "subscriptions",
    key: &["subscription_id"],
    registers: &[
        register!("pupil": "pupil_key" Text),
        text!("status"),
        // The whole schedule as canonical JSON, and its sum.
        register!("schedule": "schedule" Text, "schedule_total" Money, "schedule_total_paise" Integer),
    ],
    facts: &[fact!("set_up"), fact!("active"), fact!("updated"), fact!("cancelled"), fact!("closed")],
};

/// Mandates, by the sender's id; one is heard of only when it ends.
pub static MANDATES: Entity = Entity {
    name: "mandates",
    key: &["mandate_id"],
    registers: &[
        register!("pupil": "pupil_key" Text),
        register!("subscription": "subscription_id" Text),
        text!("status"),
        text!("npci_category_code"),
        day!("end_date"),
    ],
    facts: &[fact!("cancelled"), fact!("expired")],
};

/// Loan applications (Cred), by the sender's application id.
pub static LOANS: Entity = Entity {
    name: "loans",
    key: &["application_id"],
    registers: &[
        register!("pupil": "pupil_key" Text),
        text!("status"),
        register!("amount": "amount" Money, "amount_paise" Integer),
        register!("agreement_signed_at":
            "agreement_signed_at" Text, "agreement_signed_at_utc" Instant, "agreement_signed_on" Date),
    ],
    facts: &[
        fact!("started"),
        fact!("filled"),
        fact!("final_approved"),
        fact!("agreement_signed"),
        fact!("disbursed"),
        fact!("rejected"),
        fact!("canceled"),
        fact!("expired"),
    ],
};

/// Tranches of loans, by the sender's disbursement id. What was agreed and what was paid out are kept apart.
pub static DISBURSEMENTS: Entity = Entity {
    name: "disbursements",
    key: &["disbursement_id"],
    registers: &[
        register!("pupil": "pupil_key" Text),
        register!("application": "application_id" Text),
        day!("planned_on"),
        register!("amount": "amount" Money, "amount_paise" Integer),
        day!("disbursed_on"),
        register!("disbursed_amount": "disbursed_amount" Money, "disbursed_amount_paise" Integer),
    ],
    facts: &[fact!("planned"), fact!("disbursed")],
};

/// The instalments of every schedule that was sent, by the clock of the event that sent it. Of a plan those count
/// whose clock is that of its register `schedule`.
pub static SCHEDULE_LINES: Set =
    Set { name: "schedule_lines", columns: &["subscription_id", "clock", "n", "due_date", "amount"] };
