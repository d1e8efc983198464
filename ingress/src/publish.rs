//! Step 4: make the delivery durable, then answer.
//!
//! In a cluster to RabbitMQ, or to the spool while RabbitMQ fails ([`spooling`](crate::spooling)); in the one program to
//! the spool.

use std::sync::Arc;

use jodo_shared::clock::precise;
use jodo_shared::ids::DeliveryKey;
use jodo_shared::message::{Message, Peeked};
use jodo_shared::traces::TraceParent;

use crate::answer::{Accepted, Failure};
use crate::authenticate::Proof;
use crate::door::Door;
use crate::receive::Received;
use crate::report::Report;
use crate::trace::Trace;

/// A delivery that has been let in.
#[derive(Debug)]
pub struct Admitted {
    /// The request.
    pub received: Received,
    /// What is known of its sender.
    pub proof: Proof,
    /// What the body seems to be.
    pub peeked: Peeked,
}

/// Publishes the delivery and reports how that ended.
///
/// It runs in a task of its own, on the runtime that the whole program shares: a client that goes away stops its
/// request, but neither the publishing nor the line in the log. The drain waits for these tasks.
///
/// # Errors
/// [`Failure::NotDurable`] when the broker did not take it: it may arrive nevertheless, and the sender's repeat is
/// then a duplicate.
pub async fn publish(door: &Door, admitted: Admitted, mut report: Report) -> Result<Accepted, Failure> {
    let (publisher, traces) = (Arc::clone(&door.publisher), door.traces.clone());
    let task = async move {
        let Admitted { received, proof, peeked } = admitted;
        let accepted =
            Accepted { key: DeliveryKey::of(&received.source.name, &received.body), peeked, proof };
        report.admitted(accepted.key, &accepted.peeked);
        let trace = Trace::of(traces, &received, &accepted);
        let message = message(&received, &accepted, trace.parent().clone());
        let began = precise();
        let result = publisher.publish(&message).await;
        // The body's share of the memory budget ends here, and not with the client's patience.
        drop(received.reservation);
        let result = report.end(result.map(|()| accepted).map_err(Failure::from));
        trace.end(&message, began, &result);
        result
    };
    let ended = door.tasks.spawn_on(task, &door.runtime).await;
    ended.unwrap_or(Err(Failure::PublishLost))
}

fn message(received: &Received, accepted: &Accepted, trace: TraceParent) -> Message {
    Message {
        key: accepted.key,
        source: received.source.name.clone(),
        tenant: received.source.tenant.clone(),
        target: received.source.target.clone(),
        received_at: received.received_at,
        peeked: accepted.peeked.clone(),
        verified: accepted.proof != Proof::Held,
        signature: received.sender.claimed_signature().filter(|_| accepted.proof == Proof::Held),
        redrive: false,
        trace: Some(trace),
        body: received.body.clone(),
    }
}
