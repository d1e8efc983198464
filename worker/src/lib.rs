//! Consumes events, decides what they mean and commits them to the ERP database.

pub mod entities;
pub mod table;
