//! An event that passed the checks of its envelope.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use jodo_shared::contract::Object;
use jodo_shared::ids::{DeliveryKey, Tenant};

use super::findings::Findings;
use super::meaning::Content;
use crate::table::Clock;

/// What its readers need of an event.
pub(super) struct Event<'a> {
    pub(super) key: &'a DeliveryKey,
    pub(super) tenant: &'a Tenant,
    /// When it happened, in Unix seconds.
    pub(super) time: i64,
    /// Of the institute.
    pub(super) zone: &'a TimeZone,
    pub(super) payload: Object<'a>,
}

impl<'a> Event<'a> {
    /// The clock of what this event reports with `rank`.
    pub(super) fn clock(&self, rank: u8) -> Clock {
        Clock::new(self.time, rank, self.key)
    }

    /// The clock of what it says with `rank`, if that counts so far.
    pub(super) fn content_clock(&self, rank: u8, content: Content) -> Clock {
        match content {
            Content::Ranked => self.clock(rank),
            // Older than any plausible event, so that every other source of content outranks it.
            Content::Fallback => Clock::new(0, 0, self.key),
        }
    }

    /// The day on which it happened, at the institute.
    pub(super) fn day(&self) -> String {
        // A plausible event time is within the range of instants.
        let instant = Timestamp::from_second(self.time).unwrap_or_default();
        self.zone.to_datetime(instant).date().to_string()
    }

    /// The object at a path such as `payload.student.grade`; an empty one where there is none.
    pub(super) fn object(&self, path: &str, findings: &mut Findings) -> Object<'a> {
        let mut names = path.split('.').skip(1);
        let Some(first) = names.next() else { return self.payload.clone() };
        let mut object = findings.take(path, self.payload.member(first).object()).unwrap_or_default();
        for name in names {
            object = findings.take(path, object.member(name).object()).unwrap_or_default();
        }
        object
    }
}
