//! Outages of minutes, by themselves: `make outages`. They say what a person would ask of them, in figures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jodo_shared::broker::amqp::topology::dead_letter_queue_name;
use jodo_test_support::school::history;
use tokio::time::sleep;

use crate::judge::inbox;
use crate::sender;
use crate::stage::{Services, Stage};

/// RabbitMQ is stopped for two minutes under 300 deliveries a second.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes three minutes: make outages"]
async fn rabbitmq_away_for_two_minutes_costs_no_answer() {
    const PER_SECOND: u32 = 300;
    let services = Services::start().await;
    let stage = Stage::cluster(&services, None, None).await;
    let history = Arc::new(history(9, PER_SECOND as usize * 145));
    let (_, sending) = sender::start(&stage, &history, (0..history.len()).collect(), PER_SECOND);
    sleep(Duration::from_secs(10)).await;
    let stopped = Instant::now();
    services.rabbitmq.stop().await;
    sleep(Duration::from_secs(120).saturating_sub(stopped.elapsed())).await;
    let away = stopped.elapsed();
    services.rabbitmq.start_again_with_leaders().await;
    let told = sending.await.expect("no panic");
    let sent = Instant::now();
    let shown = inbox(stage.store().as_ref(), &told.accepted).await;
    let drained = sent.elapsed();
    let begins = |from: Duration, to: Duration| {
        let mut took: Vec<_> = told
            .answers
            .iter()
            .filter(|(at, _)| (stopped + from..stopped + to).contains(at))
            .map(|(_, took)| *took)
            .collect();
        took.sort_unstable();
        took
    };
    let p99 = |took: &[Duration]| took.get(took.len() * 99 / 100).copied().unwrap_or_default();
    let first = begins(Duration::ZERO, Duration::from_secs(2));
    let rest = begins(Duration::from_secs(2), Duration::from_secs(3_600));
    eprintln!(
        "RabbitMQ away for {away:.1?} under {PER_SECOND} deliveries a second: {} answered 200, {} not; \
         99 of 100 within {:.1?} in the first two seconds, within {:.1?} afterwards (longest {:.1?}); \
         {} lost; everything in the database {drained:.1?} after the last delivery",
        told.answers.len(),
        told.refused.len(),
        p99(&first),
        p99(&rest),
        rest.last().copied().unwrap_or_default(),
        shown.lost,
    );
    assert_eq!((told.refused.len(), shown.lost, shown.not_settled), (0, 0, 0));
}

/// PostgreSQL is stopped for five minutes, while RabbitMQ takes back what is not acknowledged within one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes six minutes: make outages"]
async fn postgresql_away_for_five_minutes_costs_no_try() {
    const PER_SECOND: u32 = 20;
    let services = Services::start().await;
    services.rabbitmq.ctl(&["eval", "application:set_env(rabbit, consumer_timeout, 60000)."]).await;
    let stage = Stage::cluster(&services, None, None).await;
    let history = Arc::new(history(10, PER_SECOND as usize * 330));
    let (_, sending) = sender::start(&stage, &history, (0..history.len()).collect(), PER_SECOND);
    sleep(Duration::from_secs(10)).await;
    services.postgres.stop().await;
    sleep(Duration::from_secs(300)).await;
    services.postgres.start_again().await;
    let returned = Instant::now();
    let store = stage.store();
    let before = store.event_ids().await.expect("the inbox").len();
    while store.event_ids().await.expect("the inbox").len() == before {
        sleep(Duration::from_millis(50)).await;
    }
    let resumed = returned.elapsed();
    let told = sending.await.expect("no panic");
    let shown = inbox(store.as_ref(), &told.accepted).await;
    let rows = store.rows_where("jodo_events", "source", &["jodo".to_owned()]).await.expect("rows");
    let of = |row: &jodo_worker::store::inspect::AnyRow, column: &str| row.get(column).cloned().flatten();
    let in_vain = rows.iter().filter(|row| of(row, "attempts").as_deref() != Some("0")).count();
    let dead = services.rabbitmq.ctl(&["list_queues", "name", "messages"]).await;
    let dead = dead.lines().find(|line| line.starts_with(&dead_letter_queue_name(&stage.target)));
    eprintln!(
        "PostgreSQL away for 300 s with a consumer timeout of 60 s: {} answered 200, {} not; {} lost, {} not settled, \
         {in_vain} tried in vain, dead letters {dead:?}; rows again {resumed:.1?} after its return",
        told.answers.len(),
        told.refused.len(),
        shown.lost,
        shown.not_settled,
    );
    assert_eq!((told.refused.len(), shown.lost, shown.not_settled, in_vain), (0, 0, 0, 0));
    assert!(dead.is_none_or(|line| line.ends_with("\t0")), "{dead:?}");
}
