//! (g) memory with large bodies.

use std::sync::Arc;

use bytes::Bytes;

use crate::deliveries::{request, year};
use crate::plan::Plan;
use crate::report::{Line, Report};
use crate::samples::grouped;
use crate::sender::send;
use crate::stage::{Services, Stage};

const MIB: usize = 1 << 20;
const CONNECTIONS: usize = 32;

/// # Errors
/// When something is missing.
pub(crate) async fn measure(services: &Services, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let stage = Stage::new(services).await?;
    let (ingress, worker) = (stage.ingress().await?, stage.worker()?);
    worker.ready().await?;
    let requests: anyhow::Result<Vec<Bytes>> =
        year(85_000, 50).take(plan.accept / 100).map(|body| request(&padded(&body))).collect();
    let requests = Arc::new(requests?);
    let events = requests.len();
    let sent = send(ingress.public, requests, CONNECTIONS, None).await?;
    worker.committed(events).await?;
    stage.judge(events).await?;
    report.add(Line {
        figure: format!("(g) memory with {events} bodies of 1 MiB, {CONNECTIONS} connections"),
        ours: format!(
            "ingress {} MiB, worker {} MiB, {}/s",
            grouped(ingress.memory()?.1),
            grouped(worker.memory()?.1),
            grouped(sent.per_second())
        ),
        beside: String::new(),
        ratio: String::new(),
        target: None,
    });
    Ok(())
}

/// The same event with a member that means nothing, so that it has 1 MiB.
fn padded(body: &[u8]) -> Vec<u8> {
    let padding = format!("{{\"padding\":\"{}\",", "x".repeat(MIB));
    [padding.as_bytes(), body.strip_prefix(b"{").unwrap_or(body)].concat()
}
