//! What ingress and worker both need: the message and its identifiers, the sender's contract, the broker seam,
//! configuration, telemetry and lifecycle. (The ten steps of an event's journey are told here once they stand.)

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
