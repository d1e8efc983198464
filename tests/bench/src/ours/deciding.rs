//! Where the worker's processor time goes: the parts of its work that need neither RabbitMQ nor a database.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use jodo_shared::ids::TargetName;
use jodo_worker::decide::{SourceRules, decide};
use jodo_worker::event::Event;
use jodo_worker::fold::fold;
use tokio::time::Instant;

use crate::ceilings::skeleton::BATCH;
use crate::deliveries::{message, pupils_for, year};
use crate::plan::Plan;
use crate::report::{Line, Report};
use crate::samples::Samples;

/// # Errors
/// When a time zone is unknown.
pub(crate) fn measure(plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let target: TargetName = "main".parse()?;
    let rules = SourceRules { time_zone: jiff::tz::TimeZone::get("Asia/Kolkata")?, ignore: HashSet::new() };
    let (mut deciding, mut folding) = (Samples::default(), Samples::default());
    for round in 0..plan.rounds {
        let bodies: Vec<Bytes> = year(round as u64, pupils_for(plan.drain)).take(plan.drain).collect();
        let (mut decided, mut folded) = (Duration::ZERO, Duration::ZERO);
        for batch in bodies.chunks(BATCH) {
            let messages: anyhow::Result<Vec<_>> =
                batch.iter().map(|body| message(&target, body.clone())).collect();
            let messages = messages?;
            let started = Instant::now();
            let events: Vec<_> = messages
                .iter()
                .map(|message| Event::decided(message, decide(message, Some(&rules))))
                .collect();
            decided += started.elapsed();
            let started = Instant::now();
            std::hint::black_box(fold(events.iter().flat_map(|event| &event.changes)));
            folded += started.elapsed();
        }
        let per_event = |time: Duration| time.as_secs_f64() * 1e6 / bodies.len() as f64;
        deciding.add(per_event(decided));
        folding.add(per_event(folded));
    }
    report.add(Line {
        figure: "(f) of that: to read and decide; to fold".to_owned(),
        ours: format!("{}; {}", deciding.shown(" µs"), folding.shown(" µs")),
        beside: String::new(),
        ratio: String::new(),
        target: None,
    });
    Ok(())
}
