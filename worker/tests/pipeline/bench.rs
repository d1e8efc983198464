//! One worker on a real PostgreSQL, with a broker in memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use jodo_shared::broker::memory::MemoryBroker;
use jodo_shared::broker::{BatchLimits, Consumer as _, Publisher as _};
use jodo_shared::ids::{DeliveryKey, SourceName, TargetName};
use jodo_shared::message::{Message, Peeked};
use jodo_test_support::{FaultProxy, TestDatabase, fresh_database};
use jodo_worker::brake::Trials;
use jodo_worker::decide::SourceRules;
use jodo_worker::pipeline::{SUSPECT_HAND_OUTS, run_pipeline};
use jodo_worker::retrying::work_off_due_rows;
use jodo_worker::seen::{SeenError, SeenIds};
use jodo_worker::store::postgres::{PgStore, migrate};
use jodo_worker::store::{Store, WorkerName};
use jodo_worker::target::{Target, Timing};
use secrecy::SecretString;
use serde_json::json;
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::watched::Watched;

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Remembers what was marked, and can be made to lie.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) marked: Mutex<HashSet<DeliveryKey>>,
    pub(crate) names_everything: bool,
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
pub(crate) struct Bench {
    pub(crate) broker: MemoryBroker,
    pub(crate) client: tokio_postgres::Client,
    pub(crate) target: Arc<Target>,
    pub(crate) seen: Arc<Memory>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) database: TestDatabase,
}

pub(crate) fn name() -> TargetName {
    "main".parse().expect("a name")
}

pub(crate) fn source() -> SourceName {
    "jodo".parse().expect("a name")
}

pub(crate) fn quick() -> Timing {
    let soon = Duration::from_millis(20);
    Timing {
        batch_again: soon,
        alone_again: [soon, soon],
        probe: (soon, soon * 5),
        heartbeat: Duration::from_secs(10),
        due_poll: soon,
        orders: soon,
        trials: Trials { first: soon * 10, slowest: soon * 20 },
        braked_again: SignedDuration::from_millis(100),
    }
}

fn make_store(url: &str, statement_timeout: Duration) -> PgStore {
    let url = SecretString::from(url.to_owned());
    PgStore::new(&url, 4, statement_timeout, WorkerName::of_this_process()).expect("a store")
}

fn make_target(store: Arc<dyn Store>, seen: Arc<Memory>) -> Target {
    let rules = SourceRules { time_zone: TimeZone::UTC, ignore: HashSet::new() };
    Target::new(name(), store, seen, HashMap::from([(source(), rules)]), quick())
}

/// The same payment, with a name for its pupil: it writes the pupil's row.
pub(crate) fn renamed(mut message: Message, fullname: &str) -> Message {
    let mut body: serde_json::Value = serde_json::from_slice(&message.body).expect("JSON");
    body["payload"]["student"]["fullname"] = json!(fullname);
    message.body = body.to_string().into();
    message.key = DeliveryKey::of(&source(), &message.body);
    message
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(Memory::default(), PgStore::STATEMENT_TIMEOUT).await
    }

    pub(crate) async fn with(seen: Memory, statement_timeout: Duration) -> Self {
        let database = fresh_database().await;
        let url = SecretString::from(database.url.clone());
        migrate(&url).await.expect("migrated");
        let seen = Arc::new(seen);
        let store = Arc::new(make_store(&database.url, statement_timeout));
        let target = Arc::new(make_target(store, seen.clone()));
        let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("connected");
        tokio::spawn(connection);
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        Self { broker: MemoryBroker::new(), client, target, seen, shutdown, tasks, database }
    }

    /// The same, reaching the database through a wire that can be cut, with calls that can be stopped.
    pub(crate) async fn watched() -> (Self, Arc<Watched>, FaultProxy) {
        let mut bench = Self::new().await;
        let proxy = FaultProxy::in_front_of(&bench.database.url).await;
        let store = make_store(&proxy.reroute(&bench.database.url), PgStore::STATEMENT_TIMEOUT);
        let watched = Arc::new(Watched::new(store));
        bench.target = Arc::new(make_target(watched.clone(), bench.seen.clone()));
        (bench, watched, proxy)
    }

    /// Starts one pipeline and the task for due rows.
    pub(crate) fn work(&self) {
        self.work_without_due_rows();
        self.tasks.spawn(work_off_due_rows(self.target.clone(), self.shutdown.clone()));
    }

    /// Starts one pipeline.
    pub(crate) fn work_without_due_rows(&self) {
        let consumer = Box::new(self.broker.consumer(name()));
        let most = BatchLimits::default();
        let messages = self.target.pace.at_once(most.messages);
        let limits = BatchLimits { wait: Duration::from_millis(50), messages, ..most };
        self.tasks.spawn(run_pipeline(self.target.clone(), consumer, limits, self.shutdown.clone()));
    }

    pub(crate) async fn publish(&self, messages: &[Message]) {
        for message in messages {
            self.broker.publish(message).await.expect("published");
        }
    }

    /// Another worker's view of the same database.
    pub(crate) fn another_target(&self) -> Target {
        self.target_at(&self.database.url, PgStore::STATEMENT_TIMEOUT)
    }

    /// Another worker that reaches the database under this address.
    pub(crate) fn target_at(&self, url: &str, statement_timeout: Duration) -> Target {
        make_target(Arc::new(make_store(url, statement_timeout)), self.seen.clone())
    }

    /// The same database, as a person's command sees it.
    pub(crate) fn operator(&self) -> PgStore {
        make_store(&self.database.url, PgStore::STATEMENT_TIMEOUT)
    }

    /// Waits until the database says yes to this query.
    pub(crate) async fn until(&self, query: &str) {
        let waiting = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            while !self.client.query_one(query, &[]).await.expect("an answer").get::<_, bool>(0) {
                ticks.tick().await;
            }
        };
        let waited = tokio::time::timeout(DEADLINE, waiting).await;
        assert!(waited.is_ok(), "never: {query}, found {:?}", self.endings().await);
    }

    /// Hands everything out to consumers that die with it, so often that the next hand-out makes suspects.
    pub(crate) async fn hand_out_in_vain(&self) {
        for _ in 1..SUSPECT_HAND_OUTS {
            let mut consumer = self.broker.consumer(name());
            let batch = consumer.next_batch(&BatchLimits::default()).await;
            consumer.give_back(batch.into_iter().map(|delivery| delivery.receipt).collect()).await;
        }
    }

    pub(crate) async fn execute(&self, statements: &str) {
        self.client.batch_execute(statements).await.expect("executed");
    }

    /// The inbox in one line: `outcome reason count` of each ending.
    pub(crate) async fn endings(&self) -> String {
        let query = "SELECT coalesce(string_agg(line, ', ' ORDER BY line), '') FROM (SELECT outcome || ' ' || \
                     coalesce(reason, '-') || ' ' || count(*) AS line FROM jodo_events GROUP BY outcome, reason) l";
        self.client.query_one(query, &[]).await.expect("the inbox").get(0)
    }

    pub(crate) async fn until_endings(&self, wanted: &str) {
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
    pub(crate) async fn until_settled(&self) {
        let waiting = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            while self.broker.unsettled(&name()) > 0 {
                ticks.tick().await;
            }
        };
        tokio::time::timeout(DEADLINE, waiting).await.expect("everything is settled");
    }

    pub(crate) async fn until_paused(&self) {
        tokio::time::timeout(DEADLINE, self.target.until_paused()).await.expect("paused");
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.close();
        tokio::time::timeout(DEADLINE, self.tasks.wait()).await.expect("drained");
    }
}

/// A manual payment of this id.
pub(crate) fn payment(id: &str) -> Message {
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
        signature: None,
        redrive: false,
        trace: None,
        body: body.into(),
    }
}

pub(crate) fn payments(prefix: &str, count: usize) -> Vec<Message> {
    (0..count).map(|n| payment(&format!("{prefix}_{n}"))).collect()
}

/// The database refuses payments whose id begins with `bad`, and takes all others.
pub(crate) const REFUSE_BAD: &str = "\
CREATE FUNCTION refuse_bad() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF NEW.payment_id LIKE 'bad%' THEN RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse_bad BEFORE INSERT OR UPDATE ON jodo_r_manual_payments FOR EACH ROW EXECUTE FUNCTION refuse_bad()";
