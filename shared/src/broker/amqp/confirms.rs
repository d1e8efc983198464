//! What the broker's word on a publish means, with many publishes under way on one channel.
//!
//! A message that no queue took is returned, and acknowledged all the same; lapin hands the returned message to the
//! *next* confirm it resolves, whosever that is, and in no order where one acknowledgement covers several. Taken at
//! its word it would call a lost message durable. So each publish carries a number, and a verdict is given only when
//! every confirm that is ready has been looked at: lapin resolves confirms one after the other, and whichever got
//! another's returned message was resolved before that other one.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use lapin::message::BasicReturnMessage;
use lapin::options::BasicPublishOptions;
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::connection::within_step;
use crate::broker::PublishError;

/// One message to publish.
pub(super) struct Job {
    pub(super) queue: String,
    pub(super) properties: BasicProperties,
    pub(super) body: Bytes,
    /// Its share of what may be unconfirmed; held until the broker's word, however long the caller waits for it.
    pub(super) share: OwnedSemaphorePermit,
    pub(super) reply: oneshot::Sender<Result<(), PublishError>>,
}

/// The publishes under way on one channel.
pub(super) struct Confirms {
    channel: Channel,
    under_way: FuturesUnordered<BoxFuture<'static, Finished>>,
    waiting: HashMap<u64, Waiting>,
    last_number: u64,
}

struct Waiting {
    /// Absent once the caller has been answered.
    reply: Option<oneshot::Sender<Result<(), PublishError>>>,
    returned: bool,
}

type Finished = (u64, Result<Confirmation, lapin::Error>);

/// What some verdicts say about the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Usual,
    /// The broker did not take a message.
    Refused,
    /// A queue is missing.
    QueueMissing,
    /// The channel cannot be used any more.
    ChannelEnded,
}

impl Confirms {
    /// `channel` is in confirm mode and used for nothing else.
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel, under_way: FuturesUnordered::new(), waiting: HashMap::new(), last_number: 0 }
    }

    /// Publishes; the verdict comes with a later [`Confirms::judge`].
    pub(super) fn publish(&mut self, job: Job) {
        self.last_number += 1;
        let number = self.last_number;
        self.waiting.insert(number, Waiting { reply: Some(job.reply), returned: false });
        let channel = self.channel.clone();
        let properties = job.properties.with_correlation_id(number.to_string().into());
        self.under_way.push(Box::pin(async move {
            let _share = job.share;
            let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let confirm = channel
                .basic_publish("".into(), job.queue.as_str().into(), mandatory, &job.body, properties)
                .await;
            match confirm {
                Ok(confirm) => (number, confirm.await),
                Err(error) => (number, Err(error)),
            }
        }));
    }

    /// Whether no publish is under way.
    pub(super) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Closes the channel, on which nothing is under way, and publishes on this one from now on.
    pub(super) async fn go_on_with(&mut self, channel: Channel) {
        let old = std::mem::replace(&mut self.channel, channel);
        if let Err(error) = within_step(old.close(200, "OK".into())).await {
            tracing::debug!(%error, "the channel before did not close in good order");
        }
    }

    /// Answers every caller at once, for instance when the broker blocks. Their messages may still arrive.
    pub(super) fn refuse_all(&mut self, error: PublishError) {
        for waiting in self.waiting.values_mut() {
            answer(waiting, Err(error));
        }
    }

    /// Waits for the broker's word on some publishes and answers their callers. Cancel safe.
    pub(super) async fn judge(&mut self) -> Verdict {
        let round = poll_fn(|cx| all_ready(Pin::new(&mut self.under_way), cx)).await;
        for (_, result) in &round {
            if let Ok(Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned))) = result {
                match number_of(returned).map(|number| self.waiting.get_mut(&number)) {
                    Some(Some(waiting)) => waiting.returned = true,
                    // Its own confirm carried another's returned message, so its caller has had the same answer.
                    Some(None) => {}
                    None => return Verdict::ChannelEnded,
                }
            }
        }
        let mut verdict = Verdict::Usual;
        for (number, result) in round {
            let Some(mut waiting) = self.waiting.remove(&number) else { continue };
            let result = meaning(&result, waiting.returned);
            match result {
                Err(PublishError::NotConnected) => verdict = Verdict::ChannelEnded,
                Err(PublishError::Returned) if verdict != Verdict::ChannelEnded => {
                    verdict = Verdict::QueueMissing;
                }
                Err(PublishError::Nacked) if verdict == Verdict::Usual => verdict = Verdict::Refused,
                _ => {}
            }
            answer(&mut waiting, result);
        }
        verdict
    }
}

/// A confirm with somebody's returned message counts as returned too: whose notice of several this one got says
/// nothing about its own message. At worst that makes a duplicate.
fn meaning(result: &Result<Confirmation, lapin::Error>, returned: bool) -> Result<(), PublishError> {
    match result {
        Ok(Confirmation::Ack(None)) if !returned => Ok(()),
        Ok(Confirmation::Ack(_) | Confirmation::Nack(Some(_))) => Err(PublishError::Returned),
        Ok(Confirmation::Nack(None)) => Err(PublishError::Nacked),
        // Without confirm mode the channel is not what we asked for.
        Ok(Confirmation::NotRequested) | Err(_) => Err(PublishError::NotConnected),
    }
}

fn answer(waiting: &mut Waiting, result: Result<(), PublishError>) {
    if let Some(reply) = waiting.reply.take()
        && reply.send(result).is_err()
    {
        tracing::trace!("the broker's word came after its caller had gone");
    }
}

fn number_of(returned: &BasicReturnMessage) -> Option<u64> {
    returned.delivery.properties.correlation_id().as_ref()?.as_str().parse().ok()
}

/// Everything that is ready, and at least one. Unlike the stream's own `Pending`, which may come early to be fair to
/// other tasks, this one means that there is no more.
fn all_ready<S: Stream + Unpin>(mut stream: Pin<&mut S>, cx: &mut Context<'_>) -> Poll<Vec<S::Item>> {
    let bell = Arc::new(Bell { rung: AtomicBool::new(false), task: cx.waker().clone() });
    let waker = Waker::from(Arc::clone(&bell));
    let mut ready = Vec::new();
    loop {
        match stream.as_mut().poll_next(&mut Context::from_waker(&waker)) {
            Poll::Ready(Some(item)) => ready.push(item),
            Poll::Pending if bell.rung.swap(false, Ordering::SeqCst) => {}
            Poll::Ready(None) | Poll::Pending => break,
        }
    }
    // Nothing under way is nothing to wait for; the next publish polls this again.
    if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) }
}

/// A waker that remembers whether it was used.
struct Bell {
    rung: AtomicBool,
    task: Waker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        self.task.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::task::coop::unconstrained;

    use super::*;

    #[tokio::test]
    async fn a_round_holds_everything_that_is_ready_however_much_that_is() {
        let mut stream = FuturesUnordered::new();
        let mut resolvers = Vec::new();
        for number in 0..1_000_u32 {
            let (resolve, resolved) = oneshot::channel::<()>();
            resolvers.push(resolve);
            // lapin's futures know nothing of tokio's budget, and the round rests on that.
            stream.push(unconstrained(async move { resolved.await.map(|()| number) }).boxed());
        }
        stream.push(std::future::pending().boxed());
        assert!(poll_fn(|cx| all_ready(Pin::new(&mut stream), cx)).now_or_never().is_none());
        // As a thread of lapin's does it: one after the other, while the round is being taken.
        let resolving =
            std::thread::spawn(move || resolvers.into_iter().for_each(|one| one.send(()).unwrap()));
        let mut seen = 0;
        while seen < 1_000 {
            let round = poll_fn(|cx| all_ready(Pin::new(&mut stream), cx)).await;
            // Whatever was resolved before the latest one in it is in this round or in an earlier one.
            let latest = round.iter().map(|number| number.clone().unwrap()).max().unwrap();
            seen += round.len();
            assert!(u32::try_from(seen).unwrap() > latest, "{seen} seen, but number {latest} is among them");
        }
        resolving.join().unwrap();
    }

    #[test]
    fn only_an_acknowledgement_without_any_returned_message_is_success() {
        assert_eq!(meaning(&Ok(Confirmation::Ack(None)), false), Ok(()));
        assert_eq!(meaning(&Ok(Confirmation::Ack(None)), true), Err(PublishError::Returned));
        assert_eq!(meaning(&Ok(Confirmation::Nack(None)), false), Err(PublishError::Nacked));
        assert_eq!(meaning(&Ok(Confirmation::NotRequested), false), Err(PublishError::NotConnected));
    }
}
