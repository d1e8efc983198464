//! (c) how fast a worker empties a queue.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jodo_shared::broker::Publisher as _;
use jodo_shared::broker::amqp::AmqpPublisher;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ceilings::skeleton::{self, Rows};
use crate::deliveries::{message, pupils_for, year};
use crate::plan::Plan;
use crate::report::{Line, Report};
use crate::samples::{Samples, grouped};
use crate::stage::{Services, Stage};

/// Publishes under way at once while a queue is filled.
const IN_FLIGHT: usize = 512;

/// Puts these deliveries into the stage's queue, as its ingress would.
///
/// # Errors
/// When the broker does not confirm one.
pub(crate) async fn fill(stage: &Stage, bodies: impl Iterator<Item = Bytes>) -> anyhow::Result<()> {
    let (end, patience) = (CancellationToken::new(), Duration::from_secs(60));
    let url = stage.amqp_url().to_owned().into();
    let publisher = AmqpPublisher::start(url, vec![stage.target.clone()], patience, end.clone());
    publisher.until_connected().await;
    let publisher_of_each = &publisher;
    let publishing = stream::iter(bodies).map(|body| async move {
        let message = message(&stage.target, body)?;
        publisher_of_each.publish(&message).await.context("the queue is not filled")
    });
    publishing.buffer_unordered(IN_FLIGHT).try_collect::<()>().await?;
    end.cancel();
    publisher.until_ended().await;
    Ok(())
}

/// What one drain by our worker was like.
pub(crate) struct Drained {
    pub(crate) per_second: f64,
    /// Microseconds of the worker's processor time per event.
    pub(crate) cpu: f64,
    /// Most resident memory of the worker, MiB.
    pub(crate) memory: f64,
}

/// Starts a worker on a full queue, and waits until everything is committed.
///
/// # Errors
/// When something is missing.
pub(crate) async fn drain(stage: &Stage, events: usize) -> anyhow::Result<Drained> {
    let started = Instant::now();
    let worker = stage.worker()?;
    let ended = worker.committed(events).await?;
    stage.queued(0).await?;
    Ok(Drained {
        per_second: events as f64 / (ended - started).as_secs_f64(),
        cpu: worker.cpu()? * 1e6 / events as f64,
        memory: worker.memory()?.1,
    })
}

/// Returns the skeleton's rate.
///
/// # Errors
/// When something is missing.
pub(crate) async fn measure(services: &Services, plan: &Plan, report: &mut Report) -> anyhow::Result<f64> {
    let (mut ours, mut beside) = (Samples::default(), Samples::default());
    let (mut cpu, mut memory) = (Samples::default(), Samples::default());
    for round in 0..plan.rounds {
        let bodies: Vec<Bytes> = year(1000 + round as u64, pupils_for(plan.drain)).take(plan.drain).collect();
        let stage = Stage::new(services).await?;
        fill(&stage, bodies.iter().cloned()).await?;
        let drained = drain(&stage, plan.drain).await?;
        stage.judge(plan.drain).await?;
        ours.add(drained.per_second);
        cpu.add(drained.cpu);
        memory.add(drained.memory);

        let stage = Stage::new(services).await?;
        let rows: Arc<Rows> = Rows::of(&stage.target, &bodies)?;
        fill(&stage, bodies.iter().cloned()).await?;
        let started = Instant::now();
        skeleton::drain(&stage, &rows).await?;
        beside.add(plan.drain as f64 / started.elapsed().as_secs_f64());
        stage.judge(plan.drain).await?;
    }
    let ratio = ours.median() / beside.median();
    report.add(Line {
        figure: format!("(c) drain of {}", grouped(plan.drain as f64)),
        ours: ours.shown("/s"),
        beside: format!("skeleton {}", beside.shown("/s")),
        ratio: format!("{:.0} %", ratio * 100.0),
        target: Some(("75 %".to_owned(), ratio >= 0.75)),
    });
    report.add(Line {
        figure: "(f) processor time of the worker per event".to_owned(),
        ours: cpu.shown(" µs"),
        beside: String::new(),
        ratio: String::new(),
        target: Some(("30 µs".to_owned(), cpu.median() <= 30.0)),
    });
    report.add(Line {
        figure: format!("(g) memory of the worker, {} waiting", grouped(plan.drain as f64)),
        ours: memory.shown(" MiB"),
        beside: String::new(),
        ratio: String::new(),
        target: Some(("128 MiB".to_owned(), memory.most() <= 128.0)),
    });
    if let Some(events) = plan.long_drain {
        long(services, events, ours.median(), report).await?;
    }
    Ok(beside.median())
}

async fn long(services: &Services, events: usize, short: f64, report: &mut Report) -> anyhow::Result<()> {
    let stage = Stage::new(services).await?;
    fill(&stage, several_years(5_000, events)).await?;
    let drained = drain(&stage, events).await?;
    stage.judge(events).await?;
    report.add(Line {
        figure: format!("(c) drain of {}", grouped(events as f64)),
        ours: format!("{}/s, {} MiB", grouped(drained.per_second), grouped(drained.memory)),
        beside: format!("(c) of the few {}/s", grouped(short)),
        ratio: format!("{:.0} %", drained.per_second / short * 100.0),
        target: Some(("128 MiB".to_owned(), drained.memory <= 128.0)),
    });
    Ok(())
}

/// So many events, of as many schools as that takes.
pub(crate) fn several_years(seed: u64, events: usize) -> impl Iterator<Item = Bytes> {
    (seed..).flat_map(|seed| year(seed, 5_000)).take(events)
}
