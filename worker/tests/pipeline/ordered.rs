//! Pauses that people order, and their word that lifts the brake.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jodo_shared::clock::now;
use jodo_worker::heartbeat::{follow_orders, heartbeat};
use jodo_worker::store::maintain::{Maintain as _, OrderedPause};
use jodo_worker::store::operate::Deed;
use jodo_worker::store::postgres::PgStore;
use jodo_worker::target::Pause;

use crate::bench::{Bench, Memory, REFUSE_BAD, name, payment, payments};

fn pause_until(until: Timestamp) -> OrderedPause {
    OrderedPause { paused_at: now(), until, who: "asha".into(), reason: "the ERP is closed".into() }
}

fn for_an_hour() -> OrderedPause {
    pause_until(now() + SignedDuration::from_hours(1))
}

async fn order(bench: &Bench, pause: &OrderedPause) {
    bench.operator().pause(&name(), pause).await.expect("paused");
}

async fn resume(bench: &Bench) {
    let by = Deed { who: "asha".into(), at: now(), reason: None };
    bench.operator().resume(&name(), &by).await.expect("resumed");
}

/// Work with the tasks that follow orders and say how the worker is: the first probe's word may come after the pause's.
fn work(bench: &Bench) {
    bench.work();
    bench.tasks.spawn(heartbeat(bench.target.clone(), bench.shutdown.clone()));
    bench.tasks.spawn(follow_orders(bench.target.clone(), bench.shutdown.clone()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_starts_under_a_pause_takes_nothing_until_it_is_told_to() {
    let bench = Bench::new().await;
    order(&bench, &for_an_hour()).await;
    bench
        .execute(
            "INSERT INTO jodo_events (delivery_key, source, tenant, outcome, reason, due_at, received_at, recorded_at, body) \
             VALUES (repeat('a', 64), 'jodo', 'main', 'retrying', 'database_timeout', '', '2026-01-01T00:00:00.000Z', \
             '2026-01-01T00:00:00.000Z', '')",
        )
        .await;
    bench.publish(&payments("p", 20)).await;
    work(&bench);
    bench.until("SELECT count(*) = 1 FROM jodo_workers WHERE paused_because LIKE 'paused until % by asha: the ERP is closed'").await;
    assert!(matches!(bench.target.paused(), Some(Pause::Ordered(_))));
    assert_eq!(bench.endings().await, "retrying database_timeout 1", "a due row is not taken either");
    assert_eq!(bench.broker.unsettled(&name()), 20);
    resume(&bench).await;
    bench.until_endings("applied - 20, quarantined empty_body 1").await;
    bench.until("SELECT count(*) = 1 FROM jodo_workers WHERE paused_because IS NULL").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_at_work_stops_and_goes_on_when_the_time_is_over() {
    let bench = Bench::new().await;
    work(&bench);
    bench.publish(&payments("early", 5)).await;
    bench.until_endings("applied - 5").await;
    order(&bench, &for_an_hour()).await;
    bench.until_paused().await;
    bench.publish(&payments("late", 5)).await;
    order(&bench, &pause_until(now() + SignedDuration::from_millis(200))).await;
    bench.until_endings("applied - 10").await;
    bench.until("SELECT count(*) = 0 FROM jodo_events WHERE attempts > 0").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_asked_ends_no_pause() {
    let bench = Bench::with(Memory::default(), PgStore::STATEMENT_TIMEOUT).await;
    work(&bench);
    bench.target.until_open().await;
    order(&bench, &for_an_hour()).await;
    bench.until_paused().await;
    bench.execute("ALTER TABLE jodo_pauses RENAME TO away").await;
    assert!(bench.target.follow_orders().await.is_err());
    assert!(matches!(bench.target.paused(), Some(Pause::Ordered(_))));
    bench.execute("ALTER TABLE away RENAME TO jodo_pauses").await;
    resume(&bench).await;
    tokio::time::timeout(Duration::from_secs(60), bench.target.until_open()).await.expect("open");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_lifts_the_brake_and_what_still_fails_is_quarantined() {
    let bench = Bench::new().await;
    bench.execute(REFUSE_BAD).await;
    bench.publish(&payments("bad", 12)).await;
    work(&bench);
    bench.until_endings("retrying brake 12").await;
    resume(&bench).await;
    bench.until_endings("quarantined refused_by_database 12").await;
    bench.publish(&[payment("good")]).await;
    bench.until_endings("applied - 1, quarantined refused_by_database 12").await;
    assert_eq!(bench.target.paused(), None);
    bench.stop().await;
}
