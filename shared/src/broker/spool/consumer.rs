//! Taking batches of one target.

use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::Spool;
use super::command::{Command, GiveBack, Refused, Settle, Take};
use crate::broker::{BatchLimits, Consumer, Delivery, Receipt, SettleError};
use crate::ids::TargetName;

/// Pause after the disk refused to count hand-outs.
const REFUSED_PAUSE: Duration = Duration::from_millis(500);

/// Takes messages of one target from a [`Spool`]. When it is dropped, what is unsettled waits again.
///
/// It is cancel safe because what has been asked for is kept here: a batch whose `next_batch` was dropped comes with
/// the next call, and if there is none its hand-outs are taken out of the count.
pub struct SpoolConsumer {
    spool: Spool,
    target: TargetName,
    epoch: Option<u64>,
    /// Asked for and not here yet.
    asked: Option<oneshot::Receiver<Result<Vec<Delivery>, Refused>>>,
    /// Here and not returned yet.
    ready: VecDeque<Delivery>,
}

impl SpoolConsumer {
    pub(super) fn new(spool: Spool, target: TargetName) -> Self {
        Self { spool, target, epoch: None, asked: None, ready: VecDeque::new() }
    }

    /// Waits until a batch is worth asking for, and asks for it.
    async fn ask(&mut self, limits: &BatchLimits) {
        let queues = self.spool.queues();
        queues.until_any(&self.target).await;
        // Full or not, it is asked for.
        timeout(limits.wait, queues.until_full(&self.target, limits)).await.ok();
        let epoch = *self.epoch.get_or_insert_with(|| self.spool.next_epoch());
        let (reply, answer) = oneshot::channel();
        let take = Take { target: self.target.clone(), epoch, limits: *limits, reply };
        if !self.spool.send(Command::Take(take)) {
            // Closed: nothing will come any more, and waiting is what a consumer without a broker does.
            std::future::pending::<()>().await;
        }
        self.asked = Some(answer);
    }

    /// What is here, as much as fits.
    fn cut(&mut self, limits: &BatchLimits) -> Vec<Delivery> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.ready.front() {
            bytes += next.message.body.len();
            if !batch.is_empty() && (batch.len() >= limits.messages || bytes > limits.bytes) {
                break;
            }
            batch.extend(self.ready.pop_front());
        }
        batch
    }

    /// Ends the session; the reply comes when everything waits again.
    fn end_session(&mut self) -> Option<oneshot::Receiver<()>> {
        let mut unseen: Vec<Delivery> = self.ready.drain(..).collect();
        if let Some(mut asked) = self.asked.take() {
            // Before the session is given back: the writer begins no session for a take that is closed.
            asked.close();
            if let Ok(Ok(batch)) = asked.try_recv() {
                unseen.extend(batch);
            }
        }
        let unseen = unseen.into_iter().map(|delivery| delivery.receipt.spend()).collect();
        let epoch = self.epoch.take()?;
        let (reply, done) = oneshot::channel();
        self.spool.send(Command::GiveBack(GiveBack { epoch, unseen, reply })).then_some(done)
    }
}

#[async_trait]
impl Consumer for SpoolConsumer {
    async fn next_batch(&mut self, limits: &BatchLimits) -> Vec<Delivery> {
        loop {
            let batch = self.cut(limits);
            if !batch.is_empty() {
                return batch;
            }
            let Some(asked) = &mut self.asked else {
                self.ask(limits).await;
                continue;
            };
            let answer = asked.await;
            self.asked = None;
            match answer {
                // Empty when another consumer was quicker.
                Ok(Ok(batch)) => self.ready.extend(batch),
                Ok(Err(Refused)) => sleep(REFUSED_PAUSE).await,
                Err(_) => std::future::pending().await,
            }
        }
    }

    async fn settle(&mut self, receipts: Vec<Receipt>) -> Result<(), SettleError> {
        let mut result = Ok(());
        let mut tags = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            if self.epoch == Some(receipt.epoch()) {
                tags.push(receipt.spend());
            } else {
                receipt.spend();
                result = Err(SettleError);
            }
        }
        let Some(epoch) = self.epoch.filter(|_| !tags.is_empty()) else { return result };
        let (reply, answer) = oneshot::channel();
        if !self.spool.send(Command::Settle(Settle { epoch, tags, reply })) {
            return Err(SettleError);
        }
        result.and(answer.await.unwrap_or(Err(SettleError)))
    }

    async fn give_back(&mut self, receipts: Vec<Receipt>) {
        for receipt in receipts {
            receipt.spend();
        }
        if let Some(done) = self.end_session() {
            // No reply means that the spool is closed, and then everything waits on disk.
            done.await.ok();
        }
    }
}

impl Drop for SpoolConsumer {
    fn drop(&mut self) {
        self.end_session();
    }
}
