//! A broker in memory, for tests: the same promises and the same hand-out counts, and failures on demand.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::{BatchLimits, Consumer, Delivery, PublishError, Publisher, Receipt, SettleError};
use crate::ids::TargetName;
use crate::message::Message;

/// A broker in memory. Clones are the same broker, and each is a [`Publisher`].
#[derive(Clone, Default)]
pub struct MemoryBroker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    published: Notify,
}

#[derive(Default)]
struct State {
    queues: HashMap<TargetName, VecDeque<Waiting>>,
    deleted: Vec<TargetName>,
    /// Consumers' connections, by epoch; one that is cut is not in here.
    connections: BTreeMap<u64, Connection>,
    last_epoch: u64,
    last_tag: u64,
    publish_failure: Option<PublishError>,
    settle_failures: usize,
}

struct Waiting {
    message: Message,
    hand_outs: u32,
}

struct Connection {
    target: TargetName,
    unsettled: BTreeMap<u64, Waiting>,
}

impl MemoryBroker {
    /// An empty broker.
    pub fn new() -> Self {
        Self::default()
    }

    /// A consumer of `target`'s queue.
    pub fn consumer(&self, target: TargetName) -> MemoryConsumer {
        MemoryConsumer { broker: self.clone(), target, epoch: None }
    }

    /// From now on every publish fails like this and is not queued; `None` ends that.
    pub fn fail_publishes(&self, failure: Option<PublishError>) {
        self.lock().publish_failure = failure;
    }

    /// The next `count` settlements with receipts find their connection gone: what was unsettled comes again.
    pub fn fail_settlements(&self, count: usize) {
        self.lock().settle_failures = count;
    }

    /// Cuts all consumers' connections: what is unsettled goes back, and their receipts are worth nothing.
    pub fn cut(&self) {
        let mut state = self.lock();
        let epochs: Vec<u64> = state.connections.keys().copied().collect();
        epochs.into_iter().for_each(|epoch| state.disconnect(epoch));
        self.0.published.notify_waiters();
    }

    /// Deletes `target`'s queue and what waits in it. The next publish to it is returned, after which it is there
    /// again.
    pub fn delete_queue(&self, target: &TargetName) {
        let mut state = self.lock();
        state.queues.remove(target);
        state.connections.retain(|_, connection| connection.target != *target);
        state.deleted.push(target.clone());
    }

    /// How many messages of `target` wait or are unsettled.
    pub fn unsettled(&self, target: &TargetName) -> usize {
        let state = self.lock();
        let held = state.connections.values().filter(|connection| connection.target == *target);
        state.queues.get(target).map_or(0, VecDeque::len) + held.map(|one| one.unsettled.len()).sum::<usize>()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something may have come into a queue since `look` was called, or until `look` finds something.
    async fn wait_for<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let notified = self.0.published.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if let Some(found) = look(&mut self.lock()) {
                return found;
            }
            notified.await;
        }
    }
}

impl State {
    fn is_full(&self, target: &TargetName, limits: &BatchLimits) -> bool {
        let Some(queue) = self.queues.get(target) else { return false };
        let bytes: usize = queue.iter().take(limits.messages).map(|one| one.message.body.len()).sum();
        queue.len() >= limits.messages || bytes >= limits.bytes
    }

    /// Takes a batch within the limits, of at least one message if there is one.
    fn take(&mut self, target: &TargetName, epoch: u64, limits: &BatchLimits) -> Vec<Delivery> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let Some(queue) = self.queues.get_mut(target) else { return batch };
        let Some(connection) = self.connections.get_mut(&epoch) else { return batch };
        while let Some(mut next) = queue.pop_front() {
            bytes += next.message.body.len();
            if !batch.is_empty() && (batch.len() >= limits.messages || bytes > limits.bytes) {
                queue.push_front(next);
                break;
            }
            next.hand_outs += 1;
            self.last_tag += 1;
            batch.push(Delivery {
                message: next.message.clone(),
                hand_outs: next.hand_outs,
                receipt: Receipt::new(self.last_tag, epoch),
            });
            connection.unsettled.insert(self.last_tag, next);
        }
        batch
    }

    /// Everything unsettled goes back to the head of its queue, in its old order.
    fn disconnect(&mut self, epoch: u64) {
        let Some(connection) = self.connections.remove(&epoch) else { return };
        let queue = self.queues.entry(connection.target).or_default();
        for waiting in connection.unsettled.into_values().rev() {
            queue.push_front(waiting);
        }
    }
}

#[async_trait]
impl Publisher for MemoryBroker {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        let mut state = self.lock();
        if let Some(failure) = state.publish_failure {
            return Err(failure);
        }
        if let Some(deleted) = state.deleted.iter().position(|target| *target == message.target) {
            state.deleted.remove(deleted);
            return Err(PublishError::Returned);
        }
        let waiting = Waiting { message: message.clone(), hand_outs: 0 };
        state.queues.entry(message.target.clone()).or_default().push_back(waiting);
        self.0.published.notify_waiters();
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.lock().publish_failure.is_none()
    }
}

/// Takes messages of one target from a [`MemoryBroker`]. When it is dropped, what is unsettled goes back.
pub struct MemoryConsumer {
    broker: MemoryBroker,
    target: TargetName,
    epoch: Option<u64>,
}

impl MemoryConsumer {
    /// The epoch of a connection that stands.
    fn connect(&mut self) -> u64 {
        let mut state = self.broker.lock();
        if let Some(epoch) = self.epoch.filter(|epoch| state.connections.contains_key(epoch)) {
            return epoch;
        }
        state.last_epoch += 1;
        let epoch = state.last_epoch;
        let connection = Connection { target: self.target.clone(), unsettled: BTreeMap::new() };
        state.connections.insert(epoch, connection);
        self.epoch = Some(epoch);
        epoch
    }

    fn disconnect(&mut self) {
        if let Some(epoch) = self.epoch.take() {
            self.broker.lock().disconnect(epoch);
            self.broker.0.published.notify_waiters();
        }
    }
}

#[async_trait]
impl Consumer for MemoryConsumer {
    /// Takes nothing out of the queue before it returns, and so is cancel safe.
    async fn next_batch(&mut self, limits: &BatchLimits) -> Vec<Delivery> {
        let target = self.target.clone();
        loop {
            let has_one = |state: &mut State| (!state.queues.get(&target)?.is_empty()).then_some(());
            self.broker.wait_for(has_one).await;
            let is_full = |state: &mut State| state.is_full(&target, limits).then_some(());
            let filled = timeout_at(Instant::now() + limits.wait, self.broker.wait_for(is_full)).await;
            let epoch = self.connect();
            let batch = self.broker.lock().take(&target, epoch, limits);
            // Another consumer may have been quicker.
            if !batch.is_empty() {
                tracing::trace!(batch.messages = batch.len(), batch.is_full = filled.is_ok(), "took a batch");
                return batch;
            }
        }
    }

    async fn settle(&mut self, receipts: Vec<Receipt>) -> Result<(), SettleError> {
        let mut state = self.broker.lock();
        if !receipts.is_empty() && state.settle_failures > 0 {
            state.settle_failures -= 1;
            drop(state);
            self.disconnect();
            state = self.broker.lock();
        }
        let mut result = Ok(());
        for receipt in receipts {
            let epoch = receipt.epoch();
            let tag = receipt.spend();
            let connection = state.connections.get_mut(&epoch).filter(|_| self.epoch == Some(epoch));
            if connection.and_then(|connection| connection.unsettled.remove(&tag)).is_none() {
                result = Err(SettleError);
            }
        }
        result
    }

    async fn give_back(&mut self, receipts: Vec<Receipt>) {
        for receipt in receipts {
            receipt.spend();
        }
        self.disconnect();
    }
}

impl Drop for MemoryConsumer {
    fn drop(&mut self) {
        self.disconnect();
    }
}
