//! The brake, with several workers, outages and rows that cannot be stored.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::poll;
use jodo_worker::brake::Verdict;
use jodo_worker::retrying::work_off_due_rows;
use jodo_worker::store::postgres::PgStore;
use jodo_worker::target::{Pause, Target};

use crate::bench::{Bench, DEADLINE, Memory, REFUSE_BAD, name, payment, payments};
use crate::watched::Stop;

#[tokio::test(flavor = "multi_thread")]
async fn many_refusals_at_once_brake_quarantine_nothing_and_heal_without_a_person() {
    let bench = Bench::new().await;
    bench.execute(REFUSE_BAD).await;
    bench.publish(&payments("bad", 12)).await;
    bench.work();
    bench.until_settled().await;
    bench.until_endings("retrying brake 12").await;
    assert_eq!(bench.target.paused(), Some(Pause::Brake));
    bench.publish(&payments("good", 5)).await;
    bench.execute("DROP TRIGGER refuse_bad ON jodo_r_manual_payments").await;
    bench.until_endings("applied - 17").await;
    assert_eq!(bench.target.paused(), None);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_outlives_a_lifted_brake_is_quarantined() {
    let bench = Bench::new().await;
    bench.execute(REFUSE_BAD).await;
    bench.publish(&payments("bad", 12)).await;
    bench.work();
    bench.until_endings("retrying brake 12").await;
    // Another worker commits something: the deployment works after all.
    bench
        .execute(
            "INSERT INTO jodo_events (delivery_key, source, tenant, outcome, received_at, recorded_at) \
             VALUES ('elsewhere', 'jodo', 'main', 'applied', '2100-01-01T00:00:00.000Z', '2100-01-01T00:00:00.000Z')",
        )
        .await;
    bench.until_endings("applied - 1, quarantined refused_by_database 12").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_a_person_has_tried_again_fail_alone_and_bring_no_brake_on() {
    let bench = Bench::new().await;
    bench.execute(REFUSE_BAD).await;
    bench.publish(&payments("bad", 12)).await;
    bench.work();
    bench.until_endings("retrying brake 12").await;
    bench.execute("DROP FUNCTION refuse_bad CASCADE").await;
    bench.until_endings("applied - 12").await;
    bench.execute("DELETE FROM jodo_r_manual_payments").await;
    bench.execute(REFUSE_BAD).await;
    bench
        .execute(
            "UPDATE jodo_events SET outcome = 'retrying', reason = 'asked_again', attempts = 0, due_at = ''",
        )
        .await;
    bench.until_endings("quarantined refused_by_database 12").await;
    assert_eq!(bench.target.paused(), None);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_worker_or_a_restarted_one_quarantines_nothing_that_the_brake_keeps() {
    let bench = Bench::new().await;
    bench.execute(REFUSE_BAD).await;
    bench.publish(&payments("bad", 12)).await;
    bench.work();
    bench.until_endings("retrying brake 12").await;
    let other = Arc::new(bench.another_target());
    bench.tasks.spawn(work_off_due_rows(other, bench.shutdown.clone()));
    // It has had its turn with each row when every row was put back since it came.
    bench.until("SELECT count(*) = 12 FROM jodo_events WHERE due_at > '' AND attempts = 0").await;
    assert_eq!(bench.endings().await, "retrying brake 12");
    bench.execute("DROP TRIGGER refuse_bad ON jodo_r_manual_payments").await;
    bench.until_endings("applied - 12").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brake_that_kept_no_row_lifts_by_itself_once_the_inbox_takes_rows_again() {
    let bench = Bench::new().await;
    // No statement of the probe inserts a row, so it succeeds.
    bench.execute("ALTER TABLE jodo_events ADD COLUMN more integer NOT NULL").await;
    bench.publish(&payments("p", 12)).await;
    bench.work();
    bench.target.until_open().await;
    bench.until_paused().await;
    assert_eq!(bench.target.paused(), Some(Pause::Brake));
    assert_eq!(bench.endings().await, "");
    bench.execute("ALTER TABLE jodo_events DROP COLUMN more").await;
    bench.until_endings("applied - 12").await;
    bench.until_settled().await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_suspects_that_the_database_refuses_are_braked_like_others() {
    let bench = Bench::new().await;
    bench.execute(REFUSE_BAD).await;
    bench.publish(&payments("bad", 30)).await;
    bench.hand_out_in_vain().await;
    bench.work();
    bench
        .until("SELECT count(*) = 30 FROM jodo_events WHERE outcome = 'retrying' AND reason = 'brake'")
        .await;
    assert_eq!(bench.target.paused(), Some(Pause::Brake));
    bench.execute("DROP TRIGGER refuse_bad ON jodo_r_manual_payments").await;
    bench.until_endings("applied - 30").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_pupil_costs_a_batch_few_timeouts_and_no_verdict() {
    let bench = Bench::with(Memory::default(), Duration::from_millis(300)).await;
    bench.work();
    bench.publish(&[payment("first")]).await;
    bench.until_settled().await;
    bench.execute("BEGIN; SELECT 1 FROM jodo_r_students FOR UPDATE").await;
    let later = payments("later", 4);
    let later: Vec<_> = later.into_iter().map(|message| crate::bench::renamed(message, "Asha")).collect();
    bench.publish(&later).await;
    bench.until_settled().await;
    assert_eq!(bench.endings().await, "applied - 1, retrying database_timeout 4");
    bench.execute("COMMIT; UPDATE jodo_events SET due_at = '' WHERE outcome = 'retrying'").await;
    bench.until_endings("applied - 5").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_due_row_that_has_lost_its_bytes_waits_for_a_person() {
    let bench = Bench::new().await;
    bench
        .execute(
            "INSERT INTO jodo_events (delivery_key, source, tenant, outcome, due_at, received_at, recorded_at) \
             VALUES (repeat('ab', 32), 'jodo', 'main', 'retrying', '', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z')",
        )
        .await;
    bench.work();
    bench.until_endings("quarantined unreadable_row 1").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn held_deliveries_that_cannot_be_stored_hold_up_neither_events_nor_shutdown() {
    let bench = Bench::with(Memory::default(), PgStore::STATEMENT_TIMEOUT).await;
    bench.execute("ALTER TABLE jodo_unverified ADD COLUMN more integer NOT NULL").await;
    let mut held = payment("held");
    held.verified = false;
    bench.publish(&[held, payment("good")]).await;
    bench.work();
    bench.until_endings("applied - 1").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_falls_silent_pauses_the_target() {
    let bench = Bench::with(Memory::default(), Duration::from_millis(300)).await;
    let proxy = jodo_test_support::FaultProxy::in_front_of(&bench.database.url).await;
    let target: Arc<Target> =
        Arc::new(bench.target_at(&proxy.reroute(&bench.database.url), Duration::from_millis(300)));
    target.until_open().await;
    proxy.stall().await;
    assert!(target.probe().await.is_err(), "silence is an answer");
    assert!(matches!(target.paused(), Some(Pause::Database(_))));
    proxy.heal().await;
    target.until_open().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_same_spell_had_quarantined_goes_back_to_retrying_when_the_brake_comes_on() {
    let bench = Bench::new().await;
    bench.execute(REFUSE_BAD).await;
    bench.publish(&payments("bad_first", 9)).await;
    bench.work();
    bench.until_endings("quarantined refused_by_database 9").await;
    assert_eq!(bench.target.paused(), None, "nine in a row may still be the events' own fault");
    bench.publish(&[payment("bad_tenth")]).await;
    bench.until_endings("retrying brake 10").await;
    bench.execute("DROP TRIGGER refuse_bad ON jodo_r_manual_payments").await;
    bench.until_endings("applied - 10").await;
    assert_eq!(bench.target.paused(), None);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_under_the_brake_neither_lifts_it_nor_hurries_its_trials() {
    let (bench, store, proxy) = Bench::watched().await;
    bench.execute(REFUSE_BAD).await;
    bench.publish(&payments("bad_first", 9)).await;
    bench.work();
    bench.until_endings("quarantined refused_by_database 9").await;
    let mut trials = store.watch(Stop::Trial);
    bench.publish(&payments("bad_later", 3)).await;
    let first = trials.next().await;
    bench.until_endings("quarantined refused_by_database 9, retrying brake 3").await;
    bench.publish(&payments("good", 5)).await;
    assert!(proxy.cut().await > 0, "the database was in reach");
    drop(first);
    let mut put_off = bench.target.next_trial();
    for _ in 0..3 {
        let trial = trials.next().await;
        // The next one is put off before this one is made, so that its failure hurries nothing.
        assert!(bench.target.next_trial() > put_off, "a trial came without being due");
        put_off = bench.target.next_trial();
        assert_eq!(bench.target.paused(), Some(Pause::Brake));
        drop(trial);
    }
    proxy.heal().await;
    drop(trials);
    // The spell's quarantines, which no trial could take back so far, are; and rows are tried, in vain.
    bench.until_endings("retrying brake 12").await;
    bench.execute("UPDATE jodo_events SET due_at = ''").await;
    bench.until("SELECT count(*) > 0 FROM jodo_events WHERE due_at > '' AND attempts = 0").await;
    assert_eq!(bench.target.paused(), Some(Pause::Brake));
    assert_eq!(bench.broker.unsettled(&name()), 5);
    bench.execute("DROP TRIGGER refuse_bad ON jodo_r_manual_payments").await;
    bench.until_endings("applied - 17").await;
    assert_eq!(bench.target.paused(), None);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_that_an_outage_cuts_short_costs_its_row_nothing() {
    let (bench, store, proxy) = Bench::watched().await;
    bench.execute(REFUSE_BAD).await;
    bench.publish(&payments("bad", 12)).await;
    bench.work();
    bench.until_endings("retrying brake 12").await;
    let mut leases = store.watch(Stop::Leased);
    let leased = leases.next().await;
    bench.until("SELECT sum(attempts) = 1 FROM jodo_events").await;
    let mut endings = store.watch(Stop::PutBack);
    assert!(proxy.cut().await > 0, "the database was in reach");
    drop((leased, leases));
    // Once in vain, so that it is on the second time that the lease is ended, at the earliest.
    drop(endings.next().await);
    let second = endings.next().await;
    assert_eq!(bench.target.paused(), Some(Pause::Brake));
    proxy.heal().await;
    drop((second, endings));
    bench.until("SELECT sum(attempts) = 0 FROM jodo_events").await;
    bench.execute("DROP TRIGGER refuse_bad ON jodo_r_manual_payments").await;
    bench.until_endings("applied - 12").await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_was_under_way_when_the_brake_came_on_does_not_open_the_target() {
    let (bench, store, _wire) = Bench::watched().await;
    let mut probes = store.watch(Stop::Probed);
    let mut opening = pin!(bench.target.until_open());
    let probed = tokio::select! {
        probed = probes.next() => probed,
        () = &mut opening => panic!("open before the probe's word"),
    };
    // Another pipeline's batch, which was under way when the database went.
    let keys: Vec<_> = payments("bad", 10).iter().map(|message| message.key).collect();
    assert_eq!(bench.target.judge(0, &keys), Verdict::Brake);
    drop(probed);
    // One turn takes it from the probe's word to its end, or to where it waits for the brake.
    assert!(poll!(&mut opening).is_pending(), "opened over the brake");
    assert_eq!(bench.target.paused(), Some(Pause::Brake));
    bench.target.lift_brake("this test says so");
    tokio::time::timeout(DEADLINE, opening).await.expect("open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brake_that_is_lifted_at_the_moment_it_comes_on_leaves_the_target_open() {
    let bench = Bench::new().await;
    let target = bench.target.as_ref();
    target.until_open().await;
    let keys: Vec<_> = payments("bad", 10).iter().map(|message| message.key).collect();
    for round in 0..5_000 {
        std::thread::scope(|both| {
            both.spawn(|| target.judge(0, &keys));
            both.spawn(|| {
                while target.next_trial().is_none() {
                    std::hint::spin_loop();
                }
                target.lift_brake("this test says so");
            });
        });
        assert_eq!(target.paused(), None, "in round {round}, for good: no trial is due any more");
    }
}
