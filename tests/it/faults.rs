//! Faults: nothing is lost, nothing is quarantined by mistake, and the rows end as if nothing had happened.

use std::time::Duration;

use jodo_test_support::school::{Sent, expected, history, shown, shuffled_with_repeats};
use jodo_test_support::{
    Postgres, RabbitMq, Redis, Services, TestDatabase, fresh_database, fresh_database_on,
};
use jodo_worker::store::postgres::migrate;

use crate::cluster::{Cluster, DEADLINE, Places, until};

const EVENTS: usize = 3_000;

pub(crate) fn a_history() -> (Vec<Sent>, Vec<usize>) {
    let order = shuffled_with_repeats(21, EVENTS, 0.05);
    (history(21, EVENTS), order)
}

/// All answered 200, all applied, and the views as they should be.
pub(crate) async fn ends_well(cluster: &Cluster, history: &[Sent]) {
    cluster.settled(history.len()).await;
    let applied = "SELECT count(*) FROM jodo_events WHERE outcome = 'applied'";
    assert_eq!(cluster.ask(applied).await, Some(history.len().to_string()), "all of them applied");
    assert_eq!(shown(&cluster.database).await.expect("the views"), expected("jodo", history).expect("rows"));
}

pub(crate) async fn all_accepted(cluster: &Cluster, history: &[Sent], order: &[usize]) {
    let answers = cluster.send(history, order).await;
    assert_eq!(answers.get("200 OK"), Some(&order.len()), "{answers:?}");
}

pub(crate) async fn undisturbed() -> Vec<String> {
    let (history, order) = a_history();
    let cluster = Cluster::start(2).await;
    all_accepted(&cluster, &history, &order).await;
    ends_well(&cluster, &history).await;
    cluster.dump().await
}

async fn some_applied(cluster: &Cluster) {
    until("some are applied", async || {
        cluster.ask("SELECT count(*) FROM jodo_events").await.and_then(|n| n.parse().ok()).unwrap_or(0) >= 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_full_speed_changes_nothing() {
    let (history, order) = a_history();
    let mut cluster = Cluster::start(2).await;
    let (sending, ()) = tokio::join!(cluster.send(&history, &order), async {
        some_applied(&cluster).await;
    });
    assert_eq!(sending.get("200 OK"), Some(&order.len()), "{sending:?}");
    cluster.workers[0].kill9();
    cluster.add_worker();
    ends_well(&cluster, &history).await;
    assert_eq!(cluster.dump().await, undisturbed().await);
}

/// A place with some services of its own; the rest are those that all tests share.
pub(crate) async fn places(redis: Option<&Redis>, database: &TestDatabase) -> Places {
    migrate(&database.url.clone().into()).await.expect("migrated");
    let services = Services::from_env();
    let redis = match redis {
        Some(redis) => redis.url().to_owned(),
        None => services.redis_url().await.to_owned(),
    };
    Places { amqp: services.amqp_url().await.to_owned(), redis, database: database.url.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_flushed_then_stopped_changes_nothing() {
    let (history, order) = a_history();
    let (redis, database) = (Redis::start().await, fresh_database().await);
    let cluster = Cluster::at(places(Some(&redis), &database).await, 2, &[]).await;
    cluster.ready().await;
    let (first, rest) = order.split_at(order.len() / 3);
    let (second, third) = rest.split_at(rest.len() / 2);
    all_accepted(&cluster, &history, first).await;
    redis_command(&redis, "FLUSHALL").await;
    all_accepted(&cluster, &history, second).await;
    redis.stop().await;
    all_accepted(&cluster, &history, third).await;
    ends_well(&cluster, &history).await;
    assert_eq!(cluster.dump().await, undisturbed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_redis_has_marked_but_the_database_does_not_hold_are_applied() {
    let (history, order) = a_history();
    let (redis, database) = (Redis::start().await, fresh_database().await);
    let settings = [("REDIS__PREFIX", "same:")];
    {
        let before = Cluster::at(places(Some(&redis), &database).await, 2, &settings).await;
        before.ready().await;
        all_accepted(&before, &history, &order).await;
        before.settled(history.len()).await;
    }
    // The same Redis with every id marked, and an empty database.
    let empty = fresh_database().await;
    let cluster = Cluster::at(places(Some(&redis), &empty).await, 2, &settings).await;
    cluster.ready().await;
    all_accepted(&cluster, &history, &order).await;
    ends_well(&cluster, &history).await;
    assert_eq!(cluster.dump().await, undisturbed().await);
}

async fn redis_command(redis: &Redis, command: &str) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(redis.addr()).await.expect("connected");
    stream.write_all(format!("{command}\r\n").as_bytes()).await.expect("sent");
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"+OK\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stops_for_a_while_loses_nothing_and_quarantines_nothing() {
    let (history, order) = a_history();
    let postgres = Postgres::start().await;
    let database = fresh_database_on(postgres.url()).await;
    let cluster = Cluster::at(places(None, &database).await, 2, &[]).await;
    cluster.ready().await;
    let (before, while_away) = order.split_at(order.len() / 2);
    all_accepted(&cluster, &history, before).await;
    postgres.stop().await;
    all_accepted(&cluster, &history, while_away).await;
    for worker in &cluster.workers {
        worker.wait_for_line("paused", DEADLINE).await;
    }
    postgres.start_again().await;
    ends_well(&cluster, &history).await;
    assert_eq!(cluster.dump().await, undisturbed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_column_and_a_revoked_right_pause_the_target_until_they_are_mended() {
    let (history, order) = a_history();
    let database = fresh_database().await;
    let mut places = places(None, &database).await;
    let role = format!("{}_worker", database.name);
    let owner =
        Cluster::at(Places { database: database.url.clone(), ..self::places(None, &database).await }, 0, &[])
            .await;
    owner
        .execute(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'role-canary'; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}"
        ))
        .await;
    let mut url = url::Url::parse(&database.url).expect("a URL");
    url.set_username(&role).expect("a user");
    url.set_password(Some("role-canary")).expect("a password");
    places.database = url.into();
    let cluster = Cluster::at(places, 2, &[]).await;
    cluster.ready().await;
    let thirds: Vec<_> = order.chunks(order.len().div_ceil(3)).collect();

    all_accepted(&cluster, &history, thirds[0]).await;
    let faults = [
        (
            "ALTER TABLE jodo_r_manual_payments RENAME amount TO away",
            "ALTER TABLE jodo_r_manual_payments RENAME away TO amount",
        ),
        (
            &*format!("REVOKE INSERT ON jodo_r_students FROM {role}"),
            &*format!("GRANT INSERT ON jodo_r_students TO {role}"),
        ),
    ];
    for ((break_it, mend_it), part) in faults.iter().zip(&thirds[1..]) {
        let heard: Vec<_> = cluster.workers.iter().map(|worker| worker.lines().len()).collect();
        // The view reads the column under its number, so it need not be dropped.
        owner.execute(break_it).await;
        all_accepted(&cluster, &history, part).await;
        for (worker, skip) in cluster.workers.iter().zip(heard) {
            worker.wait_for_line_after(skip, "paused", DEADLINE).await;
        }
        owner.execute(mend_it).await;
    }
    ends_well(&owner, &history).await;
    assert_eq!(owner.dump().await, undisturbed().await);
    drop(cluster);
    owner.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_come_late_are_waited_for_and_nothing_is_lost() {
    let (rabbitmq, redis, postgres) = tokio::join!(RabbitMq::start(), Redis::start(), Postgres::start());
    let database = fresh_database_on(postgres.url()).await;
    let places = Places {
        amqp: rabbitmq.url().to_owned(),
        redis: redis.url().to_owned(),
        database: database.url.clone(),
    };
    tokio::join!(rabbitmq.stop(), redis.stop(), postgres.stop());
    let cluster = Cluster::at(places, 1, &[]).await;
    cluster.workers[0].wait_for_line("paused", DEADLINE).await;
    let history = history(22, 100);
    let order: Vec<_> = (0..history.len()).collect();
    cluster.ready().await;
    all_accepted(&cluster, &history, &order[..1]).await;

    postgres.start_again().await;
    migrate(&database.url.clone().into()).await.expect("migrated");
    rabbitmq.start_again_with_leaders().await;
    cluster.ready().await;
    all_accepted(&cluster, &history, &order).await;
    ends_well(&cluster, &history).await;
    redis.start_again().await;
    all_accepted(&cluster, &history, &order).await;
    ends_well(&cluster, &history).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_restarts_hands_out_again_what_was_not_settled() {
    let (history, order) = a_history();
    let (rabbitmq, database) = (RabbitMq::start().await, fresh_database().await);
    let mut places = places(None, &database).await;
    places.amqp = rabbitmq.url().to_owned();
    // What is under way when it goes must not wait for half a minute.
    let cluster = Cluster::at(places, 2, &[("BROKER__CONFIRM_TIMEOUT_MS", "1000")]).await;
    cluster.ready().await;
    let (before, after) = order.split_at(order.len() / 2);
    all_accepted(&cluster, &history, before).await;
    // Killed it is in tests/chaos.
    rabbitmq.stop().await;
    rabbitmq.start_again_with_leaders().await;
    cluster.ready().await;
    all_accepted(&cluster, &history, after).await;
    ends_well(&cluster, &history).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_told_to_stop_drains_and_says_so() {
    let cluster = Cluster::start(1).await;
    let history = history(23, 200);
    let order: Vec<_> = (0..history.len()).collect();
    all_accepted(&cluster, &history, &order).await;
    let status = cluster.workers[0].terminate().await;
    assert_eq!(status.code(), Some(0));
    cluster.workers[0].wait_for_line("drained", Duration::from_secs(1)).await;
    let status = cluster.ingress.terminate().await;
    assert_eq!(status.code(), Some(0));
}
