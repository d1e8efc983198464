//! Pipelines and due rows against a real PostgreSQL, with a broker in memory: what happens when a commit fails.

#![expect(clippy::expect_used, reason = "a panic is the report")]

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use jodo_shared::broker::memory::MemoryBroker;
use jodo_shared::broker::{BatchLimits, Consumer as _, Publisher as _};
use jodo_shared::ids::{DeliveryKey, SourceName, TargetName};
use jodo_shared::message::{Message, Peeked};
use jodo_test_support::{TestDatabase, fresh_database};
use jodo_worker::brake::Trials;
use jodo_worker::decide::SourceRules;
use jodo_worker::pipeline::run_pipeline;
use jodo_worker::retrying::work_off_due_rows;
use jodo_worker::seen::{SeenError, SeenIds};
use jodo_worker::store::postgres::{PgStore, WorkerName, migrate};
use jodo_worker::target::{Pause, Target, Timing};
use secrecy::SecretString;
use serde_json::json;
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const DEADLINE: Duration = Duration::from_secs(60);

/// Remembers what was marked, and can be made to lie.
#[derive(Default)]
struct Memory {
    marked: Mutex<HashSet<DeliveryKey>>,
    names_everything: bool,
}

#[async_trait]
impl SeenIds for Memory {
    async fn suspects(&self, keys: &[DeliveryKey]) -> Result<HashSet<DeliveryKey>, SeenError> {
        let marked = self.marked.lock().expect("not poisoned");
        Ok(keys.iter().filter(|key| self.names_everything || marked.contains(*key)).copied().collect())
    }

    async fn mark(&self, keys: &[DeliveryKey]) -> Result<(), SeenError> {
        self.marked.lock().expect("not poisoned").extend(keys);
        Ok(())
    }
}

/// One worker on a database and a broker of its own.
struct Bench {
    broker: MemoryBroker,
    client: tokio_postgres::Client,
    target: Arc<Target>,
    seen: Arc<Memory>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    _database: TestDatabase,
}

fn name() -> TargetName {
    "main".parse().expect("a name")
}

fn source() -> SourceName {
    "jodo".parse().expect("a name")
}

fn quick() -> Timing {
    let soon = Duration::from_millis(20);
    Timing {
        batch_again: soon,
        alone_again: [soon, soon],
        probe: (soon, soon * 5),
        heartbeat: Duration::from_secs(10),
        due_poll: soon,
        trials: Trials { first: soon * 10, slowest: soon * 20 },
    }
}

impl Bench {
    async fn new() -> Self {
        Self::with(Memory::default(), PgStore::STATEMENT_TIMEOUT).await
    }

    async fn with(seen: Memory, statement_timeout: Duration) -> Self {
        let database = fresh_database().await;
        let url = SecretString::from(database.url.clone());
        migrate(&url).await.expect("migrated");
        let store = PgStore::new(&url, 4, statement_timeout, WorkerName::of_this_process()).expect("a store");
        let rules = SourceRules { time_zone: TimeZone::UTC, ignore: HashSet::new() };
        let rules = HashMap::from([(source(), rules)]);
        let seen = Arc::new(seen);
        let target = Arc::new(Target::new(name(), Arc::new(store), seen.clone(), rules, quick()));
        let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("connected");
        tokio::spawn(connection);
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        Self { broker: MemoryBroker::new(), client, target, seen, shutdown, tasks, _database: database }
    }

    /// Starts one pipeline and the task for due rows.
    fn work(&self) {
        let consumer = Box::new(self.broker.consumer(name()));
        let limits = BatchLimits { wait: Duration::from_millis(50), ..BatchLimits::default() };
        self.tasks.spawn(run_pipeline(self.target.clone(), consumer, limits, self.shutdown.clone()));
        self.tasks.spawn(work_off_due_rows(self.target.clone(), self.shutdown.clone()));
    }

    async fn publish(&self, messages: &[Message]) {
        for message in messages {
            self.broker.publish(message).await.expect("published");
        }
    }

    /// Hands everything out to a consumer that dies with it, so often.
    async fn hand_out_in_vain(&self, times: usize) {
        for _ in 0..times {
            let mut consumer = self.broker.consumer(name());
            let batch = consumer.next_batch(&BatchLimits::default()).await;
            consumer.give_back(batch.into_iter().map(|delivery| delivery.receipt).collect()).await;
        }
    }

    async fn execute(&self, statements: &str) {
        self.client.batch_execute(statements).await.expect("executed");
    }

    /// The inbox in one line: `outcome reason count` of each ending.
    async fn endings(&self) -> String {
        let query = "SELECT coalesce(string_agg(line, ', ' ORDER BY line), '') FROM (SELECT outcome || ' ' || \
                     coalesce(reason, '-') || ' ' || count(*) AS line FROM jodo_events GROUP BY outcome, reason) l";
        self.client.query_one(query, &[]).await.expect("the inbox").get(0)
    }

    async fn until_endings(&self, wanted: &str) {
        let waiting = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            while self.endings().await != wanted {
                ticks.tick().await;
            }
        };
        let waited = tokio::time::timeout(DEADLINE, waiting).await;
        assert!(waited.is_ok(), "wanted {wanted:?}, found {:?}", self.endings().await);
    }

    /// Waits until the broker has nothing left to hand out or to hear about.
    async fn until_settled(&self) {
        let waiting = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            while self.broker.unsettled(&name()) > 0 {
                ticks.tick().await;
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.expect("everything is settled");
    }

    async fn until_paused(&self) {
        tokio::time::timeout(DEADLINE, self.target.until_paused()).await.expect("paused");
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.close();
        tokio::time::timeout(DEADLINE, self.tasks.wait()).await.expect("drained");
    }
}

/// A manual payment of this id.
fn payment(id: &str) -> Message {
    let body = json!({
        "event": "direct.payment.added", "event_id": id, "version": "1.0", "timestamp": 1_780_000_000,
        "payload": { "payment": { "id": id, "amount": 10 }, "student": { "identifier": "P/1" } },
    });
    let body = body.to_string();
    Message {
        key: DeliveryKey::of(&source(), body.as_bytes()),
        source: source(),
        tenant: "main".parse().expect("a tenant"),
        target: name(),
        received_at: Timestamp::UNIX_EPOCH,
        peeked: Peeked::default(),
        verified: true,
        redrive: false,
        trace: None,
        body: body.into(),
    }
}

fn payments(prefix: &str, count: usize) -> Vec<Message> {
    (0..count).map(|n| payment(&format!("{prefix}_{n}"))).collect()
}

/// The database refuses payments whose id begins with `bad`, and takes all others.
const REFUSE_BAD: &str = "\
CREATE FUNCTION refuse_bad() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF NEW.payment_id LIKE 'bad%' THEN RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse_bad BEFORE INSERT OR UPDATE ON jodo_r_manual_payments FOR EACH ROW EXECUTE FUNCTION refuse_bad()";

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
async fn a_message_at_its_third_hand_out_is_stored_apart_and_then_applied_by_itself() {
    let bench = Bench::new().await;
    bench.publish(&[payment("suspect")]).await;
    bench.hand_out_in_vain(2).await;
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
    bench.hand_out_in_vain(2).await;
    let consumer = Box::new(bench.broker.consumer(name()));
    let pipeline =
        run_pipeline(bench.target.clone(), consumer, BatchLimits::default(), bench.shutdown.clone());
    bench.tasks.spawn(pipeline);
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
