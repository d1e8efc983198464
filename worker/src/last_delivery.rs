//! When each source last delivered something: silence is how a subscription that was switched off shows.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jodo_shared::ids::{SourceName, TargetName};
use jodo_shared::metrics as names;

/// The newest delivery of each source to one target, as far as this process knows.
#[derive(Debug)]
pub struct LastDeliveries {
    target: TargetName,
    newest: Mutex<HashMap<SourceName, Timestamp>>,
}

impl LastDeliveries {
    /// Knows of none yet.
    pub fn new(target: TargetName) -> Self {
        Self { target, newest: Mutex::default() }
    }

    /// Notes what came when, in any order.
    pub fn note<'m>(&self, came: impl Iterator<Item = (&'m SourceName, Timestamp)>) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        for (source, at) in came {
            match newest.get_mut(source) {
                Some(known) if *known >= at => continue,
                Some(known) => *known = at,
                None => drop(newest.insert(source.clone(), at)),
            }
            self.show(source, at);
        }
    }

    /// Notes that nothing is known to have come from `source`, unless something has meanwhile.
    pub fn note_none(&self, source: &SourceName) {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if !newest.contains_key(source) {
            self.show(source, Timestamp::UNIX_EPOCH);
        }
    }

    /// Under the lock, so that the gauge never keeps an older instant.
    fn show(&self, source: &SourceName, at: Timestamp) {
        let labels = [("target", self.target.to_string()), ("source", source.to_string())];
        metrics::gauge!(names::LAST_DELIVERY, &labels).set(at.as_millisecond() as f64 / 1_000.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_newer_delivery_counts() {
        let last = LastDeliveries::new("main".parse().unwrap());
        let source: SourceName = "jodo".parse().unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        last.note_none(&source);
        assert!(last.newest.lock().unwrap().is_empty());
        last.note([(&source, at(20)), (&source, at(30)), (&source, at(10))].into_iter());
        last.note_none(&source);
        assert_eq!(last.newest.lock().unwrap()[&source], at(30));
    }
}
