//! What this machine does at most, each in the least code that keeps the same promise. Read these first: a ratio is
//! worth what its ceiling is.

pub(crate) mod bare_proxy;
pub(crate) mod database;
pub(crate) mod publish;
pub(crate) mod skeleton;
