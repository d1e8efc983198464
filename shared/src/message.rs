//! What travels from ingress to worker: the untouched bytes, and what was learned on the way.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use jiff::Timestamp;

use crate::contract::EventCode;
use crate::ids::{DeliveryKey, EventId, SourceName, TargetName, Tenant};

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
    /// The trace that the delivery started.
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

/// A W3C trace context header (`traceparent`, version 00), checked.
///
/// Source: <https://www.w3.org/TR/trace-context/#traceparent-header>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(String);

impl TraceParent {
    /// Reads a version 00 header value; `None` when it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        let [version, trace, parent, flags] = parts.as_slice() else { return None };
        let hex = |part: &str, len: usize| {
            part.len() == len && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let some = |part: &str| part.bytes().any(|b| b != b'0');
        let good = *version == "00" && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
        (good && some(trace) && some(parent)).then(|| Self(text.to_owned()))
    }

    /// A trace for a delivery that came without one. Its ids are taken from the delivery's key and arrival, so that
    /// two arrivals of the same bytes are two traces.
    pub fn start(key: &DeliveryKey, received_at: Timestamp) -> Self {
        let key = key.to_string();
        let span = received_at.as_nanosecond() as u64 | 1;
        Self(format!("00-{}{:016x}-{}-01", &key[..16], span, &key[16..32]))
    }

    /// The header value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_parent_is_read_only_in_its_exact_form() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(TraceParent::parse(good).unwrap().as_str(), good);
        for bad in [
            "",
            "00",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_claimed_signature_reads_back_and_nothing_else_is_read() {
        let text = "ab".repeat(32);
        assert_eq!(text.to_uppercase().parse::<ClaimedSignature>().unwrap().to_string(), text);
        for bad in ["", "ab", &"xy".repeat(32), &"ab".repeat(33)] {
            assert_eq!(bad.parse::<ClaimedSignature>(), Err(NoSignature), "{bad}");
        }
    }

    #[test]
    fn a_started_trace_parent_reads_back() {
        let key = DeliveryKey::of(&"jodo".parse().unwrap(), b"x");
        let started = TraceParent::start(&key, Timestamp::UNIX_EPOCH);
        assert_eq!(TraceParent::parse(started.as_str()), Some(started.clone()));
    }
}
