//! Looks at each target's database and at what waits for it.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use jodo_ingress::strikes::warnings;
use jodo_shared::broker::spool::{Look, look};
use jodo_shared::config::{self, Config};
use jodo_shared::ids::{DeliveryKey, SourceName, TargetName};
use jodo_worker::store::StoreError;
use jodo_worker::store::inspect::{Inspect, OutcomeCounts, WorkerRow};
use jodo_worker::store::maintain::OrderedPause;
use serde::Deserialize;

use super::report::{
    Balance, Database, Pause, Program, Queues, Source, Spool, Status, Target, Unsettled, Verdict, Worker,
};
use crate::ingress_says;
use crate::queues::{self, Depths};
use crate::targets;

/// How many deliveries are looked up in one query.
const KEYS_AT_ONCE: usize = 500;
/// How long the one program may take to answer on its own machine.
const ANSWER: Duration = Duration::from_secs(2);

/// The state of the named target, or of all.
///
/// # Errors
/// When it is not configured. What cannot be reached is part of the answer.
pub(super) async fn status(
    config: &Config,
    named: Option<&TargetName>,
    one_program: bool,
    now: Timestamp,
) -> anyhow::Result<Status> {
    let chosen = targets::some(config, named)?;
    let names: Vec<_> = chosen.iter().map(|(name, _)| *name).collect();
    let waiting = if one_program { spooled(config).await } else { queued(config, &names).await };
    let said = ingress_says::ask(&config.ingress).await;
    let mut all = Vec::new();
    for (place, (name, erp)) in chosen.into_iter().enumerate() {
        let mut target = Target { target: name.to_string(), ..Target::default() };
        if !one_program {
            target.ingress_spool = said.as_ref().map(|said| said.spool(name.as_str()));
        }
        match &waiting {
            Waiting::Queues(depths) => target.queues = depths.get(place).map(queues_of),
            Waiting::Spool(look, program) => {
                let mut spool = spool_of(look, program.clone(), name);
                // Said once.
                if place > 0 {
                    spool.program.reasons.clear();
                } else {
                    let stranded = look.stranded(config.erp.keys()).into_iter();
                    spool.stranded = stranded.map(|(name, waiting)| (name.to_string(), waiting)).collect();
                }
                target.spool = Some(spool);
            }
            Waiting::Unknown(why) => target.unknown.push(why.clone()),
        }
        let store = targets::open(name, erp)?;
        match database(config, name, store.as_ref(), now).await {
            Ok(mut database) => {
                for source in &mut database.sources {
                    source.strikes = said.as_ref().map(|said| said.strikes(&source.source));
                }
                target.database = Some(database);
            }
            Err(error) => target.unknown.push(format!("{error:#}")),
        }
        if let (Waiting::Spool(look, _), Some(spool)) = (&waiting, &mut target.spool) {
            match balance(look, name, store.as_ref()).await {
                Ok(balance) => spool.balance = Some(balance),
                Err(error) => target.unknown.push(format!("{error:#}")),
            }
        }
        all.push(target);
    }
    forget_what_was_ordered(&mut all);
    let all: Vec<_> = all.into_iter().map(|target| target.concluded(now)).collect();
    let verdict = all.iter().map(Target::verdict).max().unwrap_or(Verdict::CannotTell);
    Ok(Status { verdict, targets: all })
}

/// A pause that somebody has ordered is said as such; it is no reason why the program could not do its work.
fn forget_what_was_ordered(targets: &mut [Target]) {
    let pause = |target: &Target| {
        let pause = target.database.as_ref()?.pause.as_ref()?;
        Some(format!("target {} is {}", target.target, pause.said))
    };
    let ordered: Vec<_> = targets.iter().filter_map(pause).collect();
    for spool in targets.iter_mut().filter_map(|target| target.spool.as_mut()) {
        spool.program.reasons.retain(|reason| !ordered.contains(reason));
    }
}

/// Where deliveries wait.
enum Waiting {
    Queues(Vec<Depths>),
    Spool(Look, Program),
    Unknown(String),
}

async fn queued(config: &Config, targets: &[&TargetName]) -> Waiting {
    let Some(broker) = &config.broker else {
        let why = "broker.url is not configured here, so what waits in RabbitMQ is unknown";
        return Waiting::Unknown(why.to_owned());
    };
    match queues::look(broker, targets).await {
        Ok(depths) => Waiting::Queues(depths),
        Err(error) => Waiting::Unknown(format!("RabbitMQ cannot be asked: {error}")),
    }
}

async fn spooled(config: &Config) -> Waiting {
    let readiness = readiness(config.ingress.private_listen).await;
    let program = Program {
        address: config.ingress.listen,
        answers: readiness.is_ok(),
        reasons: readiness.unwrap_or_default(),
    };
    match look(&config.ingress.spool_dir) {
        Ok(look) => Waiting::Spool(look, program),
        Err(error) => Waiting::Unknown(format!("the spool cannot be read: {error}")),
    }
}

/// What the program says of itself: nothing when it can do its work.
async fn readiness(private: SocketAddr) -> anyhow::Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Readiness {
        reasons: Vec<String>,
    }
    let client = reqwest::Client::builder().no_proxy().timeout(ANSWER).build()?;
    let answer = client.get(format!("http://{private}/readyz")).send().await?;
    let readiness: Readiness = serde_json::from_slice(&answer.bytes().await?)?;
    Ok(readiness.reasons)
}

fn queues_of(depths: &Depths) -> Queues {
    Queues { waiting: depths.waiting, dead_letters: depths.dead }
}

fn spool_of(look: &Look, program: Program, target: &TargetName) -> Spool {
    let found = look.targets.get(target);
    Spool {
        program,
        stranded: Vec::new(),
        waiting: found.map_or(0, |target| target.waiting),
        oldest_waiting: found.and_then(|target| target.oldest_waiting),
        unreadable_files: look.corrupt_files,
        balance: None,
    }
}

/// Looks each delivery that the spool still knows up in the database.
async fn balance(look: &Look, target: &TargetName, store: &dyn Inspect) -> anyhow::Result<Balance> {
    let ours = |(name, key): (TargetName, DeliveryKey)| (name == *target).then_some(key);
    // Those that wait are looked at last: whatever was settled meanwhile is in the database by then.
    let settled: Result<Vec<_>, _> = look.settled_keys().collect();
    let settled: HashSet<_> = settled?.into_iter().filter_map(ours).collect();
    let waiting: HashSet<_> = look.waiting_keys()?.into_iter().filter_map(ours).collect();
    Ok(Balance {
        missing: settled.len() - known(store, &settled).await?,
        waiting_new: waiting.len() - known(store, &waiting).await?,
    })
}

async fn known(store: &dyn Inspect, keys: &HashSet<DeliveryKey>) -> Result<usize, StoreError> {
    let keys: Vec<_> = keys.iter().copied().collect();
    let mut known = 0;
    for some in keys.chunks(KEYS_AT_ONCE) {
        known += store.known(some).await?.len();
    }
    Ok(known)
}

async fn database(
    config: &Config,
    name: &TargetName,
    store: &dyn Inspect,
    now: Timestamp,
) -> anyhow::Result<Database> {
    let read = async {
        store.check_schema().await?;
        let mut sources = Vec::new();
        for (source, settings) in config.sources.iter().filter(|(_, source)| source.target == *name) {
            sources.push(source_of(store, source, settings, now).await?);
        }
        let summary = store.summary().await?;
        let pause = store.orders(name, None).await?.pause.filter(|pause| pause.until > now);
        let oldest = summary.unsettled.iter().filter_map(|one| one.oldest_received_at.as_deref()).min();
        Ok::<_, StoreError>(Database {
            events: summary.events,
            sources,
            held: summary.held,
            pause: pause.map(|pause| pause_of(pause, targets::zone(config, name))),
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
        strikes: None,
        first_warning: warnings(source.environment)[0],
        zone,
    })
}

fn unsettled_of(counts: OutcomeCounts) -> Unsettled {
    Unsettled { outcome: counts.outcome, reason: counts.reason, events: counts.events }
}

fn pause_of(pause: OrderedPause, zone: TimeZone) -> Pause {
    let said = pause.to_string();
    Pause { until: Some(pause.until), by: pause.who, reason: pause.reason, said, zone }
}

fn worker_of(row: WorkerRow, now: Timestamp) -> Worker {
    let last_seen = row.last_seen_at.parse().ok();
    let at_work = Worker::is_at_work(last_seen, now);
    Worker { worker: row.worker, last_seen, paused_because: row.paused_because, at_work }
}
