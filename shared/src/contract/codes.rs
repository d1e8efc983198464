//! Event codes.
//!
//! The sender's list is open (C§0: closed enumerations of its codes go stale), so two types: [`EventCode`] is
//! whatever an event calls itself, [`KnownCode`] one of the 36 that the contract describes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest event code that we keep, in bytes; also the length at which AMQP header texts are cut.
pub const MAX_CODE_BYTES: usize = 200;

/// A text is not usable as an event code. Says the rule, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 200 bytes without NUL")]
pub struct InvalidCode;

/// An event code as received, known or not: 1 to [`MAX_CODE_BYTES`] bytes without NUL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventCode(Arc<str>);

impl EventCode {
    /// The code as received.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EventCode {
    type Err = InvalidCode;
    fn from_str(text: &str) -> Result<Self, InvalidCode> {
        let good = (1..=MAX_CODE_BYTES).contains(&text.len()) && !text.contains('\0');
        if good { Ok(Self(text.into())) } else { Err(InvalidCode) }
    }
}

impl TryFrom<String> for EventCode {
    type Error = InvalidCode;
    fn try_from(text: String) -> Result<Self, InvalidCode> {
        text.parse()
    }
}

impl From<EventCode> for String {
    fn from(code: EventCode) -> Self {
        code.0.as_ref().to_owned()
    }
}

impl From<KnownCode> for EventCode {
    fn from(code: KnownCode) -> Self {
        Self(code.as_str().into())
    }
}

impl fmt::Display for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The code is none of those that this version knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an event code that this version knows")]
pub struct UnknownCode;

macro_rules! known_codes {
    ($(#[doc = $doc:literal] $variant:ident = $text:literal,)+) => {
        /// One of the event codes that the sender documents (C§3).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum KnownCode {
            $(#[doc = $doc] $variant,)+
        }

        impl KnownCode {
            /// All known codes, by family.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as the sender writes it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// When the sender fires it, as a sentence for people.
            pub fn sentence(self) -> &'static str {
                match self {
                    $(Self::$variant => $doc.trim_start(),)+
                }
            }
        }

        impl FromStr for KnownCode {
            type Err = UnknownCode;
            /// Matches exactly: the sender spells `cancelled` and `canceled` by family (C§7 row 5).
            fn from_str(text: &str) -> Result<Self, UnknownCode> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownCode),
                }
            }
        }
    };
}

known_codes! {
    /// A pupil was created at Jodo.
    StudentRegistered = "masterdata.student.registered",
    /// A pupil was marked as having left.
    StudentDropped = "masterdata.student.dropped",
    /// A pupil who had left was taken back.
    StudentActivated = "masterdata.student.activated",
    /// A manual payment was recorded.
    DirectPaymentAdded = "direct.payment.added",
    /// A manual payment was corrected.
    DirectPaymentUpdated = "direct.payment.updated",
    /// A manual payment was voided.
    DirectPaymentCancelled = "direct.payment.cancelled",
    /// The payer authorised the bank account of an instalment plan.
    FlexSubscriptionSetup = "flex.subscription.setup",
    /// The bank confirmed that a plan's debits will work.
    FlexSubscriptionActive = "flex.subscription.active",
    /// Something about a plan changed.
    FlexSubscriptionUpdated = "flex.subscription.updated",
    /// A plan was cancelled.
    FlexSubscriptionCancelled = "flex.subscription.cancelled",
    /// A plan was closed.
    FlexSubscriptionClosed = "flex.subscription.closed",
    /// A mandate was revoked.
    FlexMandateCancelled = "flex.mandate.cancelled",
    /// A mandate reached its end date.
    FlexMandateExpired = "flex.mandate.expired",
    /// A scheduled debit succeeded.
    FlexInstalmentDebited = "flex.instalment.debited",
    /// An instalment's money reached the institute.
    FlexInstalmentSettled = "flex.instalment.settled",
    /// A scheduled debit failed.
    FlexInstalmentBounced = "flex.instalment.bounced",
    /// The upfront payment of a plan was taken.
    FlexDownpaymentDebited = "flex.downpayment.debited",
    /// The upfront payment of a plan reached the institute.
    FlexDownpaymentSettled = "flex.downpayment.settled",
    /// A payment of a pupil's fees was taken.
    PayPaymentDebited = "pay.payment.debited",
    /// A payment of a pupil's fees reached the institute.
    PayPaymentSettled = "pay.payment.settled",
    /// An order was paid.
    OrderPaymentDebited = "order.payment.debited",
    /// An order's money reached the institute.
    OrderPaymentSettled = "order.payment.settled",
    /// A payment was made on a payment page.
    PagePaymentDebited = "page.payment.debited",
    /// A payment page's money reached the institute.
    PagePaymentSettled = "page.payment.settled",
    /// A payment link was paid.
    PaymentLinkDebited = "payment_link.payment.debited",
    /// A payment link's money reached the institute.
    PaymentLinkSettled = "payment_link.payment.settled",
    /// A payment link ran out unpaid.
    PaymentLinkExpired = "payment_link.payment.expired",
    /// A loan application was begun.
    LoanApplicationStarted = "cred.loan.application_started",
    /// A loan application was filled in.
    LoanApplicationFilled = "cred.loan.application_filled",
    /// A loan was approved.
    LoanFinalApproved = "cred.loan.final_approved",
    /// A loan agreement was signed.
    LoanAgreementSigned = "cred.loan.agreement_signed",
    /// A loan's money was paid out.
    LoanDisbursed = "cred.loan.disbursed",
    /// A loan was refused.
    LoanRejected = "cred.loan.rejected",
    /// A loan application was withdrawn.
    LoanCanceled = "cred.loan.canceled",
    /// A loan application ran out.
    LoanApplicationExpired = "cred.loan.application_expired",
    /// A loan's monthly debit succeeded.
    EmiDebited = "cred.emi.debited",
}

impl TryFrom<&EventCode> for KnownCode {
    type Error = UnknownCode;
    fn try_from(code: &EventCode) -> Result<Self, UnknownCode> {
        code.as_str().parse()
    }
}

impl fmt::Display for KnownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The metric label of a code: one of the known codes, or `other`, so that a sender cannot make new series.
pub fn metric_label(code: Option<&EventCode>) -> &'static str {
    code.and_then(|code| KnownCode::try_from(code).ok()).map_or("other", KnownCode::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_36_known_codes_and_each_reads_back() {
        assert_eq!(KnownCode::ALL.len(), 36);
        for known in KnownCode::ALL {
            let code = EventCode::from(*known);
            assert_eq!(KnownCode::try_from(&code), Ok(*known));
            assert_eq!(metric_label(Some(&code)), known.as_str());
        }
        assert_eq!(KnownCode::FlexInstalmentBounced.sentence(), "A scheduled debit failed.");
    }

    #[test]
    fn codes_match_exactly_and_anything_else_is_labelled_other() {
        for odd in ["Direct.Payment.Added", "direct.payment.canceled", "cred.loan.cancelled", " ", "x"] {
            let code: EventCode = odd.parse().unwrap();
            assert_eq!(KnownCode::try_from(&code), Err(UnknownCode), "{odd}");
            assert_eq!(metric_label(Some(&code)), "other");
        }
        assert_eq!(metric_label(None), "other");
    }

    #[test]
    fn a_code_has_1_to_200_bytes_and_no_nul() {
        assert!("é".repeat(100).parse::<EventCode>().is_ok());
        for bad in ["", "a\0b", &"x".repeat(201)] {
            assert_eq!(bad.parse::<EventCode>(), Err(InvalidCode));
        }
    }
}
