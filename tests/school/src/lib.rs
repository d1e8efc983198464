//! An invented school: the bodies of the events that Jodo would send about it, from a seed, and a judge ([`model`]) that
//! reads all of them and says what every view must show.
//!
//! A [`Run`] decides every byte. Nothing here shares code with the programs that are tried out and judged, and
//! generator and judge share none with each other.

#![deny(missing_docs)]

pub mod model;
pub mod office;
pub mod order;
pub mod run;
mod spelling;
pub mod year;

pub use run::{PREFIX, Run, Scenario};
