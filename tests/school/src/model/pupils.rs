//! Pupils: what is said of them, and `jodo_students`.

use super::Row;
use super::book::{Book, Kind, World};
use super::event::Event;
use super::reading::{notes, text, whole};
use super::sheet::Sheet;
use super::words::{Known, Members, Word};

const PROFILE: &[&str] = &[
    "identifier",
    "jodo_student_id",
    "custom_identifier",
    "collector_code",
    "fullname",
    "grade_code",
    "grade_name",
    "academic_year_start",
    "academic_year_end",
    "contact_number",
    "contact_email",
    "notes",
];

/// That a pupil was registered, dropped or activated.
pub(super) fn hear_enrolment(event: &Event, book: &mut Book, rank: u8, fact: &'static str) {
    if let Some(pupil) = event.pupil() {
        book.note_fact(Kind::Pupil, &pupil, event, rank, fact);
    }
}

/// What any event says of the pupil that it names. The master data have the last word within a second.
pub(super) fn hear_profile(event: &Event, book: &mut Book) {
    let Some(pupil) = event.pupil() else { return };
    let student = &event.payload["student"];
    let of_masterdata = event.code.starts_with("masterdata.");
    let mut said = Members::default();
    said.put("identifier", event.identifier());
    said.put("jodo_student_id", event.jodo_id().filter(|_| of_masterdata));
    said.put("custom_identifier", text(&student["custom_identifier"]));
    said.put("collector_code", text(&student["collector_code"]));
    said.put("fullname", text(&student["fullname"]));
    // The mandate events have code and name the wrong way round.
    if !event.code.starts_with("flex.mandate.") {
        said.put("grade_code", text(&student["grade"]["code"]));
        said.put("grade_name", text(&student["grade"]["name"]));
    }
    said.put("academic_year_start", whole(&student["academic_year_start"]));
    said.put("academic_year_end", whole(&student["academic_year_end"]));
    said.put("contact_number", text(&student["primary_contact_number"]));
    said.put("contact_email", text(&student["primary_contact_email"]));
    said.put("notes", notes(&student["notes"]));
    let rank = if of_masterdata { 20 } else { 10 };
    book.note(Kind::Pupil, &pupil, Word::telling(event.clock(rank), said));
}

/// Whether the pupil is at the school; to be registered says so only while nothing else does.
pub(super) fn enrolment(pupil: &Known) -> Option<&'static str> {
    match pupil.newest(&["dropped", "activated"]) {
        Some(("dropped", _)) => Some("dropped"),
        Some(_) => Some("active"),
        None => pupil.fact("registered").map(|_| "active"),
    }
}

/// `jodo_students`.
pub(super) fn students(world: &World) -> Vec<Row> {
    let row = |(key, pupil): (&str, &Known)| {
        let sheet = Sheet::new(world).set("pupil_key", key).copy(pupil, PROFILE);
        sheet.put("enrolment", enrolment(pupil)).done()
    };
    world.all(Kind::Pupil).map(row).collect()
}
