//! (a) how fast deliveries are accepted into RabbitMQ, and (b) into the spool while RabbitMQ is away.

use std::sync::Arc;

use bytes::Bytes;
use jodo_shared::metrics;
use jodo_test_support::free_port;

use crate::deliveries::requests;
use crate::machine::Busy;
use crate::plan::Plan;
use crate::program::Program;
use crate::report::{Line, Report};
use crate::samples::{Samples, grouped};
use crate::sender::send;
use crate::stage::{Services, Stage};

const CONNECTIONS: [usize; 3] = [1, 64, 256];

/// # Errors
/// When a delivery is not accepted, or one that was is not there.
pub(crate) async fn measure(services: &Services, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let (stage, bare_stage, spool_stage) =
        (Stage::new(services).await?, Stage::new(services).await?, Stage::new(services).await?);
    let ingress = stage.ingress().await?;
    let bare = bare_proxy(&bare_stage).await?;
    let spooling = Stage::ingress_with(spool_stage.without_rabbitmq()).await?;
    let mut expected = [0_usize; 3];
    let mut cpu = Samples::default();
    let (mut ours, mut spooled) = (Samples::default(), Samples::default());
    for connections in CONNECTIONS {
        let events = if connections == 1 { plan.accept.div_ceil(10) } else { plan.accept };
        let most = connections == 256;
        let (mut here, mut there) = (Samples::default(), Samples::default());
        let (mut median, mut high) = (Samples::default(), Samples::default());
        for round in 0..plan.rounds {
            let requests = Arc::new(requests((connections * 100 + round) as u64, events)?);
            // The other one first in every second round, so that neither always comes after a rest.
            if round % 2 == 1 {
                there.add(send(bare.public, Arc::clone(&requests), connections, None).await?.per_second());
            }
            let before = ingress.cpu()?;
            let sent = send(ingress.public, Arc::clone(&requests), connections, None).await?;
            let used = (ingress.cpu()? - before) * 1e6 / events as f64;
            here.add(sent.per_second());
            median.add(sent.milliseconds(0.5));
            high.add(sent.milliseconds(0.99));
            if round % 2 == 0 {
                there.add(send(bare.public, Arc::clone(&requests), connections, None).await?.per_second());
            }
            expected[0] += events;
            expected[1] += events;
            if most {
                cpu.add(used);
                spooled.add(send(spooling.public, requests, connections, None).await?.per_second());
                expected[2] += events;
            }
        }
        let ratio = here.median() / there.median();
        report.add(Line {
            figure: format!("(a) accepted, {connections} connections"),
            ours: format!("{}, p50 {}, p99 {}", here.shown("/s"), median.shown(" ms"), high.shown(" ms")),
            beside: format!("bare proxy {}", there.shown("/s")),
            ratio: format!("{:.0} %", ratio * 100.0),
            target: most.then(|| ("85 %".to_owned(), ratio >= 0.85)),
        });
        if most {
            ours = here;
        }
    }
    at_half_the_rate([&ingress, &bare], ours.median() / 2.0, plan, &mut expected, report).await?;
    let ratio = spooled.median() / ours.median();
    report.add(Line {
        figure: "(b) into the spool, RabbitMQ away, 256 connections".to_owned(),
        ours: spooled.shown("/s"),
        beside: format!("(a) {}", ours.shown("/s")),
        ratio: format!("{:.0} %", ratio * 100.0),
        target: Some(("80 %".to_owned(), ratio >= 0.8)),
    });
    report.add(Line {
        figure: "(f) processor time of the ingress per delivery".to_owned(),
        ours: cpu.shown(" µs"),
        beside: format!("at {} of (a)", ours.shown("/s")),
        ratio: String::new(),
        target: Some(("35 µs".to_owned(), cpu.median() <= 35.0)),
    });
    // Nothing of it took the way round by the spool.
    anyhow::ensure!(ingress.sum(metrics::RELAYED).await? == 0.0, "RabbitMQ did not confirm everything");
    // What was accepted is in the queues, and what was spooled gets there once RabbitMQ is back.
    stage.queued(expected[0]).await?;
    bare_stage.queued(expected[1]).await?;
    drop(spooling);
    let _back = spool_stage.ingress().await?;
    spool_stage.queued(expected[2]).await
}

/// Ours and the bare proxy in turn, as above.
async fn at_half_the_rate(
    programs: [&Program; 2],
    rate: f64,
    plan: &Plan,
    expected: &mut [usize; 3],
    report: &mut Report,
) -> anyhow::Result<()> {
    let (mut medians, mut highs, mut busy): ([Samples; 2], [Samples; 2], [Samples; 2]) = Default::default();
    for round in 0..plan.rounds {
        let requests: Arc<Vec<Bytes>> = Arc::new(requests(90_000 + round as u64, plan.accept)?);
        for turn in 0..2 {
            let which = (round + turn) % 2;
            let processors = Busy::start()?;
            let sent = send(programs[which].public, Arc::clone(&requests), 256, Some(rate)).await?;
            busy[which].add(processors.end()?);
            expected[which] += requests.len();
            medians[which].add(sent.milliseconds(0.5));
            highs[which].add(sent.milliseconds(0.99));
        }
    }
    let shown =
        |which: usize| format!("p50 {}, p99 {}", medians[which].shown(" ms"), highs[which].shown(" ms"));
    report.add(Line {
        figure: format!("(a) latency at half of that rate, {}/s", grouped(rate)),
        ours: shown(0),
        beside: format!("bare proxy {}", shown(1)),
        ratio: format!("{:.1} ×", highs[0].median() / highs[1].median()),
        target: Some(("p99 10 ms".to_owned(), highs[0].median() <= 10.0)),
    });
    Ok(())
}

/// The ceiling of [`crate::ceilings::bare_proxy`], as a process of its own.
async fn bare_proxy(stage: &Stage) -> anyhow::Result<Program> {
    let (public, private) = (free_port(), free_port());
    let arguments = [
        "bare-proxy".to_owned(),
        stage.amqp_url().to_owned(),
        stage.target.to_string(),
        public.to_string(),
        private.to_string(),
    ];
    let program = Program::start("jodo-bench", &[], &arguments, public, private)?;
    program.ready().await?;
    Ok(program)
}
