//! The spans of one delivery here: `receive`, from the request's head to the answer, and in it `publish`.
//!
//! Only a delivery that was let in has any, so that strangers cannot fill anybody's disk with spans.

use jiff::Timestamp;
use jodo_shared::clock::precise;
use jodo_shared::contract::metric_label;
use jodo_shared::message::Message;
use jodo_shared::traces::{KeyValue, Sample, Span, SpanId, SpanKind, TraceParent, Traces};

use crate::answer::{Accepted, Failure};
use crate::authenticate::Proof;
use crate::receive::Received;

/// The trace that a delivery belongs to, and what it takes to add to it.
pub(crate) struct Trace {
    parent: TraceParent,
    spans: Option<Spans>,
}

/// Of a delivery whose trace is kept.
struct Spans {
    traces: Traces,
    receive: SpanId,
    /// The sender's span, if it has one.
    cause: Option<SpanId>,
    began_at: Timestamp,
}

impl Trace {
    /// The trace that the delivery names, or a new one. Whether it is kept is the word of whoever began it; a held
    /// delivery is in none, since nobody knows whose word that would be.
    pub(crate) fn of(traces: Traces, received: &Received, accepted: &Accepted) -> Self {
        let is_held = accepted.proof == Proof::Held;
        let sample = if is_held { Sample::NOTHING } else { traces.sample() };
        let start = || TraceParent::start(&accepted.key, received.received_at, sample);
        let begun = received.trace.clone().unwrap_or_else(start);
        if is_held || !traces.keep(&begun) {
            return Self { parent: begun, spans: None };
        }
        let cause = received.trace.as_ref().map(TraceParent::parent_id);
        let (receive, publish) = (traces.new_id(), traces.new_id());
        let spans = Spans { traces, receive, cause, began_at: received.began_at };
        Self { parent: begun.from_span(publish), spans: Some(spans) }
    }

    /// What the message takes along: the span `publish` is the parent of whatever happens to it.
    pub(crate) fn parent(&self) -> &TraceParent {
        &self.parent
    }

    /// Tells how the delivery ended, which was published since `began`.
    pub(crate) fn end(&self, message: &Message, began: Timestamp, result: &Result<Accepted, Failure>) {
        let Some(spans) = &self.spans else { return };
        let (status, failed) = match result {
            Ok(_) => (200, None),
            Err(failure) => {
                let (status, reason) = failure.reply();
                (i64::from(status.as_u16()), Some(reason))
            }
        };
        let until = precise();
        let key = KeyValue::new("delivery.key", message.key.to_string());
        let receive = Span {
            name: "receive",
            kind: SpanKind::Server,
            id: spans.receive,
            parent: spans.cause,
            from: spans.began_at,
            until,
            attributes: vec![
                KeyValue::new("source", message.source.to_string()),
                KeyValue::new("event.code", metric_label(message.peeked.code.as_ref())),
                key.clone(),
                KeyValue::new("http.response.status_code", status),
            ],
            failed,
        };
        let publish = Span {
            name: "publish",
            kind: SpanKind::Producer,
            id: self.parent.parent_id(),
            parent: Some(spans.receive),
            from: began,
            until,
            attributes: vec![KeyValue::new("target", message.target.to_string()), key],
            failed,
        };
        spans.traces.record(&self.parent, receive);
        spans.traces.record(&self.parent, publish);
    }
}
