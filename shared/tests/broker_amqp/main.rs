//! What the broker over RabbitMQ does beyond the conformance suite.

#![expect(clippy::unwrap_used, reason = "a panic is the report")]

mod alarms;
mod outages;
mod publishing;
mod queues;
mod rig;
