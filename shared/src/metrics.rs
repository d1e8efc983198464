//! Every metric the programs report: name, labels, unit.

/// Counter: deliveries that were dropped without being settled. Always 0 in a correct program.
pub const DELIVERIES_DROPPED: &str = "jodo_sync_deliveries_dropped_total";
