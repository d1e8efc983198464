//! Publishing with confirms over one supervised connection.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{BoxFuture, OptionFuture};
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, ConnectionStatus};
use secrecy::SecretString;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::codec;
use super::confirms::{Confirms, Job, Verdict};
use super::connection::{Change, ConnectError, Link, within_step};
use super::reach::Reach;
use super::topology::{Topology, queue_name};
use crate::broker::{PublishError, Publisher};
use crate::ids::TargetName;
use crate::message::Message;
use crate::metrics::{PUBLISH_SECONDS, PUBLISHES};

/// Most KiB published and not confirmed. Too high: memory, while a broker is silent. Too low: large deliveries wait
/// for each other.
const UNCONFIRMED_KIB: u32 = 64 << 10;
/// Least time between two attempts to declare a queue that is missing: during one no publish goes out.
const REDECLARE_EVERY: Duration = Duration::from_secs(1);

/// Publishes to the queues of some targets.
///
/// It connects, and reconnects, in a task of its own, which ends when all of these are dropped or `shutdown` is
/// cancelled. While there is no connection, or the broker blocks, an error comes at once.
#[derive(Clone)]
pub struct AmqpPublisher {
    line: watch::Receiver<Option<Line>>,
    unconfirmed: Arc<Semaphore>,
    confirm_timeout: Duration,
}

/// Where to hand in what is to be published, while there is a connection.
#[derive(Clone)]
struct Line {
    jobs: mpsc::UnboundedSender<Job>,
    status: ConnectionStatus,
}

impl AmqpPublisher {
    /// Starts connecting, and returns at once. `confirm_timeout` bounds each publish.
    ///
    /// Cancel `shutdown` after the last publish: what is under way then still gets its answer, but nothing new is
    /// taken.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(
        url: SecretString,
        targets: Vec<TargetName>,
        confirm_timeout: Duration,
        shutdown: CancellationToken,
    ) -> Self {
        let (line, seen) = watch::channel(None);
        let supervisor =
            Supervisor { url, topology: Topology::to_publish(targets), confirm_timeout, line, shutdown };
        tokio::spawn(supervisor.run());
        let unconfirmed = Arc::new(Semaphore::new(UNCONFIRMED_KIB as usize));
        Self { line: seen, unconfirmed, confirm_timeout }
    }

    /// Waits until there is a connection. Never returns after shutdown.
    pub async fn until_connected(&self) {
        if self.line.clone().wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Waits, after `shutdown` was cancelled, until what was under way has its answer and the connection is closed.
    pub async fn until_ended(&self) {
        let mut line = self.line.clone();
        while line.changed().await.is_ok() {}
    }

    async fn confirmed(&self, message: &Message) -> Result<(), PublishError> {
        let line = self.line.borrow().clone().ok_or(PublishError::NotConnected)?;
        if line.status.blocked() {
            return Err(PublishError::Blocked);
        }
        let kib = u32::try_from(message.body.len() >> 10).unwrap_or(u32::MAX).saturating_add(1);
        let share = Arc::clone(&self.unconfirmed).acquire_many_owned(kib.min(UNCONFIRMED_KIB)).await;
        let (reply, answer) = oneshot::channel();
        let job = Job {
            queue: queue_name(&message.target),
            properties: codec::properties(message),
            body: message.body.clone(),
            share: share.map_err(|_| PublishError::NotConnected)?,
            reply,
        };
        line.jobs.send(job).map_err(|_| PublishError::NotConnected)?;
        answer.await.unwrap_or(Err(PublishError::NotConnected))
    }
}

#[async_trait]
impl Publisher for AmqpPublisher {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        let started = Instant::now();
        let result = timeout(self.confirm_timeout, self.confirmed(message)).await;
        let result = result.unwrap_or(Err(PublishError::Timeout));
        let word = result.map_or_else(PublishError::as_str, |()| "confirmed");
        metrics::counter!(PUBLISHES, "result" => word).increment(1);
        metrics::histogram!(PUBLISH_SECONDS, "result" => word).record(started.elapsed());
        result
    }

    fn is_ready(&self) -> bool {
        self.line.borrow().as_ref().is_some_and(|line| line.status.connected() && !line.status.blocked())
    }
}

/// Keeps a connection up for as long as somebody may want to publish.
struct Supervisor {
    url: SecretString,
    topology: Topology,
    confirm_timeout: Duration,
    line: watch::Sender<Option<Line>>,
    shutdown: CancellationToken,
}

impl Supervisor {
    async fn run(self) {
        let mut reach = Reach::new("publisher");
        loop {
            let connected = self.until_unwanted(async {
                reach.next_attempt().await;
                self.connect().await
            });
            match connected.await {
                None => return,
                Some(Err(error)) => reach.lost(&error),
                Some(Ok((link, channel))) => {
                    reach.regained();
                    self.serve(link, channel).await;
                    if self.is_unwanted() {
                        return;
                    }
                    reach.lost(&ConnectError::Ended);
                }
            }
        }
    }

    fn is_unwanted(&self) -> bool {
        self.shutdown.is_cancelled() || self.line.is_closed()
    }

    async fn until_unwanted<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => None,
            () = self.line.closed() => None,
            done = work => Some(done),
        }
    }

    async fn connect(&self) -> Result<(Link, Channel), ConnectError> {
        let link = Link::connect(&self.url, "jodo-sync publisher").await?;
        if let Err(error) = within_step(self.topology.declare(link.connection())).await {
            if !link.is_connected() || !matches!(error, ConnectError::Broker(_)) {
                return Err(error);
            }
            // The other queues can be published to; for this one messages are returned, and it is tried again.
            tracing::warn!(%error, "a queue is missing and cannot be declared");
        }
        let channel = open_channel(&link).await?;
        Ok((link, channel))
    }

    /// Publishes until the connection or its channel ends, or nobody wants it any more.
    async fn serve(&self, link: Link, channel: Channel) {
        let (jobs, mut queued) = mpsc::unbounded_channel();
        let status = link.connection().status().clone();
        self.line.send_replace(Some(Line { jobs, status }));
        let mut confirms = Confirms::new(channel);
        let wanted = self.until_unwanted(self.publish_all(&link, &mut queued, &mut confirms)).await;
        self.line.send_replace(None);
        if wanted.is_none() {
            queued.close();
            while let Some(job) = queued.recv().await {
                confirms.publish(job);
            }
            let last_words = async {
                while !confirms.is_empty() {
                    confirms.judge().await;
                }
            };
            if timeout(self.confirm_timeout, last_words).await.is_err() {
                tracing::warn!("not every publish was confirmed before shutdown");
            }
            drop(confirms);
            link.close().await;
        }
        // Whoever still waits sees the job dropped, and knows that there is no connection.
    }

    async fn publish_all(
        &self,
        link: &Link,
        queued: &mut mpsc::UnboundedReceiver<Job>,
        confirms: &mut Confirms,
    ) {
        let mut changes = link.changes();
        let mut declaring: Option<BoxFuture<'_, Result<(), ConnectError>>> = None;
        let mut declared_at: Option<Instant> = None;
        let mut is_refused = false;
        loop {
            // RabbitMQ may go on refusing a channel when an operator has taken a queue's bound away: issue 12206 of
            // rabbitmq-server. A new channel is judged anew.
            if is_refused && confirms.is_empty() {
                match open_channel(link).await {
                    Ok(channel) => confirms.go_on_with(channel).await,
                    Err(error) => {
                        tracing::warn!(%error, "no new channel after a refusal");
                        return;
                    }
                }
                is_refused = false;
            }
            tokio::select! {
                change = changes.next() => match change {
                    Change::Lost => return,
                    Change::Blocked => {
                        tracing::warn!("the broker has blocked publishing");
                        confirms.refuse_all(PublishError::Blocked);
                    }
                    Change::Unblocked => tracing::info!("the broker takes publishes again"),
                },
                Some(result) = OptionFuture::from(declaring.as_mut()), if declaring.is_some() => {
                    declaring = None;
                    declared_at = Some(Instant::now());
                    if let Err(error) = result {
                        tracing::warn!(%error, "a queue is missing and cannot be declared");
                        if matches!(error, ConnectError::QueueUnfit { .. }) {
                            return;
                        }
                    }
                }
                // What comes while a missing queue is declared waits for it.
                Some(job) = queued.recv(), if declaring.is_none() => confirms.publish(job),
                verdict = confirms.judge() => match verdict {
                    Verdict::Usual => {}
                    Verdict::Refused => is_refused = true,
                    Verdict::ChannelEnded => return,
                    Verdict::QueueMissing => {
                        let lately = declared_at.is_some_and(|at| at.elapsed() < REDECLARE_EVERY);
                        if declaring.is_none() && !lately {
                            declaring = Some(Box::pin(within_step(self.topology.declare(link.connection()))));
                        }
                    }
                },
            }
        }
    }
}

/// A channel in confirm mode.
async fn open_channel(link: &Link) -> Result<Channel, ConnectError> {
    within_step(async {
        let channel = link.connection().create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok::<_, lapin::Error>(channel)
    })
    .await
}
