//! An event that passed the checks of its envelope.

use jiff::tz::TimeZone;
use jodo_shared::contract::Object;
use jodo_shared::ids::{DeliveryKey, Tenant};

use super::meaning::Meaning;
use crate::table::{Clock, Fact};

/// What its readers need of an event.
pub(super) struct Event<'a> {
    pub(super) key: &'a DeliveryKey,
    pub(super) tenant: &'a Tenant,
    /// When it happened, in Unix seconds.
    pub(super) time: i64,
    /// Of the institute.
    pub(super) zone: &'a TimeZone,
    pub(super) meaning: &'static Meaning,
    pub(super) payload: Object<'a>,
}

impl Event<'_> {
    /// The clock of what this event reports with `rank`.
    pub(super) fn clock(&self, rank: u8) -> Clock {
        Clock::new(self.time, rank, self.key)
    }

    /// The state that it reports.
    pub(super) fn fact(&self) -> (&'static Fact, Clock) {
        (self.meaning.fact, self.clock(self.meaning.fact_rank))
    }
}
