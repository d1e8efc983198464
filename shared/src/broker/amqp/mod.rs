//! The broker over RabbitMQ (AMQP 0-9-1, lapin), from 3.10 on.
//!
//! Each [`AmqpPublisher`] and each [`AmqpConsumer`] has a connection of its own: RabbitMQ blocks a whole connection
//! that publishes during an alarm, and acknowledgements must not wait behind that. Connections are supervised here
//! and not by lapin's own recovery: what was in flight must be told to its caller, and counted anew.
//!
//! What each file knows: [`topology`] the queues, `mismatch` what of them may differ, `codec` how a message looks in
//! AMQP, `connection` how to get a connection and how to be rid of it, `reach` what to do while there is none,
//! `confirms` what the broker's word on a publish means, `session` one channel that consumes, `acks` which
//! acknowledgements may cover several deliveries, `dead_letters` what the broker has given up,
//! `depth` how much waits in a queue.

mod acks;
mod codec;
mod confirms;
mod connection;
mod consumer;
mod dead_letters;
mod depth;
mod mismatch;
mod publisher;
mod reach;
mod session;
pub mod topology;

pub use consumer::{AmqpConsumer, prefetch_for};
pub use dead_letters::{DeadLetter, DeadLetters};
pub use depth::{LookError, QueueDepths};
pub use publisher::AmqpPublisher;
