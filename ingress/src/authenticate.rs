//! Step 2: is this from the sender?
//!
//! In two parts, because some of the evidence is in the head of the request: [`examine`] looks at it before the first
//! body byte is read, [`authenticate`] has the last word when the body is there.

use std::net::IpAddr;

use actix_web::http::header::{HeaderMap, HeaderName};
use hmac::Mac;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use jodo_shared::message::ClaimedSignature;
use jodo_shared::metrics as names;
use metrics::counter;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::source::{ExpectedHeader, Source};
use crate::verdict::{Address, Concerns, Header, Refusal, Signature, Verdict, verdict};

/// The sender's signature: hexadecimal HMAC-SHA256 of the raw body, keyed with the secret's bytes (C§5).
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("x-jodo-signature");

/// What the head of a request says about its sender.
#[derive(Debug, Clone)]
pub struct Sender {
    address: Address,
    header: Header,
    claimed: Claimed,
}

/// The signatures that the head carries.
#[derive(Debug, Clone)]
struct Claimed {
    /// Whether the header is there at all.
    present: bool,
    /// The values that have the form of a signature.
    signatures: Vec<[u8; 32]>,
}

impl Sender {
    /// The first signature that the head carries.
    pub fn claimed_signature(&self) -> Option<ClaimedSignature> {
        self.claimed.signatures.first().copied().map(ClaimedSignature::from_bytes)
    }

    fn count(&self, source: &Source) {
        count(names::ADDRESS_VERDICTS, source, self.address.as_str());
        count(names::HEADER_VERDICTS, source, self.header.as_str());
    }
}

fn count(metric: &'static str, source: &Source, verdict: &'static str) {
    counter!(metric, "source" => source.name.as_str().to_owned(), "verdict" => verdict).increment(1);
}

/// The sender is proved, or the delivery is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Proved; the concerns are warned of.
    Verified(Concerns),
    /// Not proved: keep it aside.
    Held,
}

/// Reads the evidence in the head of a request, and refuses what no body could mend.
///
/// # Errors
/// The [`Refusal`] that stands even if the signature, where there is one, should turn out good.
pub fn examine(source: &Source, peer: IpAddr, headers: &HeaderMap) -> Result<Sender, Refusal> {
    let sender = Sender {
        address: source.addresses.judge(source.addresses.client(peer, headers)),
        header: judge_header(source.header.as_ref(), headers),
        claimed: claimed(headers),
    };
    sender.count(source);
    let at_best = match source.secrets.is_empty() {
        true => Signature::NotConfigured,
        false if !sender.claimed.present => Signature::Missing,
        false if sender.claimed.signatures.is_empty() => Signature::Wrong,
        false => Signature::Good,
    };
    match verdict(at_best, sender.address, sender.header, &source.rules) {
        Verdict::Refuse(refusal) => {
            // A signature that could be good was not looked at, and is not counted.
            if at_best != Signature::Good {
                count(names::SIGNATURE_VERDICTS, source, at_best.as_str());
            }
            Err(refusal)
        }
        Verdict::Accept(_) | Verdict::Hold => Ok(sender),
    }
}

/// The last word on a delivery whose body is `body`, read at `now` (which decides the day that a hold counts for).
///
/// # Errors
/// The [`Refusal`] to answer 401 with.
pub fn authenticate(source: &Source, sender: &Sender, body: &[u8], now: Timestamp) -> Result<Proof, Refusal> {
    let signature = judge_signature(source, &sender.claimed, body);
    count(names::SIGNATURE_VERDICTS, source, signature.as_str());
    match verdict(signature, sender.address, sender.header, &source.rules) {
        Verdict::Accept(concerns) => Ok(Proof::Verified(concerns)),
        Verdict::Hold if source.take_hold(TimeZone::UTC.to_datetime(now).date(), body.len()) => {
            Ok(Proof::Held)
        }
        Verdict::Hold => Err(Refusal::HoldFull),
        Verdict::Refuse(refusal) => Err(refusal),
    }
}

/// Compares every claimed signature with that of every secret, all of them, each in constant time: how long it takes
/// says nothing about which secret fits or how far.
fn judge_signature(source: &Source, claimed: &Claimed, body: &[u8]) -> Signature {
    if source.secrets.is_empty() {
        return Signature::NotConfigured;
    }
    if !claimed.present {
        return Signature::Missing;
    }
    let mut fits = Choice::from(0);
    for keyed in &source.secrets {
        let expected: [u8; 32] = keyed.clone().chain_update(body).finalize().into_bytes().into();
        for signature in &claimed.signatures {
            fits |= expected.ct_eq(signature);
        }
    }
    if fits.into() { Signature::Good } else { Signature::Wrong }
}

/// Compares digests, so that neither content nor length of the expected value shows in the time it takes.
fn judge_header(expected: Option<&ExpectedHeader>, headers: &HeaderMap) -> Header {
    let Some(expected) = expected else { return Header::NotConfigured };
    let mut fits = Choice::from(0);
    for value in headers.get_all(&expected.name) {
        let digest: [u8; 32] = Sha256::digest(value.as_bytes()).into();
        fits |= digest.ct_eq(&expected.digest);
    }
    match (bool::from(fits), headers.contains_key(&expected.name)) {
        (true, _) => Header::Good,
        (false, true) => Header::Wrong,
        (false, false) => Header::Missing,
    }
}

/// Reads the signature header, in either case: the sender's case is documented nowhere (C§5).
fn claimed(headers: &HeaderMap) -> Claimed {
    let decode = |value: &[u8]| {
        let mut signature = [0; 32];
        hex::decode_to_slice(value, &mut signature).is_ok().then_some(signature)
    };
    let signatures = headers.get_all(SIGNATURE_HEADER).filter_map(|value| decode(value.as_bytes())).collect();
    Claimed { present: headers.contains_key(SIGNATURE_HEADER), signatures }
}

#[cfg(test)]
#[path = "authenticate_tests.rs"]
mod tests;
