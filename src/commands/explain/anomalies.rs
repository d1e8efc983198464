//! Anomalies in sentences (docs/VIEWS.md has the kinds).

use jodo_worker::store::inspect::AnyRow;

use super::record::cell;
use super::subject::Subject;

/// The view that has them.
pub(super) const VIEW: &str = "jodo_anomalies";

/// What a kind of anomaly is about.
enum About {
    /// One of the records of these entities.
    Records(&'static [&'static str]),
    /// A pupil, by an id of Jodo's.
    Pupils,
    /// An event.
    Events,
}

const PAYMENTS: About = About::Records(&["manual_payments", "flex_payments", "pay_payments", "orders"]);
const PLANS: About = About::Records(&["subscriptions"]);
const LOANS: About = About::Records(&["loans"]);
const EMIS: About = About::Records(&["emis"]);

/// Every kind: what it is about, and what happened.
const KINDS: &[(&str, About, &str)] = &[
    ("event_id_reused", About::Events, "two different events bear this id; both were applied"),
    ("jodo_id_ambiguous", About::Pupils, "this id of Jodo's was seen with two admission numbers"),
    ("lines_differ", PAYMENTS, "the fee lines do not add up to the amount"),
    ("settled_more_than_paid", PAYMENTS, "the settled lines add up to more than the amount"),
    ("settled_without_utr", PAYMENTS, "reported as settled with a line that has no UTR, and it has none yet"),
    (
        "bounced_after_debit",
        PAYMENTS,
        "a debit was reported as failed after it had succeeded: the bank may have taken it back",
    ),
    ("paid_after_expiry", PAYMENTS, "the payment link is both paid and expired; it counts as paid"),
    (
        "changed_after_cancellation",
        PAYMENTS,
        "the manual payment was entered or corrected after it was voided; it stays voided",
    ),
    ("plan_cancelled_and_closed", PLANS, "the plan was both cancelled and closed; the later counts"),
    (
        "plan_active_after_end",
        PLANS,
        "the plan was reported as active after it was cancelled or closed; it stays ended",
    ),
    ("debit_after_plan_end", PAYMENTS, "an instalment was debited after its plan was cancelled or closed"),
    (
        "loan_ended_after_disbursal",
        LOANS,
        "the loan was refused, withdrawn or ran out, and yet money was paid out",
    ),
    (
        "repayment_of_ended_loan",
        EMIS,
        "an instalment was repaid for a loan that was refused, withdrawn or ran out",
    ),
];

/// Whether a row whose subject is a number of ours is about what we mean by it: the numbers of plans, loans and
/// pupils may be equal.
pub(super) fn concerns(row: &AnyRow, subject: &Subject) -> bool {
    let kind = cell(row, "kind");
    match KINDS.iter().find(|(name, ..)| Some(*name) == kind) {
        Some((_, About::Records(entities), _)) => subject.records.iter().any(|record| {
            entities.contains(&record.entity.name) && cell(row, "subject") == Some(&record.key)
        }),
        Some((_, About::Pupils, _)) => subject.pupil.is_some(),
        Some((_, About::Events, _)) | None => true,
    }
}

/// `flex_66: the fee lines do not add up to the amount (events 9f…, 3a…)`.
pub(super) fn in_words(row: &AnyRow) -> String {
    let kind = cell(row, "kind").unwrap_or_default();
    let known = KINDS.iter().find(|(name, ..)| *name == kind);
    let sentence = known.map_or_else(|| kind.replace('_', " "), |(.., sentence)| (*sentence).to_owned());
    let keys: Vec<_> =
        ["earlier_clock_key", "clock_key"].iter().filter_map(|column| cell(row, column)).collect();
    let events = match keys.as_slice() {
        [] => String::new(),
        [one] => format!(" (event {one})"),
        several => format!(" (events {})", several.join(", ")),
    };
    let detail = match (kind, cell(row, "detail")) {
        ("jodo_id_ambiguous", Some(number)) => format!(", one of them {number}"),
        _ => String::new(),
    };
    format!("{}: {sentence}{detail}{events}", cell(row, "subject").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use jodo_worker::entities::{LOANS, SUBSCRIPTIONS};

    use super::super::record::Record;
    use super::super::subject::What;
    use super::*;

    fn row(cells: &[(&str, &str)]) -> AnyRow {
        cells.iter().map(|(column, text)| ((*column).to_owned(), Some((*text).to_owned()))).collect()
    }

    #[test]
    fn an_anomaly_is_a_sentence_with_the_events_that_made_it() {
        let both = row(&[
            ("kind", "bounced_after_debit"),
            ("subject", "flex_66"),
            ("clock_key", "bb"),
            ("earlier_clock_key", "aa"),
        ]);
        assert_eq!(
            in_words(&both),
            "flex_66: a debit was reported as failed after it had succeeded: the bank may have taken it back \
             (events aa, bb)"
        );
        assert_eq!(
            in_words(&row(&[("kind", "of_a_later_version"), ("subject", "1")])),
            "1: of a later version"
        );
    }

    #[test]
    fn an_anomaly_of_a_loan_is_not_one_of_the_plan_with_the_same_number() {
        let of_loan = row(&[("kind", "loan_ended_after_disbursal"), ("subject", "41806")]);
        for (entity, concerned) in [(&LOANS, true), (&SUBSCRIPTIONS, false)] {
            let record = Record { entity, key: "41806".to_owned() };
            let subject = Subject::new("main", What::Record(record.clone()), vec![record]);
            assert_eq!(concerns(&of_loan, &subject), concerned);
        }
    }

    #[test]
    fn every_documented_kind_has_its_sentence() {
        let documented = include_str!("../../../docs/VIEWS.md").split("### jodo_anomalies").nth(1).unwrap();
        let kinds = documented.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let mut kinds: Vec<_> = kinds.collect();
        let mut ours: Vec<_> = KINDS.iter().map(|(kind, ..)| *kind).collect();
        kinds.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, kinds);
    }
}
