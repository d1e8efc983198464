//! What a reader of the views may rely on where the sender's documentation is vague, on money to the paisa, and on one
//! line per pupil. Bodies go in, rows of the views come out.
//!
//! `cargo test -p jodo-worker --test contract ambiguities` needs no services; the rest also runs on PostgreSQL.

#![expect(clippy::expect_used, reason = "a panic is the report")]

mod ambiguities;
mod done_when_4;
mod money;
mod school;
