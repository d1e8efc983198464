//! What becomes of a delivery, given what is known of its sender: one pure function, and every row of it tested.
//!
//! The aim behind the table: an authentic delivery is never refused. The sender adds addresses without notice and
//! switches a subscription off after too many failures (C§4), so what a human mistake can cause is accepted or held,
//! counted and warned of; what only a stranger would send is answered 401.

use jodo_shared::config::OnBadSignature;

/// What the signature header says about the body (C§5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// The source has no secret: nothing to check against.
    NotConfigured,
    /// Made with one of the source's secrets over exactly these bytes.
    Good,
    /// There, but made with another secret, over other bytes, or not in its form.
    Wrong,
    /// No signature header.
    Missing,
}

impl Signature {
    /// The metric label. Wrong ones are `bad` there.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::Good => "good",
            Self::Wrong => "bad",
            Self::Missing => "missing",
        }
    }
}

/// Where the delivery comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// The source has no address list.
    NoList,
    /// In the source's list.
    Listed,
    /// Not in the source's list.
    Unlisted,
}

impl Address {
    /// The metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoList => "not_configured",
            Self::Listed => "listed",
            Self::Unlisted => "unlisted",
        }
    }
}

/// What the custom header says (C§5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The source has no custom header.
    NotConfigured,
    /// There, with the configured value.
    Good,
    /// There, with another value.
    Wrong,
    /// Not there.
    Missing,
}

impl Header {
    /// The metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::Good => "good",
            Self::Wrong => "wrong",
            Self::Missing => "missing",
        }
    }
}

/// The source's settings that the verdict depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceRules {
    /// Refuse what would otherwise be accepted with a warning.
    pub strict: bool,
    /// What to do with a bad signature from a listed address.
    pub on_bad_signature: OnBadSignature,
}

/// What becomes of the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The sender is proved. The concerns are counted and warned of.
    Accept(Concerns),
    /// The sender is not proved, but comes from a known address: keep the bytes aside for a person, answer 200.
    Hold,
    /// Answer 401.
    Refuse(Refusal),
}

/// What was odd about an accepted delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Concerns {
    /// It came from an address that is not in the source's list.
    pub unlisted_address: bool,
    /// Its custom header was wrong or missing, although its signature was good.
    pub bad_header: bool,
}

/// Why a delivery is answered 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No signature.
    SignatureMissing,
    /// A signature that does not fit.
    SignatureWrong,
    /// The custom header is wrong or missing.
    HeaderBad,
    /// The address is not in the list of a strict source.
    AddressUnlisted,
    /// The delivery would be held, but the day's bound on held deliveries is reached.
    HoldFull,
    /// The source has neither secret nor header. The configuration refuses such a source; should one get here, nobody
    /// is let in.
    NothingToProve,
}

impl Refusal {
    /// The stable word for the answer, the log and the metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignatureMissing => "signature_missing",
            Self::SignatureWrong => "signature_wrong",
            Self::HeaderBad => "header_bad",
            Self::AddressUnlisted => "address_unlisted",
            Self::HoldFull => "hold_limit",
            Self::NothingToProve => "nothing_to_prove",
        }
    }
}

/// The verdict table.
///
/// Monotone: making one part of the evidence worse never makes the verdict better. So a refusal reached with the
/// signature taken as good is the verdict whatever the body says, and can be given before the body is read.
///
/// Without a secret the custom header takes the signature's place, except that there is no hold. A good header never
/// mends a bad signature.
pub fn verdict(signature: Signature, address: Address, header: Header, rules: &SourceRules) -> Verdict {
    let concerns = Concerns {
        unlisted_address: address == Address::Unlisted,
        bad_header: matches!(header, Header::Wrong | Header::Missing),
    };
    let not_proved = match (signature, header) {
        (Signature::Good, _) | (Signature::NotConfigured, Header::Good) => None,
        (Signature::Wrong, _) => Some(Refusal::SignatureWrong),
        (Signature::Missing, _) => Some(Refusal::SignatureMissing),
        (Signature::NotConfigured, Header::Wrong | Header::Missing) => Some(Refusal::HeaderBad),
        (Signature::NotConfigured, Header::NotConfigured) => Some(Refusal::NothingToProve),
    };
    let may_hold = signature != Signature::NotConfigured
        && address == Address::Listed
        && rules.on_bad_signature == OnBadSignature::Hold;

    match not_proved {
        Some(Refusal::NothingToProve) => Verdict::Refuse(Refusal::NothingToProve),
        _ if rules.strict && concerns.bad_header => Verdict::Refuse(Refusal::HeaderBad),
        _ if rules.strict && concerns.unlisted_address => Verdict::Refuse(Refusal::AddressUnlisted),
        None => Verdict::Accept(concerns),
        Some(_) if may_hold => Verdict::Hold,
        Some(refusal) => Verdict::Refuse(refusal),
    }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
