//! Looks at each target's database and queues.

use anyhow::Context as _;
use jiff::Timestamp;
use jodo_shared::config::{self, Config, Erp};
use jodo_shared::ids::{SourceName, TargetName};
use jodo_worker::store::StoreError;
use jodo_worker::store::inspect::{Inspect, OutcomeCounts, WorkerRow};

use super::report::{Database, Queues, Source, Status, Target, Unsettled, Verdict, Worker};
use crate::queues::{self, Depths};
use crate::targets;

/// The state of the named target, or of all.
///
/// # Errors
/// When it is not configured. What cannot be reached is part of the answer.
pub(super) async fn status(
    config: &Config,
    named: Option<&TargetName>,
    now: Timestamp,
) -> anyhow::Result<Status> {
    let chosen = targets::some(config, named)?;
    let names: Vec<_> = chosen.iter().map(|(name, _)| *name).collect();
    let depths = depths(config, &names).await;
    let mut all = Vec::new();
    for (place, (name, erp)) in chosen.into_iter().enumerate() {
        let mut target = Target { target: name.to_string(), ..Target::default() };
        match &depths {
            Ok(depths) => target.queues = depths.get(place).map(queues_of),
            Err(unknown) => target.unknown.push(unknown.clone()),
        }
        match database(config, name, erp, now).await {
            Ok(database) => target.database = Some(database),
            Err(error) => target.unknown.push(format!("{error:#}")),
        }
        all.push(target.concluded(now));
    }
    let verdict = all.iter().map(Target::verdict).max().unwrap_or(Verdict::CannotTell);
    Ok(Status { verdict, targets: all })
}

async fn depths(config: &Config, targets: &[&TargetName]) -> Result<Vec<Depths>, String> {
    let Some(broker) = &config.broker else {
        return Err("broker.url is not configured here, so what waits in RabbitMQ is unknown".to_owned());
    };
    queues::look(broker, targets).await.map_err(|error| format!("RabbitMQ cannot be asked: {error}"))
}

fn queues_of(depths: &Depths) -> Queues {
    Queues { waiting: depths.waiting, dead_letters: depths.dead }
}

async fn database(config: &Config, name: &TargetName, erp: &Erp, now: Timestamp) -> anyhow::Result<Database> {
    let store = targets::open(name, erp)?;
    let read = async {
        store.check_schema().await?;
        let mut sources = Vec::new();
        for (source, settings) in config.sources.iter().filter(|(_, source)| source.target == *name) {
            sources.push(source_of(store.as_ref(), source, settings, now).await?);
        }
        let summary = store.summary().await?;
        let oldest = summary.unsettled.iter().filter_map(|one| one.oldest_received_at.as_deref()).min();
        Ok::<_, StoreError>(Database {
            sources,
            held: summary.held,
            oldest_unsettled: oldest.and_then(|at| at.parse().ok()),
            unsettled: summary.unsettled.into_iter().map(unsettled_of).collect(),
            workers: summary.workers.into_iter().map(|worker| worker_of(worker, now)).collect(),
        })
    };
    read.await.with_context(|| format!("erp.{name}"))
}

async fn source_of(
    store: &dyn Inspect,
    name: &SourceName,
    source: &config::Source,
    now: Timestamp,
) -> Result<Source, StoreError> {
    let zone = source.time_zone.clone();
    // A day that has no beginning lies beyond the calendar.
    let midnight =
        now.to_zoned_datetime(zone.clone()).start_of_day().map_or(now, |midnight| midnight.timestamp());
    let activity = store.activity(name, midnight).await?;
    Ok(Source {
        source: name.to_string(),
        environment: source.environment.as_str(),
        last_delivery: activity.last_received_at.and_then(|at| at.parse().ok()),
        accepted_today: activity.accepted_since,
        zone,
    })
}

fn unsettled_of(counts: OutcomeCounts) -> Unsettled {
    Unsettled { outcome: counts.outcome, reason: counts.reason, events: counts.events }
}

fn worker_of(row: WorkerRow, now: Timestamp) -> Worker {
    let last_seen = row.last_seen_at.parse().ok();
    let at_work = Worker::is_at_work(last_seen, now);
    Worker { worker: row.worker, last_seen, paused_because: row.paused_because, at_work }
}
