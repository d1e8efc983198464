//! Orders, payment pages and payment links (C§3.5).

use fastrand::Rng;

use super::block::note;
use super::calendar::{DAY, MINUTE, START, datetime, office_hour, parents_hour};
use super::fees::{Line, order_lines, unsettled};
use super::pupil::Pupil;
use super::school::School;
use super::settling::settle;
use crate::spelling::{Members, list, one_in, quoted};

/// By which way an order came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Order,
    Page,
    Link,
}

impl Kind {
    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Order => "an order",
            Self::Page => "a page's payment",
            Self::Link => "a link",
        }
    }

    /// The codes of being debited and of being settled.
    fn codes(self) -> (&'static str, &'static str) {
        match self {
            Self::Order => ("order.payment.debited", "order.payment.settled"),
            Self::Page => ("page.payment.debited", "page.payment.settled"),
            Self::Link => ("payment_link.payment.debited", "payment_link.payment.settled"),
        }
    }
}

/// An order.
struct Order<'a> {
    kind: Kind,
    id: String,
    pupil: &'a Pupil,
    /// Whatever its creator passed; often the pupil's number.
    identifier: String,
    transaction: String,
    born: String,
    lines: Vec<Line>,
    /// When it was paid; when it expired before that.
    at: i64,
}

/// An order is made; most are paid.
pub(super) fn place(school: &mut School, pupil: &Pupil, kind: Kind) {
    let mut order = new_order(school, pupil, kind);
    if kind == Kind::Link && school.every(4, "a link expires") {
        let day = START + school.rng.i64(5..350) * DAY;
        order.at = office_hour(&mut school.rng, day);
        let lines = unsettled(&mut school.rng, &order.lines, "component_type");
        order.say(school, "payment_link.payment.expired", order.at, false, &lines);
        if !school.every(4, "a link is paid after it expired") {
            return;
        }
        order.at += school.rng.i64(10 * MINUTE..3 * DAY);
    }
    let (debited, settled) = kind.codes();
    if !school.every(9, "an order's debit is not told") {
        let lines = unsettled(&mut school.rng, &order.lines, "component_type");
        let at = order.at + school.rng.i64(1..60);
        order.say(school, debited, at, true, &lines);
    }
    for event in settle(school, &order.lines, order.at, "component_type") {
        order.say(school, settled, event.at, true, &event.lines);
    }
}

fn new_order<'a>(school: &mut School, pupil: &'a Pupil, kind: Kind) -> Order<'a> {
    let own = school.every(2, "an order names the pupil's number");
    let other = school.ids.text("EVT");
    let rng = &mut school.rng;
    let day = START + rng.i64(5..358) * DAY;
    let at = parents_hour(rng, day);
    Order {
        kind,
        identifier: pupil.identifier.clone().filter(|_| own).unwrap_or(other),
        born: format!("{}-{:02}-{:02}", rng.u16(2009..2021), rng.u8(1..=12), rng.u8(1..=28)),
        lines: order_lines(rng),
        at,
        id: school.ids.text("order"),
        transaction: school.ids.text("trans"),
        pupil,
    }
}

impl Order<'_> {
    fn say(&self, school: &mut School, code: &'static str, at: i64, paid: bool, lines: &[String]) {
        let rng = &mut school.rng;
        let mut order = Members::default();
        order
            .text("name", &self.pupil.parent)
            .text("phone", &self.pupil.phone(at))
            .text("identifier", &self.identifier);
        say(rng, &mut order, "email", self.pupil.email().map(|email| quoted(&email)));
        if self.kind != Kind::Order {
            self.learner(rng, &mut order, at);
            say(rng, &mut order, "transaction_id", paid.then(|| quoted(&self.transaction)));
        }
        if paid {
            order.put("paid_at", &datetime(rng, self.at));
        } else {
            order.put("paid_at", "null");
        }
        order.text("status", if paid { "paid" } else { "expired" }).put("details", &list(lines));
        if self.kind != Kind::Page {
            let notes = [note("erp_reference_id", &self.id), note("campaign", "open-day \"2026\"")];
            let count = if one_in(rng, 10) { 0 } else { notes.len() };
            order.put("notes", &list(&notes[..count]));
        }
        let payload = Members::default().text("order_id", &self.id).put("order", &order.done()).done();
        school.diary.note(at, code, payload);
    }

    /// What pages and links ask about the learner.
    fn learner(&self, rng: &mut Rng, order: &mut Members, at: i64) {
        let place = self.pupil.place;
        let members = [
            ("student_name", quoted(&self.pupil.fullname)),
            ("custom_identifier", quoted(&format!("cust_{place}"))),
            // A text here, not an object.
            ("grade", quoted(&self.pupil.grade(at).code)),
            ("new_admission", place.is_multiple_of(2).to_string()),
            ("date_of_birth", quoted(&self.born)),
            ("academic_year_start", "2026".to_owned()),
            ("academic_year_end", "2027".to_owned()),
        ];
        for (name, json) in members {
            say(rng, order, name, Some(json));
        }
    }
}

/// Says an optional member, or not.
fn say(rng: &mut Rng, order: &mut Members, name: &str, json: Option<String>) {
    match json {
        Some(json) if !one_in(rng, 15) => _ = order.put(name, &json),
        _ => order.silent(rng, name),
    }
}
