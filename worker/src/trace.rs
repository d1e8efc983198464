//! The spans of one event here: `apply`, from when its message was taken in hand, and in it `commit`, the transaction.

use jiff::Timestamp;
use jodo_shared::contract::metric_label;
use jodo_shared::outcome::{Outcome, Reason};
use jodo_shared::traces::{KeyValue, Span, SpanKind, TraceParent};

use crate::event::Event;
use crate::target::Target;

/// A transaction that was committed.
pub(crate) struct Commit {
    /// When its first statement was sent.
    pub(crate) began: Timestamp,
    /// When the database had confirmed it.
    pub(crate) ended: Timestamp,
    /// Events in it.
    pub(crate) events: usize,
}

/// Tells how an event ended, if its trace is kept. One that is tried again later has a pair of spans for each time.
pub(crate) fn trace(target: &Target, event: &Event, commit: &Commit) {
    let Some((trace, taken_at)) = event.row.trace.as_ref().zip(event.taken_at) else { return };
    if target.traces.keep(trace) {
        for span in spans(target, event, commit, trace, taken_at) {
            target.traces.record(trace, span);
        }
    }
}

fn spans(
    target: &Target,
    event: &Event,
    commit: &Commit,
    trace: &TraceParent,
    taken_at: Timestamp,
) -> [Span; 2] {
    let row = &event.row;
    let reason = row.reason.map(Reason::as_str);
    let common = [
        KeyValue::new("target", target.name.to_string()),
        // No batch has more events than fit.
        KeyValue::new("batch.events", i64::try_from(commit.events).unwrap_or(i64::MAX)),
    ];
    let own = [
        KeyValue::new("source", row.source.to_string()),
        KeyValue::new("event.code", metric_label(row.code.as_ref())),
        KeyValue::new("delivery.key", row.key.to_string()),
        KeyValue::new("outcome", row.outcome.as_str()),
    ];
    let because = reason.map(|reason| KeyValue::new("reason", reason));
    let apply = Span {
        name: "apply",
        kind: SpanKind::Consumer,
        id: target.traces.new_id(),
        parent: Some(trace.parent_id()),
        from: taken_at,
        until: commit.ended,
        attributes: common.clone().into_iter().chain(own).chain(because).collect(),
        failed: reason.filter(|_| row.outcome == Outcome::Quarantined),
    };
    let commit = Span {
        name: "commit",
        kind: SpanKind::Internal,
        id: target.traces.new_id(),
        parent: Some(apply.id),
        from: commit.began,
        until: commit.ended,
        attributes: common.to_vec(),
        failed: None,
    };
    [apply, commit]
}
