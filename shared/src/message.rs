//! What travels from ingress to worker: the untouched bytes, and what was learned on the way.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use jiff::Timestamp;

use crate::contract::EventCode;
use crate::ids::{DeliveryKey, EventId, SourceName, TargetName, Tenant};
use crate::traces::TraceParent;

/// One accepted delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Identity of the delivery: always [`DeliveryKey::of`] its source and body.
    pub key: DeliveryKey,
    /// The source whose path it came in on.
    pub source: SourceName,
    /// The source's tenant when it was accepted.
    pub tenant: Tenant,
    /// The ERP database it is to be applied to.
    pub target: TargetName,
    /// When the ingress had read it whole.
    pub received_at: Timestamp,
    /// What [`peek`](crate::contract::peek) saw; for logs and metrics only, `decide` reads the body itself.
    pub peeked: Peeked,
    /// False for a held delivery, whose sender was not proved: stored aside and never decided.
    pub verified: bool,
    /// The signature that a held delivery came with, to be checked against other secrets; `None` for any other.
    pub signature: Option<ClaimedSignature>,
    /// True when an operator sent it round again.
    pub redrive: bool,
    /// The trace that the delivery belongs to, with the span that published it.
    pub trace: Option<TraceParent>,
    /// The body as received, byte for byte.
    pub body: Bytes,
}

/// What a best-effort look into a body found. Every part may be absent; none is a reason to refuse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peeked {
    /// The sender's `event_id`, where it is usable text.
    pub event_id: Option<EventId>,
    /// The sender's `event`, where it is text.
    pub code: Option<EventCode>,
    /// The sender's `timestamp` in Unix seconds, where it is plausible.
    pub time: Option<i64>,
}

/// What a delivery claims to be its HMAC-SHA256; as text 64 hexadecimal digits, read in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimedSignature([u8; 32]);

/// A text is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 64 hexadecimal digits")]
pub struct NoSignature;

impl ClaimedSignature {
    /// The signature of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for ClaimedSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for ClaimedSignature {
    type Err = NoSignature;
    fn from_str(text: &str) -> Result<Self, NoSignature> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NoSignature)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_signature_reads_back_and_nothing_else_is_read() {
        let text = "ab".repeat(32);
        assert_eq!(text.to_uppercase().parse::<ClaimedSignature>().unwrap().to_string(), text);
        for bad in ["", "ab", &"xy".repeat(32), &"ab".repeat(33)] {
            assert_eq!(bad.parse::<ClaimedSignature>(), Err(NoSignature), "{bad}");
        }
    }
}
