//! Consumes events, decides what they mean and commits them to the ERP database.

#![allow(
    clippy::duplicate_mod,
    reason = "store/common is compiled for each database: diesel checks it against one"
)]

pub mod brake;
pub mod commit;
pub mod dead_letters;
pub mod decide;
pub mod entities;
pub mod event;
pub mod fold;
pub mod heartbeat;
pub mod last_delivery;
pub mod pace;
mod pause;
pub mod pipeline;
pub mod repeats;
pub mod retrying;
pub mod run;
pub mod schema;
pub mod seen;
pub mod sql;
pub mod store;
pub mod table;
pub mod target;
#[cfg(feature = "testing")]
pub mod testing;
mod timing;
mod trace;
pub mod watch;
