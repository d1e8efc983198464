//! What operators do to a target as a whole.

pub(super) mod history;
pub(super) mod pauses;
