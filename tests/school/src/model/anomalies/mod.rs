//! `jodo_anomalies`: what a person should look at.

mod identities;
mod loans;
mod payments;
mod plans;

use super::Row;
use super::book::World;
use super::ledger::Payment;
use super::sheet::Sheet;
use super::words::Clock;

pub(super) use identities::reused_event_ids;

/// `jodo_anomalies`: those that only the bodies show, which are given, and those that the world shows.
pub(super) fn anomalies(world: &World, payments: &[Payment<'_>], of_bodies: &[Anomaly]) -> Vec<Row> {
    let mut found = identities::ambiguous_ids(world);
    found.extend(payments::of_payments(payments));
    found.extend(plans::of_plans(world));
    found.extend(loans::of_loans(world));
    found.iter().chain(of_bodies).map(|anomaly| anomaly.row(world)).collect()
}

/// One line of the view.
pub(super) struct Anomaly {
    kind: &'static str,
    subject: String,
    detail: Option<String>,
    later: Option<Clock>,
    earlier: Option<Clock>,
}

impl Anomaly {
    /// A line without events.
    fn new(kind: &'static str, subject: &str, detail: Option<&str>) -> Self {
        let (subject, detail) = (subject.to_owned(), detail.map(str::to_owned));
        Self { kind, subject, detail, later: None, earlier: None }
    }

    /// The same line, about one event.
    fn about(mut self, event: Option<&Clock>) -> Self {
        self.later = event.cloned();
        self
    }

    /// The same line, about two events in either order.
    fn between(mut self, one: &Clock, other: &Clock) -> Self {
        self.later = Some(one.max(other).clone());
        self.earlier = Some(one.min(other).clone());
        self
    }

    /// The line as a row.
    fn row(&self, world: &World) -> Row {
        let later = self.later.as_ref();
        let second = later.and_then(|clock| clock.second).map(|second| second.to_string());
        let sheet = Sheet::new(world).set("kind", self.kind).set("subject", self.subject.as_str());
        let sheet = sheet.put("detail", self.detail.as_deref()).put("event_time", second);
        let sheet = sheet.put("clock_key", later.map(|clock| &*clock.digits));
        sheet.put("earlier_clock_key", self.earlier.as_ref().map(|clock| &*clock.digits)).done()
    }
}
