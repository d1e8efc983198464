//! (d) from the sender to the database, and how long after its acceptance an event is committed.

use std::sync::Arc;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::deliveries::{pupils_for, request, requests, year};
use crate::disk::DiskProbe;
use crate::machine::Busy;
use crate::plan::Plan;
use crate::program::Program;
use crate::report::{Line, Report};
use crate::samples::{Samples, grouped, shown};
use crate::sender::send;
use crate::stage::{Services, Stage, connect};

/// Accepted and committed events a second of the same pipeline in Node (Fastify, amqplib, ioredis, pg), measured once on
/// a machine of this class with two cores.
const NODE_COMMITTED: f64 = 1_900.0;

/// Returns the rate.
///
/// # Errors
/// When something is missing, or differs from what the oracle says.
pub(crate) async fn measure(
    services: &Services,
    plan: &Plan,
    skeleton: f64,
    report: &mut Report,
) -> anyhow::Result<f64> {
    let mut ours = Samples::default();
    let (mut ingress_memory, mut worker_memory) = (Samples::default(), Samples::default());
    for round in 0..plan.rounds {
        let stage = Stage::new(services).await?;
        let (ingress, worker) = (stage.ingress().await?, stage.worker()?);
        worker.ready().await?;
        let requests = Arc::new(requests(20_000 + round as u64, plan.accept)?);
        let started = Instant::now();
        send(ingress.public, Arc::clone(&requests), 256, None).await?;
        let ended = worker.committed(requests.len()).await?;
        ours.add(requests.len() as f64 / (ended - started).as_secs_f64());
        ingress_memory.add(ingress.memory()?.1);
        worker_memory.add(worker.memory()?.1);
        stage.judge(requests.len()).await?;
    }
    let (ratio, node) = (ours.median() / skeleton, ours.median() / NODE_COMMITTED);
    report.add(Line {
        figure: "(d) end to end, 256 connections".to_owned(),
        ours: ours.shown("/s"),
        beside: format!("skeleton {}/s, Node {}/s", grouped(skeleton), grouped(NODE_COMMITTED)),
        ratio: format!("{:.0} %, {node:.1} times Node", ratio * 100.0),
        target: Some(("50 %, 5 times Node".to_owned(), ratio >= 0.5 && node >= 5.0)),
    });
    for (who, memory, most) in [("ingress", &ingress_memory, 64.0), ("worker", &worker_memory, 128.0)] {
        report.add(Line {
            figure: format!("(g) memory of the {who} under load"),
            ours: memory.shown(" MiB"),
            beside: String::new(),
            ratio: String::new(),
            target: Some((format!("{most} MiB"), memory.most() <= most)),
        });
    }
    lag(services, plan, ours.median() / 2.0, report).await?;
    oracle(services, report).await?;
    Ok(ours.median())
}

/// From the last byte of a delivery's body to the commit of its row, by the clocks of ingress and PostgreSQL, which are
/// the same one here. PostgreSQL notes the time before it forces the commit to disk.
const LAG: &str = "SELECT percentile_cont(ARRAY[0.5, 0.99, 1.0]) WITHIN GROUP (ORDER BY \
    1000.0 * extract(epoch FROM pg_xact_commit_timestamp(xmin) - received_at::timestamptz)::float8) FROM jodo_events";

async fn lag(services: &Services, plan: &Plan, rate: f64, report: &mut Report) -> anyhow::Result<()> {
    let (mut half, mut most, mut worst) = (Samples::default(), Samples::default(), Samples::default());
    let (mut pages, mut busy) = (Histogram::new(3)?, Samples::default());
    for round in 0..plan.rounds {
        let stage = Stage::new(services).await?;
        let (ingress, worker) = (stage.ingress().await?, stage.worker()?);
        worker.ready().await?;
        let requests = Arc::new(requests(30_000 + round as u64, plan.accept)?);
        let (disk, processors) = (DiskProbe::start()?, Busy::start()?);
        send(ingress.public, Arc::clone(&requests), 256, Some(rate)).await?;
        worker.committed(requests.len()).await?;
        busy.add(processors.end()?);
        pages.add(disk.end().await?)?;
        let (client, _serving) = connect(&stage.database.url).await?;
        let quantiles: Vec<f64> = client.query_one(LAG, &[]).await?.get(0);
        if let [p50, p99, max] = quantiles[..] {
            half.add(p50);
            most.add(p99);
            worst.add(max);
        }
        stage.judge(requests.len()).await?;
    }
    report.add(Line {
        figure: format!("(d) from acceptance to commit, at {}/s", grouped(rate)),
        ours: format!(
            "p50 {}, p99 {}, most {} ms",
            half.shown(" ms"),
            most.shown(" ms"),
            grouped(worst.most())
        ),
        beside: format!(
            "processors {:.0} % busy; 4 KiB to the disk meanwhile: {}",
            busy.median(),
            shown(&pages)
        ),
        ratio: String::new(),
        target: Some(("p99 250 ms".to_owned(), most.median() < 250.0)),
    });
    Ok(())
}

/// A whole year, delivered at full speed; then the independent model of the rules compares every view.
async fn oracle(services: &Services, report: &mut Report) -> anyhow::Result<()> {
    let stage = Stage::new(services).await?;
    let (ingress, worker): (Program, Program) = (stage.ingress().await?, stage.worker()?);
    worker.ready().await?;
    let bodies = year(40_000, pupils_for(10_000));
    let requests: anyhow::Result<Vec<_>> = bodies.map(|body| request(&body)).collect();
    let requests = Arc::new(requests?);
    send(ingress.public, Arc::clone(&requests), 256, None).await?;
    worker.committed(requests.len()).await?;
    let (client, _serving) = connect(&stage.database.url).await?;
    client.batch_execute("ANALYZE").await?;
    let said = stage.operate(&["simulate", "verify", "--source", "jodo", "--no-wait"]).await?;
    report.note(format!("Judged by `simulate verify` after a year at full speed: {}", said.trim()));
    Ok(())
}
