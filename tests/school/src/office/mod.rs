//! The school's office: pupils who come and go, and manual payments.
//!
//! No two events about one pupil or one payment share a second, so that what is the latest is never in doubt.

use fastrand::Rng;

mod order;
mod payment;
mod pupil;
#[cfg(test)]
mod tests;

use crate::run::Run;
use crate::spelling::{Members, one_in, quoted};
pub use order::order;
use payment::{Payment, Saying};
use pupil::Pupil;

/// Second of the first event: in May 2026.
const START: i64 = 1_780_000_000;

/// The school. Iterating over it lets it happen, event by event in order of time, and gives their bodies.
pub struct World {
    run: Run,
    events: u64,
    rng: Rng,
    now: i64,
    happened: u64,
    pupils: Vec<Pupil>,
    payments: Vec<Payment>,
    /// Which payments are whose, by the pupil's place.
    paid_by: Vec<Vec<usize>>,
}

impl World {
    /// The school before its first event.
    pub(crate) fn new(run: Run, events: u64) -> Self {
        let mut rng = Rng::with_seed(run.seed);
        let pupils: Vec<_> = (0..run.students).map(|number| Pupil::new(&mut rng, run, number)).collect();
        let paid_by = vec![Vec::new(); pupils.len()];
        Self { run, events, rng, now: START, happened: 0, pupils, payments: Vec::new(), paid_by }
    }

    fn step(&mut self) -> (&'static str, String) {
        if self.rng.bool() {
            self.now += self.rng.i64(1..60);
        }
        let place = self.rng.usize(..self.pupils.len());
        let (rng, pupil) = (&mut self.rng, &mut self.pupils[place]);
        pupil.live(rng);
        // Some were registered before the sender was told our address.
        if !pupil.named && rng.u8(..10) < 8 {
            self.now = self.now.max(pupil.last + 1);
            pupil.last = self.now;
            return pupil.register(rng);
        }
        match rng.u8(..20) {
            0..3 => {
                self.now = self.now.max(pupil.last + 1);
                pupil.last = self.now;
                pupil.leave_or_return(rng)
            }
            kind => self.pay(place, kind),
        }
    }

    fn pay(&mut self, pupil: usize, kind: u8) -> (&'static str, String) {
        let known = self.rng.choice(&self.paid_by[pupil]).copied();
        let (saying, payment) = match (kind, known) {
            (12..17, Some(payment)) => (Saying::Updated, payment),
            (17.., Some(payment)) if !self.payments[payment].cancelled => (Saying::Cancelled, payment),
            // Recorded before the sender was told our address.
            (12, None) => (Saying::Updated, self.new_payment(pupil)),
            (17, None) => (Saying::Cancelled, self.new_payment(pupil)),
            _ => (Saying::Added, self.new_payment(pupil)),
        };
        let mut payer = pupil;
        if saying == Saying::Updated {
            self.payments[payment].correct(&mut self.rng);
            if one_in(&mut self.rng, 20) {
                payer = self.give_to_another(payment);
            }
        }
        let (payment, payer) = (&mut self.payments[payment], &mut self.pupils[payer]);
        self.now = self.now.max(payer.last + 1).max(payment.last + 1);
        (payer.last, payment.last) = (self.now, self.now);
        let code = match saying {
            Saying::Added => "direct.payment.added",
            Saying::Updated => "direct.payment.updated",
            Saying::Cancelled => "direct.payment.cancelled",
        };
        (code, payment.say(&mut self.rng, saying, payer))
    }

    fn new_payment(&mut self, owner: usize) -> usize {
        let place = self.payments.len();
        self.payments.push(Payment::new(&mut self.rng, self.run, place, owner, self.now));
        self.paid_by[owner].push(place);
        place
    }

    /// It was entered for the wrong child.
    fn give_to_another(&mut self, payment: usize) -> usize {
        let (giver, taker) = (self.payments[payment].owner, self.rng.usize(..self.pupils.len()));
        self.paid_by[giver].retain(|other| *other != payment);
        self.paid_by[taker].push(payment);
        self.payments[payment].owner = taker;
        taker
    }
}

impl Iterator for World {
    /// The body of an event.
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.happened == self.events {
            return None;
        }
        let event_id = quoted(&self.run.event_id(self.happened));
        self.happened += 1;
        let (code, payload) = self.step();
        let (code, time) = (quoted(code), self.now.to_string());
        let mut body = Members::default();
        // The order depends on the page (C§1).
        if code.starts_with("\"masterdata.") {
            body.put("event", &code)
                .put("event_id", &event_id)
                .put("version", "\"1.0\"")
                .put("timestamp", &time);
        } else {
            body.put("event_id", &event_id)
                .put("event", &code)
                .put("timestamp", &time)
                .put("version", "\"1.0\"");
        }
        Some(body.put("payload", &payload).done())
    }
}
