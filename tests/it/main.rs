//! The whole, as real processes on real services: a webhook goes in, rows come out.

#![expect(clippy::expect_used, reason = "a panic is the report")]

mod bad_input;
mod cluster;
mod dead_letters;
mod end_to_end;
mod faults;
mod handed_over;
mod one_program;
mod operating;
mod recover;
mod simulate;
mod spooling;
mod traces;
