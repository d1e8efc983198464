//! Loans that ended, and yet money moved.

use super::Anomaly;
use crate::model::book::{Kind, World};
use crate::model::loans::{LOAN_ENDS, loan_state};
use crate::model::words::Known;

/// All anomalies of loans.
pub(super) fn of_loans(world: &World) -> Vec<Anomaly> {
    let loans = world.all(Kind::Loan);
    let mut found: Vec<_> = loans.filter_map(|(id, loan)| ended_after_disbursal(id, loan)).collect();
    found.extend(world.all(Kind::Emi).filter_map(|(id, emi)| repayment_of_ended(world, id, emi)));
    found
}

fn ended_after_disbursal(id: &str, loan: &Known) -> Option<Anomaly> {
    let (word, end) = loan.newest(LOAN_ENDS)?;
    let disbursed = loan.fact("disbursed")?;
    Some(Anomaly::new("loan_ended_after_disbursal", id, Some(word)).between(end, disbursed))
}

fn repayment_of_ended(world: &World, id: &str, emi: &Known) -> Option<Anomaly> {
    let loan_id = emi.get("application_id")?;
    let loan = world.find(Kind::Loan, loan_id)?;
    let (_, end) = loan.newest(LOAN_ENDS)?;
    let debited = emi.fact("debited")?;
    let line = Anomaly::new("repayment_of_ended_loan", id, Some(loan_id)).between(debited, end);
    LOAN_ENDS.contains(&loan_state(loan)).then_some(line)
}
