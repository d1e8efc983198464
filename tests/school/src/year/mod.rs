//! A school year: pupils come and go, and their parents pay in every way that Jodo offers.
//!
//! Each pupil's life is planned as dated happenings; the diary tells those of all pupils in order of time. Every event
//! has its own second, so that what is the latest is never in doubt.

mod block;
mod calendar;
mod diary;
mod down_payments;
mod enrolment;
mod fees;
mod ids;
mod instalments;
mod loans;
mod mandates;
mod manual;
mod orders;
mod pay;
mod payment;
mod plans;
mod pupil;
mod repayments;
mod school;
mod settling;
#[cfg(test)]
mod tests;

pub use diary::Event;
use pupil::Pupil;
use school::School;

use crate::run::Run;

/// A school year. Iterating over it gives its events in order of occurrence.
pub struct Year(Box<dyn Iterator<Item = Event> + Send>);

impl Year {
    /// The year of a run; the same seed and number of pupils give the same one.
    pub fn new(run: Run) -> Self {
        let mut school = School::new(run);
        let pupils: Vec<_> = (0..run.students).map(|place| Pupil::new(&mut school, run, place)).collect();
        for pupil in &pupils {
            live(&mut school, pupil, &pupils);
        }
        Self(Box::new(school.diary.told(run)))
    }
}

impl Iterator for Year {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.0.next()
    }
}

/// What happens to a pupil in the year.
fn live(school: &mut School, pupil: &Pupil, all: &[Pupil]) {
    enrolment::live(school, pupil);
    if !school.every(4, "a pupil without a plan") {
        plans::take(school, pupil);
    }
    // Some take another one, beside the first or after it.
    if school.every(15, "a second plan") {
        plans::take(school, pupil);
    }
    if school.every(3, "a down-payment") {
        down_payments::pay(school, pupil);
    }
    for _ in 0..school.next_of([0, 1, 2, 0, 1, 3], "how many manual payments") {
        manual::pay(school, pupil, all);
    }
    for _ in 0..school.next_of([0, 1, 0, 2], "how many payments by Pay") {
        pay::pay(school, pupil);
    }
    for (kind, n) in [(orders::Kind::Order, 4), (orders::Kind::Page, 5), (orders::Kind::Link, 3)] {
        if school.every(n, kind.name()) {
            orders::place(school, pupil, kind);
        }
    }
    if school.every(5, "a loan") {
        loans::borrow(school, pupil);
    }
}
