//! The thin internet-facing service: it takes the sender's deliveries, proves that they are the sender's, and answers
//! 200 only when each is durable.
//!
//! One delivery goes through four steps:
//!
//! 1. [`receive`](receive::receive): method, path, and what the head says of the sender, before the first body byte;
//!    then the body, untouched, bounded in size, time and memory.
//! 2. [`authenticate`](authenticate::authenticate): signature, custom header and address lead to a
//!    [`verdict`](verdict::verdict): accept, hold, or refuse.
//! 3. [`peek`](jodo_shared::contract::peek): what the event calls itself, for logs and metrics; never a reason to
//!    refuse.
//! 4. [`publish`](publish::publish): durable in the broker, or in the [spool](spooling) if it fails, then the [`answer`](answer::answer).
//!
//! [`serve`] is the whole of it; it knows nothing of ERP databases or Redis, and the broker only as a
//! [`Publisher`](jodo_shared::broker::Publisher).
//!
//! # Open files
//!
//! Every connection is an open file. 10,000 idle clients need a limit on open files (`ulimit -n`, systemd's
//! `LimitNOFILE`, Docker's `nofile`) above 10,000; with a lower one the program takes fewer connections than
//! `ingress.max_connections` says, with a warning at start, and others wait in the kernel. A connection on which no
//! request comes is cut after five seconds, one that was refused at once, so that waiting ends.

pub mod address;
pub mod answer;
pub mod authenticate;
pub mod budget;
pub mod connections;
pub mod door;
pub mod hold;
pub mod publish;
pub mod receive;
pub mod report;
pub mod source;
pub mod spooling;
pub mod strikes;
mod trace;
pub mod verdict;

mod server;

pub use server::{ServeError, serve, serve_private};
