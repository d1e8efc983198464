//! Payments that do not add up, or whose events contradict each other.

use super::Anomaly;
use crate::model::book::Kind;
use crate::model::ledger::Payment;
use crate::model::lines::{lines_of, lines_sum};
use crate::model::reading::paise;

/// All anomalies of payments by themselves.
pub(super) fn of_payments(payments: &[Payment<'_>]) -> Vec<Anomaly> {
    let checks = [
        lines_differ,
        settled_more_than_paid,
        settled_without_utr,
        bounced_after_debit,
        paid_after_expiry,
        changed_after_cancellation,
    ];
    payments.iter().flat_map(|payment| checks.iter().filter_map(|check| check(payment))).collect()
}

fn family(payment: &Payment<'_>) -> Option<&'static str> {
    match payment.kind {
        Kind::Manual => Some("manual"),
        Kind::Flex => Some("flex"),
        Kind::Pay => Some("pay"),
        Kind::Order => Some("order"),
        _ => None,
    }
}

/// Orders name no amount, so that theirs cannot differ. A list that is known as a fallback only may be a part.
fn lines_differ(payment: &Payment<'_>) -> Option<Anomaly> {
    let amount = paise(payment.known.get("amount")?)?;
    let lines = lines_sum(&lines_of(payment.known.get("details")))?;
    let (one, other) = (payment.known.clock("amount")?, payment.known.clock("details")?);
    other.second?;
    let line = Anomaly::new("lines_differ", payment.id, family(payment)).between(one, other);
    (amount != lines).then_some(line)
}

fn settled_more_than_paid(payment: &Payment<'_>) -> Option<Anomaly> {
    let too_much = payment.kind != Kind::Manual && payment.settled? > payment.amount?;
    let line = Anomaly::new("settled_more_than_paid", payment.id, family(payment));
    too_much.then(|| line.about(payment.known.fact("settled")))
}

fn settled_without_utr(payment: &Payment<'_>) -> Option<Anomaly> {
    let reported = payment.known.fact("settled_without_utr")?;
    let open = payment.lines.iter().any(|line| line.state != "settled");
    let line = Anomaly::new("settled_without_utr", payment.id, family(payment)).about(Some(reported));
    (open || payment.known.settlements.is_empty()).then_some(line)
}

fn bounced_after_debit(payment: &Payment<'_>) -> Option<Anomaly> {
    let (bounced, debited) = (payment.known.fact("bounced")?, payment.known.fact("debited")?);
    let line = Anomaly::new("bounced_after_debit", payment.id, family(payment)).between(bounced, debited);
    (bounced > debited).then_some(line)
}

fn paid_after_expiry(payment: &Payment<'_>) -> Option<Anomaly> {
    let expired = payment.known.fact("expired")?;
    let (_, paid) = payment.known.newest(&["debited", "settled"])?;
    Some(Anomaly::new("paid_after_expiry", payment.id, payment.known.get("kind")).between(expired, paid))
}

fn changed_after_cancellation(payment: &Payment<'_>) -> Option<Anomaly> {
    if payment.kind != Kind::Manual {
        return None;
    }
    let cancelled = payment.known.fact("cancelled")?;
    let (_, changed) = payment.known.newest(&["added", "updated"])?;
    let line = Anomaly::new("changed_after_cancellation", payment.id, family(payment));
    (changed > cancelled).then(|| line.between(changed, cancelled))
}
