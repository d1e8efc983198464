//! One module per command.

pub mod backup;
pub mod by_hand;
pub mod check;
pub mod dead;
pub mod discard;
pub mod dump;
pub mod events;
pub mod explain;
pub mod import;
pub mod migrate;
pub mod pause;
pub mod rebuild;
pub mod recover;
pub mod resume;
pub mod retention;
pub mod retry;
pub mod send;
pub mod sign;
pub mod simulate;
pub mod status;
pub mod unverified;
