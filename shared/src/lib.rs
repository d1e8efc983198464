//! What ingress and worker both need: the message and its identifiers, the sender's contract, the broker seam,
//! configuration, telemetry and lifecycle.
//!
//! # One event's journey
//!
//! Jodo posts a delivery; ten functions, in this order, bring it into the ERP database. Each bears the name it has
//! here.
//!
//! In `jodo-ingress`:
//!
//! 1. `receive`: method, path and what the head says of the sender, before the first body byte; then the body, byte
//!    for byte, bounded in size, time and memory.
//! 2. `authenticate`: the signature over the raw body, the custom header and the address lead to a verdict: accept,
//!    hold or refuse.
//! 3. `peek` ([`contract::peek`]): what the event calls itself, for logs and metrics. Never a reason to refuse.
//! 4. `publish` ([`broker::Publisher`]): into the target's queue. Only the broker's confirm, which means *on disk*,
//!    makes the answer 200.
//!
//! In `jodo-worker`, for a batch of messages:
//!
//! 5. `next_batch` ([`broker::Consumer`]): up to 500 messages, 4 MiB, or a few milliseconds.
//! 6. `look_up_repeats`: Redis names suspects, the database convicts; repeats of settled events are only
//!    acknowledged.
//! 7. `decide`: what the event means, as changes to rows. Pure and total; what cannot be read is quarantined with
//!    the member's path.
//! 8. `commit_batch`: effect and event row in one transaction. A failure is probed, bisected, retried; never blamed
//!    on an event while the database is at fault.
//! 9. `mark`: tells Redis, only after the commit and only of settled outcomes.
//! 10. `settle`: acknowledges. If that is lost the messages come again and are found at step 6 or 8.
//!
//! A [`message::Message`] is what travels between the two; an [`outcome::Outcome`] is where every event ends.

pub mod broker;
pub mod clock;
pub mod config;
pub mod contract;
pub mod ids;
pub mod lifecycle;
pub mod message;
pub mod metrics;
pub mod outcome;
pub mod private_http;
pub mod telemetry;
pub mod traces;
