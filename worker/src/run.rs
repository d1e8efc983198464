//! Puts a worker process together: per target a store, its pipelines, its due rows and its heartbeat.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use anyhow::Context as _;
use jodo_shared::broker::{BatchLimits, Consumer};
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;
use jodo_shared::lifecycle::Shutdown;
use jodo_shared::metrics as names;
use jodo_shared::private_http::Readiness;
use jodo_shared::traces::Traces;

use crate::decide::SourceRules;
use crate::heartbeat::{follow_orders, heartbeat};
use crate::pace::Pace;
use crate::pipeline::run_pipeline;
use crate::retrying::work_off_due_rows;
use crate::seen::{NoSeenIds, RedisSeenIds, SeenIds};
use crate::store::maintain::Maintain;
use crate::store::postgres::PgStore;
use crate::store::{Store, WorkerName, is_file, open};
use crate::target::{Pause, Target, Timing};
use crate::watch::{watch_database, watch_redis};

/// Connections that a target needs beside one per pipeline: due rows, heartbeat, orders, the watch, and one to look up
/// repeats while another pipeline commits.
const EXTRA_CONNECTIONS: usize = 5;

/// Starts the tasks of every target that this process works for, and returns the targets. Databases, Redis and the
/// broker need not be there yet: each task waits for its own.
///
/// Spans of what they do go to `traces`.
///
/// `consumer` makes one consumer per call, for one pipeline.
///
/// # Errors
/// When an address in the configuration cannot be used at all.
pub fn start(
    config: &Config,
    traces: &Traces,
    shutdown: &Shutdown,
    consumer: impl Fn(&TargetName) -> Box<dyn Consumer>,
) -> anyhow::Result<Vec<Arc<Target>>> {
    let seen: Arc<dyn SeenIds> = match &config.redis {
        Some(redis) => {
            let redis = Arc::new(RedisSeenIds::new(redis).context("redis.url cannot be used")?);
            shutdown.spawn("Redis", endless(watch_redis(Arc::clone(&redis), shutdown.token())));
            redis
        }
        None => Arc::new(NoSeenIds),
    };
    names::name_sources(config);
    let mut targets = Vec::new();
    for name in worked_for(config) {
        let store = store(config, name)?;
        let target = Arc::new(target(config, name, store.clone(), Arc::clone(&seen)).traced(traces.clone()));
        for _ in 0..pipelines(config, name) {
            let pipeline =
                run_pipeline(Arc::clone(&target), consumer(name), limits(config, name), shutdown.token());
            shutdown.spawn("pipeline", endless(pipeline));
        }
        shutdown.spawn("due rows", endless(work_off_due_rows(Arc::clone(&target), shutdown.token())));
        shutdown.spawn("orders", endless(follow_orders(Arc::clone(&target), shutdown.token())));
        shutdown.spawn("heartbeat", endless(heartbeat(Arc::clone(&target), shutdown.token())));
        let sources = config.sources.iter().filter(|(_, source)| source.target == *name);
        let sources = sources.map(|(source, _)| source.clone()).collect();
        let watch = watch_database(Arc::clone(&target), store, sources, shutdown.token());
        shutdown.spawn("watch", endless(watch));
        targets.push(target);
    }
    Ok(targets)
}

/// Bounds of one batch of this target: those of the configuration, and no more than its pace lets it take at once.
pub fn limits(config: &Config, name: &TargetName) -> BatchLimits {
    let batch = config.worker.batch;
    BatchLimits { messages: pace(config, name).at_once(batch.messages), ..batch }
}

fn pace(config: &Config, name: &TargetName) -> Pace {
    Pace::new(config.erp.get(name).map_or(0, |erp| erp.max_events_per_second))
}

/// Not ready while any target is paused.
pub fn readiness(targets: &[Arc<Target>]) -> Readiness {
    Readiness::from_reasons(paused(targets))
}

/// The targets that take nothing, and why, in words for people.
pub fn paused(targets: &[Arc<Target>]) -> Vec<String> {
    let paused = targets.iter().filter_map(|target| Some((&target.name, target.paused()?)));
    let in_words = |(name, pause): (&TargetName, Pause)| match pause {
        // It says itself that it is paused.
        Pause::Ordered(order) => format!("target {name} is {order}"),
        trouble => format!("target {name} is paused: {trouble}"),
    };
    paused.map(in_words).collect()
}

/// `worker.pipelines`; one for a SQLite file, which has one writer.
fn pipelines(config: &Config, name: &TargetName) -> usize {
    if config.erp.get(name).is_some_and(|erp| is_file(&erp.url)) { 1 } else { config.worker.pipelines }
}

/// `worker.targets`, or every configured target.
pub fn worked_for(config: &Config) -> Vec<&TargetName> {
    let chosen = &config.worker.targets;
    config.erp.keys().filter(|name| chosen.is_empty() || chosen.contains(name)).collect()
}

fn store(config: &Config, name: &TargetName) -> anyhow::Result<Arc<dyn Maintain>> {
    let erp = config.erp.get(name).with_context(|| format!("erp.{name} is not configured"))?;
    let connections = config.worker.pipelines + EXTRA_CONNECTIONS;
    let worker = WorkerName::of_this_process();
    open(&erp.url, connections, PgStore::STATEMENT_TIMEOUT, worker)
        .with_context(|| format!("erp.{name}.url cannot be used"))
}

fn target(config: &Config, name: &TargetName, store: Arc<dyn Store>, seen: Arc<dyn SeenIds>) -> Target {
    let rules: HashMap<_, _> =
        config.sources.iter().map(|(name, source)| (name.clone(), SourceRules::from(source))).collect();
    Target::new(name.clone(), store, seen, rules, Timing::default()).at(pace(config, name))
}

/// A task in the form in which a [`Shutdown`] waits for it.
///
/// # Errors
/// Never.
pub async fn endless(task: impl Future<Output = ()>) -> Result<(), Infallible> {
    task.await;
    Ok(())
}
