//! What travels with a delivery so that its spans find each other.

use jiff::Timestamp;
use opentelemetry::trace::{SpanId, TraceId};

use crate::ids::DeliveryKey;

/// Bit of the flags that says that somebody keeps the trace.
const SAMPLED: u8 = 1;

/// The fraction of deliveries that are traced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample(f64);

impl Sample {
    /// No delivery.
    pub const NOTHING: Self = Self(0.0);
    /// Every delivery.
    pub const EVERYTHING: Self = Self(1.0);

    /// A fraction from 0 to 1; `None` for any other number.
    pub fn of(fraction: f64) -> Option<Self> {
        (0.0..=1.0).contains(&fraction).then_some(Self(fraction))
    }

    /// The fraction, from 0 to 1.
    pub fn fraction(self) -> f64 {
        self.0
    }

    /// Whether this trace is in it. It follows from the trace's id alone, by the same rule as OpenTelemetry's
    /// `TraceIdRatioBased`: the larger of two samples holds all of the smaller one.
    pub fn takes(self, trace: TraceId) -> bool {
        let low = u128::from_be_bytes(trace.to_bytes()) as u64 >> 1;
        low < (self.0 * (1_u64 << 63) as f64) as u64
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

    /// A trace for a delivery that came without one, marked as sampled if `sample` takes it. Its ids are taken from the
    /// delivery's arrival and key, so that two arrivals of the same bytes are two traces.
    pub fn start(key: &DeliveryKey, received_at: Timestamp, sample: Sample) -> Self {
        let key = key.to_string();
        let arrival = received_at.as_nanosecond() as u64 | 1;
        // The key comes last: samplers look at the end of the id, and expect it to be as good as random.
        let unsampled = Self(format!("00-{arrival:016x}{}-{}-00", &key[..16], &key[16..32]));
        if sample.takes(unsampled.trace_id()) { unsampled.flagged(SAMPLED) } else { unsampled }
    }

    /// The header value.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The trace.
    pub fn trace_id(&self) -> TraceId {
        // Checked to be hexadecimal.
        TraceId::from_hex(&self.0[3..35]).unwrap_or(TraceId::INVALID)
    }

    /// The span that whatever happens next is a child of.
    pub fn parent_id(&self) -> SpanId {
        // Checked to be hexadecimal.
        SpanId::from_hex(&self.0[36..52]).unwrap_or(SpanId::INVALID)
    }

    /// Whether its spans are kept: the decision of whoever began the trace.
    pub fn is_sampled(&self) -> bool {
        self.flags() & SAMPLED != 0
    }

    /// The same trace, to be handed on by the span `parent`.
    pub fn from_span(&self, parent: SpanId) -> Self {
        Self(format!("00-{}-{parent}-{:02x}", self.trace_id(), self.flags()))
    }

    fn flags(&self) -> u8 {
        // Checked to be hexadecimal.
        u8::from_str_radix(&self.0[53..], 16).unwrap_or(0)
    }

    fn flagged(&self, flags: u8) -> Self {
        Self(format!("{}{flags:02x}", &self.0[..53]))
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
    fn its_parts_are_those_of_the_header_and_another_parent_changes_nothing_else() {
        let read = TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03").unwrap();
        assert_eq!(read.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(read.parent_id().to_string(), "b7ad6b7169203331");
        let next = read.from_span(SpanId::from(0x2a));
        assert_eq!(next.as_str(), "00-0af7651916cd43dd8448eb211c80319c-000000000000002a-03");
        for (flags, sampled) in [("00", false), ("01", true), ("02", false), ("ff", true)] {
            let text = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
            assert_eq!(TraceParent::parse(&text).unwrap().is_sampled(), sampled, "{text}");
        }
    }

    #[test]
    fn a_started_trace_parent_reads_back_and_bears_the_samples_word() {
        let key = DeliveryKey::of(&"jodo".parse().unwrap(), b"x");
        let start = |sample| TraceParent::start(&key, Timestamp::UNIX_EPOCH, sample);
        for (sample, sampled) in [(Sample::NOTHING, false), (Sample::EVERYTHING, true)] {
            let started = start(sample);
            assert_eq!(TraceParent::parse(started.as_str()), Some(started.clone()));
            assert_eq!(started.is_sampled(), sampled);
            assert_eq!(started.trace_id(), start(Sample::NOTHING).trace_id());
        }
        let later = TraceParent::start(&key, Timestamp::MAX, Sample::NOTHING);
        assert_ne!(later.trace_id(), start(Sample::NOTHING).trace_id());
    }

    #[test]
    fn a_sample_takes_its_share_and_a_larger_one_takes_the_same_and_more() {
        let source = "jodo".parse().unwrap();
        let taken = |fraction| {
            let sample = Sample::of(fraction).unwrap();
            let keys = (0..10_000_u32).map(|n| DeliveryKey::of(&source, &n.to_be_bytes()));
            keys.filter(|key| TraceParent::start(key, Timestamp::UNIX_EPOCH, sample).is_sampled())
                .collect::<std::collections::BTreeSet<_>>()
        };
        let (few, more) = (taken(0.01), taken(0.1));
        assert!((60..=140).contains(&few.len()), "{}", few.len());
        assert!((900..=1_100).contains(&more.len()), "{}", more.len());
        assert!(few.is_subset(&more));
        assert_eq!(taken(0.0).len(), 0);
        assert_eq!(taken(1.0).len(), 10_000);
    }

    #[test]
    fn a_sample_is_a_fraction() {
        for bad in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Sample::of(bad), None, "{bad}");
        }
    }
}
