//! Everything in one process, for a small school: the same ingress and worker, with a spool on disk between them and
//! SQLite files as ERP databases, beside nothing else.
//!
//! It is a composition, not a third way through the code: [`serve`] puts the parts together, [`DataDir`] is the folder
//! in which all of it lives.

mod data_dir;
mod serve;
mod welcome;

pub use data_dir::{CONFIG_FILE, DataDir};
pub use serve::serve;
