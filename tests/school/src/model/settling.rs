//! Which fee lines a payment shows: its known lines and its settlements, put side by side.

use std::collections::BTreeMap;

use super::book::Kind;
use super::lines::{FeeLine, lines_of};
use super::words::{Known, Settlement};

/// A fee line as shown.
#[derive(Clone)]
pub(super) struct Shown {
    /// Empty when there is none, and so is the amount.
    pub(super) component: String,
    pub(super) amount: String,
    /// 1, 2, … among the lines of equal component and amount.
    pub(super) n: usize,
    pub(super) state: &'static str,
    pub(super) utr: Option<String>,
    /// The text of a date and time.
    pub(super) settled_at: Option<String>,
}

/// The known lines and the settlements that are equal in component and amount.
#[derive(Default)]
struct Equal<'a> {
    lines: usize,
    settlements: Vec<(&'a Settlement, &'a Option<String>)>,
}

/// The fee lines of a payment, whose amount is `amount` if it has no lines of its own.
pub(super) fn shown_lines(kind: Kind, payment: &Known, amount: Option<String>) -> Vec<Shown> {
    let mut lines = lines_of(payment.get("details"));
    if lines.is_empty() && payment.settlements.is_empty() {
        lines.push(FeeLine::of_amount(amount));
    }
    let mut groups: BTreeMap<(String, String), Equal<'_>> = BTreeMap::new();
    for line in lines {
        let same = (line.component.unwrap_or_default(), line.amount.unwrap_or_default());
        groups.entry(same).or_default().lines += 1;
    }
    for (settlement, time) in &payment.settlements {
        let same = (settlement.component.clone(), settlement.amount.clone());
        groups.entry(same).or_default().settlements.push((settlement, time));
    }
    let mut shown = Vec::new();
    for ((component, amount), equal) in groups {
        // The k-th settlement settles the k-th line, or is a line of its own when there are not as many.
        for k in 0..equal.lines.max(equal.settlements.len()) {
            let (component, amount) = (component.clone(), amount.clone());
            let (state, utr, settled_at) = match equal.settlements.get(k) {
                Some((settlement, time)) => ("settled", Some(settlement.utr.clone()), (*time).clone()),
                None => without_settlement(kind, payment),
            };
            shown.push(Shown { component, amount, n: k + 1, state, utr, settled_at });
        }
    }
    shown
}

/// State, UTR and time of settlement of a line that no settlement is known of.
fn without_settlement(kind: Kind, payment: &Known) -> (&'static str, Option<String>, Option<String>) {
    let state = match kind {
        Kind::Manual if payment.any(&["cancelled"]) => "cancelled",
        Kind::Manual => match payment.get("settlement_utr") {
            // The money went straight to the institute, and so was there when it was paid.
            Some(utr) => {
                return ("settled", Some(utr.to_owned()), payment.get("paid_at").map(str::to_owned));
            }
            None => "recorded",
        },
        _ if payment.any(&["debited", "settled"]) => "paid",
        _ if payment.any(&["bounced"]) => "bounced",
        _ => "expired",
    };
    (state, None, None)
}
