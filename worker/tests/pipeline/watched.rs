//! A store on a real PostgreSQL whose calls a test can stop, to make something happen at that very moment.

use std::collections::HashSet;
use std::sync::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;
use jodo_shared::ids::{DeliveryKey, TargetName};
use jodo_shared::outcome::Reason;
use jodo_worker::store::maintain::Orders;
use jodo_worker::store::postgres::PgStore;
use jodo_worker::store::{Due, Store, StoreError, Write, Written};
use tokio::sync::{mpsc, oneshot};

use crate::bench::DEADLINE;

/// Where a call can be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// After a probe, before its caller hears of it.
    Probed,
    /// After a write that failed, before its caller hears of it.
    Failed,
    /// Before a trial takes the spell's quarantines back, which is the first thing that it does.
    Trial,
    /// After a due row was leased, before its caller hears of it.
    Leased,
    /// Before a lease is ended.
    PutBack,
}

/// See the module's first line.
pub(crate) struct Watched {
    store: PgStore,
    watch: Mutex<Option<(Stop, mpsc::UnboundedSender<Stopped>)>>,
}

/// A call that goes on when this is dropped.
pub(crate) struct Stopped {
    _let_go: oneshot::Sender<()>,
}

/// The calls that are stopped; when it is dropped they all go on, and no more are stopped.
pub(crate) struct Watch(mpsc::UnboundedReceiver<Stopped>);

impl Watch {
    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Stopped {
        let stopped = tokio::time::timeout(DEADLINE, self.0.recv()).await;
        stopped.expect("a call comes").expect("the latest watch")
    }
}

impl Watched {
    pub(crate) fn new(store: PgStore) -> Self {
        Self { store, watch: Mutex::default() }
    }

    /// From now on stops every call there, and none elsewhere.
    pub(crate) fn watch(&self, stop: Stop) -> Watch {
        let (sender, stopped) = mpsc::unbounded_channel();
        *self.watch.lock().expect("not poisoned") = Some((stop, sender));
        Watch(stopped)
    }

    async fn pass(&self, here: Stop) {
        let (let_go, held) = oneshot::channel();
        let is_stopped = match &*self.watch.lock().expect("not poisoned") {
            Some((stop, watch)) if *stop == here => watch.send(Stopped { _let_go: let_go }).is_ok(),
            _ => false,
        };
        if is_stopped {
            held.await.expect_err("it is dropped");
        }
    }
}

#[async_trait]
impl Store for Watched {
    async fn probe(&self) -> Result<(), StoreError> {
        let probed = self.store.probe().await;
        self.pass(Stop::Probed).await;
        probed
    }

    async fn report_pause(&self, because: &str) -> Result<(), StoreError> {
        self.store.report_pause(because).await
    }

    async fn settled(&self, keys: &[DeliveryKey]) -> Result<HashSet<DeliveryKey>, StoreError> {
        self.store.settled(keys).await
    }

    async fn write(&self, write: &Write<'_>) -> Result<Written, StoreError> {
        let written = self.store.write(write).await;
        if written.is_err() {
            self.pass(Stop::Failed).await;
        }
        written
    }

    async fn take_due(&self, now: Timestamp) -> Result<Option<Due>, StoreError> {
        let due = self.store.take_due(now).await;
        if let Ok(Some(_)) = &due {
            self.pass(Stop::Leased).await;
        }
        due
    }

    async fn put_back(&self, key: DeliveryKey, due_at: Timestamp, reason: Reason) -> Result<(), StoreError> {
        self.pass(Stop::PutBack).await;
        self.store.put_back(key, due_at, reason).await
    }

    async fn return_to_retrying(&self, keys: &[DeliveryKey], since: Timestamp) -> Result<(), StoreError> {
        self.pass(Stop::Trial).await;
        self.store.return_to_retrying(keys, since).await
    }

    async fn brake_holds(&self, since: Timestamp) -> Result<bool, StoreError> {
        self.store.brake_holds(since).await
    }

    async fn orders(
        &self,
        target: &TargetName,
        braked_since: Option<Timestamp>,
    ) -> Result<Orders, StoreError> {
        self.store.orders(target, braked_since).await
    }

    async fn dump(&self) -> Result<Vec<String>, StoreError> {
        self.store.dump().await
    }
}
