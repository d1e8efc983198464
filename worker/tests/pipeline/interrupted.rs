//! Tries that an outage or a shutdown cuts short.

use crate::bench::{Bench, REFUSE_BAD, payment, payments};
use crate::watched::Stop;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_connection_is_lost_each_time_is_put_off_and_not_blamed() {
    let (bench, store, proxy) = Bench::watched().await;
    bench.work_without_due_rows();
    bench.target.until_open().await;
    let mut failures = store.watch(Stop::Failed);
    proxy.cut().await;
    bench.publish(&[payment("unlucky")]).await;
    // As a batch, once more, and alone: each time the database is back when it is asked how it is.
    for left in (0..3).rev() {
        let failed = failures.next().await;
        proxy.heal().await;
        let mut probes = store.watch(Stop::Probed);
        drop(failed);
        let probed = probes.next().await;
        if left > 0 {
            proxy.cut().await;
            failures = store.watch(Stop::Failed);
        }
        drop((probed, probes));
    }
    bench.until_endings("retrying database_timeout 1").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_a_stopped_worker_could_not_end_is_ended_on_its_way_out() {
    let (bench, store, _wire) = Bench::watched().await;
    bench.execute(REFUSE_BAD).await;
    bench.publish(&payments("bad", 12)).await;
    bench.work();
    bench.until_endings("retrying brake 12").await;
    let mut endings = store.watch(Stop::PutBack);
    // Held up in the middle of ending a lease, the worker is told to stop.
    let ending = endings.next().await;
    bench.until("SELECT sum(attempts) = 1 FROM jodo_events").await;
    bench.shutdown.cancel();
    let last = endings.next().await;
    drop((ending, last, endings));
    bench.until("SELECT sum(attempts) = 0 FROM jodo_events").await;
    bench.stop().await;
}
