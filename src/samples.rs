//! The built-in samples: one invented delivery per event code.

use jodo_shared::contract::KnownCode;

macro_rules! samples {
    ($($code:literal),+ $(,)?) => {
        &[$(($code, include_str!(concat!("../tests/fixtures/events/", $code, ".json")))),+]
    };
}

static SAMPLES: &[(&str, &str)] = samples![
    "cred.emi.debited",
    "cred.loan.agreement_signed",
    "cred.loan.application_expired",
    "cred.loan.application_filled",
    "cred.loan.application_started",
    "cred.loan.canceled",
    "cred.loan.disbursed",
    "cred.loan.final_approved",
    "cred.loan.rejected",
    "direct.payment.added",
    "direct.payment.cancelled",
    "direct.payment.updated",
    "flex.downpayment.debited",
    "flex.downpayment.settled",
    "flex.instalment.bounced",
    "flex.instalment.debited",
    "flex.instalment.settled",
    "flex.mandate.cancelled",
    "flex.mandate.expired",
    "flex.subscription.active",
    "flex.subscription.cancelled",
    "flex.subscription.closed",
    "flex.subscription.setup",
    "flex.subscription.updated",
    "masterdata.student.activated",
    "masterdata.student.dropped",
    "masterdata.student.registered",
    "order.payment.debited",
    "order.payment.settled",
    "page.payment.debited",
    "page.payment.settled",
    "pay.payment.debited",
    "pay.payment.settled",
    "payment_link.payment.debited",
    "payment_link.payment.expired",
    "payment_link.payment.settled",
];

/// The sample for a code, as JSON text.
pub(crate) fn sample(code: KnownCode) -> Option<&'static str> {
    SAMPLES.iter().find(|(name, _)| *name == code.as_str()).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_code_has_a_sample_that_bears_it() {
        for code in KnownCode::ALL {
            let sample: serde_json::Value = serde_json::from_str(sample(*code).unwrap()).unwrap();
            assert_eq!(sample["event"], code.as_str());
        }
        assert_eq!(SAMPLES.len(), KnownCode::ALL.len());
    }
}
