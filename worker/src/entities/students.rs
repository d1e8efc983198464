//! Pupils.

use crate::table::{Entity, Set};

/// Pupils, by `pupil_key`: `erp:` and the ERP's own number, or `jodo:` and the sender's id.
pub static STUDENTS: Entity = Entity {
    name: "students",
    key: &["pupil_key"],
    registers: &[
        text!("identifier"),
        text!("jodo_student_id"),
        text!("custom_identifier"),
        text!("collector_code"),
        text!("fullname"),
        text!("grade_code"),
        text!("grade_name"),
        integer!("academic_year_start"),
        integer!("academic_year_end"),
        text!("contact_number"),
        text!("contact_email"),
        text!("notes"),
    ],
    facts: &[fact!("registered"), fact!("dropped"), fact!("activated")],
};

/// Which of the sender's student ids were seen beside which of the ERP's numbers (`''` when beside none).
pub static STUDENT_IDS: Set = Set { name: "student_ids", columns: &["jodo_student_id", "identifier"] };
