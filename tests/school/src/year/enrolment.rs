//! Enrolment: pupils are registered, leave, and come back (C§3.1).

use super::block::{Naming, Page, block};
use super::calendar::{DAY, START, office_hour};
use super::pupil::Pupil;
use super::school::School;
use crate::spelling::{Members, one_in};

/// What the master data say of a pupil over the year.
pub(super) fn live(school: &mut School, pupil: &Pupil) {
    let joined = START + school.rng.i64(0..20) * DAY;
    // Some were registered before the sender was told our address.
    if !school.every(10, "never registered") {
        say(school, pupil, "masterdata.student.registered", joined);
    }
    if school.every(9, "dropped") {
        let left = joined + school.rng.i64(30..250) * DAY;
        say(school, pupil, "masterdata.student.dropped", left);
        if school.every(2, "activated") {
            let back = left + school.rng.i64(1..60) * DAY;
            say(school, pupil, "masterdata.student.activated", back);
        }
    }
}

fn say(school: &mut School, pupil: &Pupil, code: &'static str, day: i64) {
    let rng = &mut school.rng;
    let at = office_hour(rng, day);
    // Once registered with both numbers, a pupil may be named by the sender's alone.
    let registered = code.ends_with("activated");
    let naming = if registered && one_in(rng, 8) { Naming::WithoutIdentifier } else { Naming::Full };
    let block = block(rng, pupil, Page::MasterData, naming, at);
    let payload =
        Members::default().text("jodo_student_id", &pupil.master_data_id).put("student", &block).done();
    school.diary.note(at, code, payload);
}
