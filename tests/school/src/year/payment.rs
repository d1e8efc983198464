//! The `payment` of events about instalments, down-payments and Pay.

use fastrand::Rng;

use super::calendar::datetime;
use super::fees::{Line, sum};
use crate::spelling::{Members, list, number, one_in};

/// A payment through Jodo.
pub(super) struct Payment {
    pub(super) id: String,
    /// The bank's reference; instalments have one.
    pub(super) reference: Option<String>,
    pub(super) product: &'static str,
    pub(super) mode: &'static str,
    pub(super) lines: Vec<Line>,
    pub(super) paid_at: i64,
}

impl Payment {
    /// What is said of it when it was debited or settled, with these lines.
    pub(super) fn said(&self, rng: &mut Rng, lines: &[String]) -> String {
        let mut members = self.beginning(rng);
        let paid_at = datetime(rng, self.paid_at);
        for (name, value) in [("product", self.product), ("mode", self.mode)] {
            if one_in(rng, 25) {
                members.silent(rng, name);
            } else {
                members.text(name, value);
            }
        }
        if one_in(rng, 25) {
            members.silent(rng, "paid_at");
        } else {
            members.put("paid_at", &paid_at);
        }
        members.put("details", &list(lines)).done()
    }

    /// What is said of it when it bounced.
    pub(super) fn said_bounced(&self, rng: &mut Rng, lines: &[String]) -> String {
        self.beginning(rng).put("details", &list(lines)).done()
    }

    fn beginning(&self, rng: &mut Rng) -> Members {
        let mut members = Members::default();
        members.text("id", &self.id).put("amount", &number(rng, sum(&self.lines)));
        match &self.reference {
            Some(_) if one_in(rng, 25) => members.silent(rng, "reference_id"),
            Some(reference) => _ = members.text("reference_id", reference),
            None => (),
        }
        members
    }
}
