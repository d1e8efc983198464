//! Wires that are cut, stalled or slow.

use std::time::Duration;

use jodo_test_support::FaultProxy;

use super::last;
use crate::faults::{Void, Who};
use crate::run::Run;

/// Bytes a second of a wire that is too thin.
pub(crate) const THIN: u32 = 30_000;

fn wire<'r>(run: &'r Run<'_>, who: Who) -> Result<&'r FaultProxy, Void> {
    match who {
        Who::RabbitMq => Ok(&run.services.to_rabbitmq),
        Who::Redis => Ok(&run.services.to_redis),
        Who::Postgres => Ok(&run.services.to_postgres),
        Who::Ingress | Who::Worker => Err("there is no wire to it".to_owned()),
    }
}

pub(super) fn were_open(open: usize) -> Result<(), Void> {
    if open > 0 { Ok(()) } else { Err("nobody was connected".to_owned()) }
}

/// Connections stay open and bring nothing, for so long that heartbeats are missed.
pub(crate) async fn half_open(run: &mut Run<'_>, who: Who, lasting: Duration) -> Result<(), Void> {
    let wire = wire(run, who)?;
    let open = wire.stall().await;
    last(lasting * 4).await;
    wire.heal().await;
    were_open(open)
}

/// All connections are reset, again and again; between that they are slow, so that something is under way each time.
pub(crate) async fn reset(run: &mut Run<'_>, who: Who, lasting: Duration) -> Result<(), Void> {
    let wire = wire(run, who)?;
    let mut open = 0;
    for _ in 0..3 {
        open += wire.cut().await;
        last(lasting / 3).await;
        wire.heal().await;
        wire.slow(Duration::ZERO, THIN);
        last(lasting / 3).await;
    }
    open += wire.cut().await;
    wire.heal().await;
    were_open(open)
}

/// Everything takes longer.
pub(crate) async fn slow(
    run: &mut Run<'_>,
    who: Who,
    latency: Duration,
    bytes_per_second: u32,
    lasting: Duration,
) -> Result<(), Void> {
    let wire = wire(run, who)?;
    wire.slow(latency, bytes_per_second);
    last(lasting * 2).await;
    let open = wire.open();
    wire.heal().await;
    were_open(open)
}

/// Connections are reset and refused.
pub(crate) async fn unreachable(run: &mut Run<'_>, who: Who, lasting: Duration) -> Result<(), Void> {
    let wire = wire(run, who)?;
    let open = wire.cut().await;
    last(lasting * 2).await;
    wire.heal().await;
    were_open(open)
}
