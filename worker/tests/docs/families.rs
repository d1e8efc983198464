//! The families of events, with what a reader needs to know of each.

use jodo_shared::contract::KnownCode;

/// Codes that are about the same thing.
pub(crate) struct Family {
    /// Heading.
    pub name: &'static str,
    /// How its codes begin.
    prefixes: &'static [&'static str],
    /// What they are about.
    pub words: &'static str,
}

/// All families, in the order of the document.
pub(crate) static FAMILIES: &[Family] = &[
    Family {
        name: "Pupils",
        prefixes: &["masterdata."],
        words: "The pupil as such. A pupil is known by the ERP's own number (`student.identifier`); Jodo's id is kept \
                beside it, and identifies only a pupil who was never seen with a number. Every other event with a \
                student block also feeds the profile; at the same second master data has the last word. Jodo sends no \
                event when a profile changes, so the newest event of any kind is the best there is.",
    },
    Family {
        name: "Manual payments",
        prefixes: &["direct."],
        words: "Money that the institute received itself, entered at Jodo by hand. It counts as received at once; there \
                is no settlement, but the entry may name the bank transfer (`settlement_utr`).",
    },
    Family {
        name: "Instalment plans",
        prefixes: &["flex.subscription."],
        words: "An instalment plan under an auto-debit mandate. Its state follows from the events' codes; Jodo's own word \
                (`subscription.status`) is kept beside it as text. A schedule replaces the whole schedule before it.",
    },
    Family {
        name: "Mandates",
        prefixes: &["flex.mandate."],
        words: "The bank's permission to debit, heard of only when it ends. The plan goes on: a mandate that ended never \
                closes a plan. Grade code and name are swapped in these events, so the grade is not read.",
    },
    Family {
        name: "Payments under a plan",
        prefixes: &["flex.instalment.", "flex.downpayment."],
        words: "A scheduled debit succeeds (`debited`) or fails (`bounced`); days later its money reaches the institute \
                (`settled`), possibly in parts. Jodo does not say which instalment of the schedule a payment pays, and a \
                down-payment has named no plan so far.",
    },
    Family {
        name: "Payments of a pupil's fees",
        prefixes: &["pay."],
        words: "A payment on Jodo's pages for a known pupil.",
    },
    Family {
        name: "Orders, pages and links",
        prefixes: &["order.", "page.", "payment_link."],
        words: "Payments without a pupil, which share one space of order ids. There is no amount but the sum of the lines. \
                `order.identifier` is whatever its creator passed; where it equals a pupil's admission number, the views \
                show the money as that pupil's, else in `jodo_unmatched_receipts`. `order.status` stays `paid` after the \
                settlement and decides nothing.",
    },
    Family {
        name: "Loans",
        prefixes: &["cred.loan."],
        words: "An education loan, from the application to the money paid out to the institute in tranches. A tranche that \
                was paid out is income of the institute; what was agreed and what was paid out are kept apart, for they \
                may differ.",
    },
    Family {
        name: "Repayments of loans",
        prefixes: &["cred.emi."],
        words: "What the borrower repays to the lender: no income of the institute, and no step in the loan's state.",
    },
];

impl Family {
    /// Its codes.
    pub(crate) fn codes(&self) -> impl Iterator<Item = KnownCode> {
        let ours = |code: &KnownCode| self.prefixes.iter().any(|prefix| code.as_str().starts_with(prefix));
        KnownCode::ALL.iter().copied().filter(ours)
    }
}

#[test]
fn every_code_is_of_one_family() {
    let all: Vec<_> = FAMILIES.iter().flat_map(Family::codes).collect();
    assert_eq!(all.len(), KnownCode::ALL.len());
    assert!(KnownCode::ALL.iter().all(|code| all.contains(code)));
}
