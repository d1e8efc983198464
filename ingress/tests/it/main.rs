//! The ingress over real HTTP, with a publisher that the tests hold in their hands.

#![expect(
    unreachable_pub,
    reason = "a test program has no outside; `pub` is what its modules show each other"
)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic in a test is the report")]

mod authentication;
mod bodies;
mod client;
mod connections;
mod harness;
mod publishing;
mod quiet_logs;
