//! What is measured of jodo-sync, a file for each part of it.

pub(crate) mod accept;
pub(crate) mod catch_up;
pub(crate) mod deciding;
pub(crate) mod drain;
pub(crate) mod embedded;
pub(crate) mod end_to_end;
pub(crate) mod growth;
pub(crate) mod large;
pub(crate) mod scale;
