//! Pipelines and due rows against a real PostgreSQL, with a broker in memory: what happens when a commit fails.

#![expect(clippy::expect_used, reason = "a panic is the report")]

mod bench;
mod braking;
mod interrupted;
mod ordered;
mod rebuilding;
mod watched;

use bench::{Bench, Memory, REFUSE_BAD, name, payment, payments, source};
use std::sync::Arc;
use std::time::Duration;

use jodo_shared::ids::DeliveryKey;
use jodo_shared::message::Message;
use jodo_worker::pace::Pace;
use jodo_worker::retrying::work_off_due_rows;
use jodo_worker::store::postgres::PgStore;
use jodo_worker::target::Pause;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_database_refuses_is_quarantined_and_its_499_neighbours_are_applied() {
    let bench = Bench::new().await;
    bench.execute(REFUSE_BAD).await;
    let mut messages = payments("good", 499);
    messages.insert(250, payment("bad"));
    bench.publish(&messages).await;
    bench.work();
    bench.until_settled().await;
    assert_eq!(bench.endings().await, "applied - 499, quarantined refused_by_database 1");
    let marked = bench.seen.marked.lock().expect("not poisoned").clone();
    assert_eq!(marked.len(), 499, "only what is settled is marked");
    assert!(!marked.contains(&messages[250].key));
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_column_pauses_the_target_and_what_waited_is_applied_once_it_is_back() {
    let bench = Bench::new().await;
    bench.work();
    bench.target.until_open().await;
    bench.execute("ALTER TABLE jodo_r_manual_payments RENAME mode TO away").await;
    bench.publish(&payments("p", 20)).await;
    bench.until_paused().await;
    assert!(matches!(bench.target.paused(), Some(Pause::Database(_))));
    assert_eq!(bench.endings().await, "");
    assert_eq!(bench.broker.unsettled(&name()), 20);
    bench.execute("ALTER TABLE jodo_r_manual_payments RENAME away TO mode").await;
    bench.until_settled().await;
    assert_eq!(bench.endings().await, "applied - 20");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_handed_out_too_often_is_stored_apart_and_then_applied_by_itself() {
    let bench = Bench::new().await;
    bench.publish(&[payment("suspect")]).await;
    bench.hand_out_in_vain().await;
    bench.publish(&[payment("fresh")]).await;
    bench.work();
    bench.until_settled().await;
    bench.until_endings("applied - 2").await;
    let attempts = "SELECT attempts FROM jodo_events WHERE event_id = 'suspect'";
    let attempts: i32 = bench.client.query_one(attempts, &[]).await.expect("a row").get(0);
    assert_eq!(attempts, 1, "it went through the inbox");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_five_tries_that_ended_with_the_process_an_event_is_quarantined_unparsed() {
    let bench = Bench::new().await;
    bench.publish(&[payment("killer")]).await;
    bench.hand_out_in_vain().await;
    bench.work_without_due_rows();
    bench.until_endings("retrying crash_suspect 1").await;
    // Five workers that died with it: each left a lease behind that has run out since.
    bench.execute("UPDATE jodo_events SET attempts = 5").await;
    bench.tasks.spawn(work_off_due_rows(bench.target.clone(), bench.shutdown.clone()));
    bench.until_endings("quarantined crashes_worker 1").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_row_somebody_holds_locked_is_tried_again_and_harms_nobody() {
    let bench = Bench::with(Memory::default(), Duration::from_millis(300)).await;
    bench.work();
    bench.publish(&[payment("locked")]).await;
    bench.until_settled().await;
    bench.execute("BEGIN; SELECT 1 FROM jodo_r_manual_payments FOR UPDATE").await;
    let mut again = payment("locked");
    again.body = [again.body.as_ref(), b" "].concat().into();
    again.key = DeliveryKey::of(&source(), &again.body);
    bench.publish(&[again, payment("free")]).await;
    bench.until_settled().await;
    assert_eq!(bench.target.paused(), None);
    let rest = bench.endings().await;
    // The lock is held by this very connection, which sees its own snapshot of committed rows.
    assert_eq!(rest, "applied - 2, retrying database_timeout 1");
    bench.execute("COMMIT; UPDATE jodo_events SET due_at = '' WHERE outcome = 'retrying'").await;
    bench.until_endings("applied - 3").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_that_names_every_id_costs_a_query_and_nothing_else() {
    let lying = Memory { names_everything: true, ..Memory::default() };
    let bench = Bench::with(lying, PgStore::STATEMENT_TIMEOUT).await;
    let messages = payments("p", 30);
    bench.publish(&messages).await;
    bench.publish(&messages).await;
    bench.work();
    bench.until_settled().await;
    assert_eq!(bench.endings().await, "applied - 30");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_with_a_bound_is_worked_off_in_small_batches_and_stops_at_once() {
    let mut bench = Bench::new().await;
    bench.target = Arc::new(bench.another_target().at(Pace::new(10)));
    bench.publish(&payments("p", 1_000)).await;
    bench.work();
    bench.until("SELECT count(*) >= 10 FROM jodo_events").await;
    assert!(bench.broker.unsettled(&name()) > 0, "all of them would take a hundred seconds");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_delivery_is_kept_aside_and_never_marked() {
    let bench = Bench::new().await;
    let held = Message { verified: false, ..payment("held") };
    bench.publish(&[held.clone(), held, payment("good")]).await;
    bench.work();
    bench.until_settled().await;
    assert_eq!(bench.endings().await, "applied - 1");
    let aside: i64 =
        bench.client.query_one("SELECT count(*) FROM jodo_unverified", &[]).await.expect("a count").get(0);
    assert_eq!(aside, 1);
    assert_eq!(bench.seen.marked.lock().expect("not poisoned").len(), 1);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_that_is_lost_makes_repeats_that_leave_no_trace() {
    let bench = Bench::new().await;
    bench.broker.fail_settlements(1);
    bench.publish(&payments("p", 10)).await;
    bench.work();
    bench.until_settled().await;
    assert_eq!(bench.endings().await, "applied - 10");
    bench.stop().await;
}
