//! Random histories of all codes, over few ids and few instants, so that events meet.

use jodo_shared::contract::KnownCode;
use jodo_shared::message::Message;
use jodo_worker::testing;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::payloads::payload;

/// The source that all of them come from.
pub(crate) const SOURCE: &str = "jodo";

/// The message that the ingress would make of a body.
pub(crate) fn message(body: &str) -> Message {
    testing::message(SOURCE, "main", body.to_owned())
}

/// The body of an event. Five seconds for all of them, so that ranks decide often.
fn body() -> impl Strategy<Value = String> {
    (select(KnownCode::ALL), 0..5i64, 0..300u32).prop_flat_map(|(code, second, serial)| {
        payload(code.as_str()).prop_map(move |payload| {
            let body = json!({
                "event_id": format!("event-{serial}"),
                "event": code.as_str(),
                "timestamp": 1_780_000_000 + second,
                "payload": payload,
            });
            body.to_string()
        })
    })
}

/// A history, an order in which it arrives with repeats, and where its batches are cut.
#[derive(Debug, Clone)]
pub(crate) struct History {
    /// What happened.
    pub bodies: Vec<String>,
    /// Indices into `bodies`, each at least once.
    pub arrivals: Vec<usize>,
    /// Sizes of the batches; the last one repeats.
    pub batches: Vec<usize>,
}

impl History {
    /// The arrivals, cut into batches.
    pub(crate) fn cut(&self) -> Vec<Vec<usize>> {
        let mut rest = self.arrivals.as_slice();
        let sizes = self.batches.iter().chain(std::iter::repeat(&self.batches[self.batches.len() - 1]));
        let mut cut = Vec::new();
        for size in sizes {
            if rest.is_empty() {
                break;
            }
            let (batch, after) = rest.split_at((*size).min(rest.len()));
            cut.push(batch.to_vec());
            rest = after;
        }
        cut
    }
}

/// Random histories.
pub(crate) fn histories() -> impl Strategy<Value = History> {
    prop::collection::vec(body(), 1..60)
        .prop_flat_map(|bodies| {
            let count = bodies.len();
            let repeats = prop::collection::vec(0..count, 0..count);
            let arrivals =
                repeats.prop_map(move |more| (0..count).chain(more).collect::<Vec<_>>()).prop_shuffle();
            (Just(bodies), arrivals, prop::collection::vec(1..8usize, 1..6))
        })
        .prop_map(|(bodies, arrivals, batches)| History { bodies, arrivals, batches })
}
