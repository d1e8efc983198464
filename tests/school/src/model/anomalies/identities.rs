//! Ids that stand for two things.

use std::collections::{BTreeMap, BTreeSet};

use super::Anomaly;
use crate::model::book::World;
use crate::model::event::Event;
use crate::model::reading::canonical;

/// Every one of Jodo's ids that was seen with two of the ERP's numbers, once for each number.
pub(super) fn ambiguous_ids(world: &World) -> Vec<Anomaly> {
    let line = |(id, number)| Anomaly::new("jodo_id_ambiguous", id, Some(number));
    world.ambiguous_ids().map(line).collect()
}

/// Every event whose id another event of other content has, too.
pub(in crate::model) fn reused_event_ids(source: &str, bodies: &BTreeMap<&str, String>) -> Vec<Anomaly> {
    let mut by_id: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (body, event_id) in bodies {
        by_id.entry(event_id).or_default().push(body);
    }
    let mut found = Vec::new();
    for (event_id, bodies) in by_id.into_iter().filter(|(_, bodies)| bodies.len() > 1) {
        let events: Vec<Event> = bodies.iter().filter_map(|body| Event::parse(source, body)).collect();
        let contents: BTreeSet<_> =
            events.iter().map(|event| (&event.code, canonical(&event.payload))).collect();
        if contents.len() > 1 {
            let line = |event: &Event| {
                Anomaly::new("event_id_reused", event_id, Some(&event.code)).about(Some(&event.clock(0)))
            };
            found.extend(events.iter().map(line));
        }
    }
    found
}
