//! Consuming from one target's queue over one supervised connection.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::connection::{ConnectError, Link, within_step};
use super::reach::Reach;
use super::session::Session;
use super::topology::{Topology, queue_name};
use crate::broker::{BatchLimits, Consumer, Delivery, Receipt, SettleError};
use crate::ids::TargetName;

/// Bound on giving back in good order; after it the wire is cut, which gives back as well.
const GIVE_BACK: Duration = Duration::from_secs(5);
/// How long nothing comes before the channel is replaced. A queue that is deleted and declared again at once may take a
/// consumer over in a state in which it hands out nothing, without a word (seen on RabbitMQ 3.10); what it thinks it has
/// handed out goes back when the channel closes. Too low: round trips for nothing. Too high: such a queue rests as long.
const IDLE: Duration = Duration::from_secs(15);

/// How many messages to fetch ahead: the batch at hand and the next one.
///
/// Bounds the memory only together with the size of bodies: RabbitMQ knows no limit in bytes.
pub fn prefetch_for(limits: &BatchLimits) -> u16 {
    u16::try_from(limits.messages.saturating_mul(2).max(1)).unwrap_or(u16::MAX)
}

/// Takes messages from one target's queue, on a connection and a channel of its own.
///
/// It connects in `next_batch`. What it has fetched ahead goes back when the connection ends, also by its being
/// dropped.
pub struct AmqpConsumer {
    plan: Arc<Plan>,
    reach: Reach,
    /// An attempt to open a session. A task, so that a caller who keeps cancelling `next_batch` connects all the same.
    opening: Option<AbortOnDropHandle<Result<(Link, Session), ConnectError>>>,
    link: Option<Link>,
    session: Option<Session>,
}

/// What a session needs.
struct Plan {
    url: SecretString,
    target: TargetName,
    topology: Topology,
    prefetch: u16,
    shutdown: CancellationToken,
}

impl Plan {
    async fn open(self: Arc<Self>, link: Option<Link>) -> Result<(Link, Session), ConnectError> {
        let link = match link.filter(Link::is_connected) {
            Some(link) => link,
            None => Link::connect(&self.url, "jodo-sync consumer").await?,
        };
        within_step(self.topology.declare(link.connection())).await?;
        let queue = queue_name(&self.target);
        let shutdown = self.shutdown.clone();
        let session = Session::open(link.connection(), &self.target, &queue, self.prefetch, shutdown);
        let session = within_step(session).await?;
        Ok((link, session))
    }
}

impl AmqpConsumer {
    /// A consumer of `target`'s queue that has at most `prefetch` messages unsettled, and at least one (see
    /// [`prefetch_for`]).
    ///
    /// From the moment on that `shutdown` is cancelled, `next_batch` returns no messages.
    pub fn new(url: SecretString, target: TargetName, prefetch: u16, shutdown: CancellationToken) -> Self {
        let topology = Topology::to_consume(target.clone());
        let plan = Arc::new(Plan { url, target, topology, prefetch: prefetch.max(1), shutdown });
        Self { plan, reach: Reach::new("consumer"), opening: None, link: None, session: None }
    }

    /// Returns once there is a session, which is then in `self`. Cancel safe.
    async fn connect(&mut self) {
        while self.session.is_none() {
            let Some(opening) = &mut self.opening else {
                self.reach.next_attempt().await;
                let task = tokio::spawn(Arc::clone(&self.plan).open(self.link.take()));
                self.opening = Some(AbortOnDropHandle::new(task));
                continue;
            };
            let opened = opening.await;
            self.opening = None;
            match opened {
                Ok(Ok((link, session))) => {
                    self.reach.regained();
                    self.link = Some(link);
                    self.session = Some(session);
                }
                Ok(Err(error)) => self.reach.lost(&error),
                Err(error) => self.reach.lost(&error),
            }
        }
    }

    async fn batch(&mut self, limits: &BatchLimits) -> Vec<Delivery> {
        loop {
            self.connect().await;
            let Some(session) = &mut self.session else { continue };
            let waited = match timeout(IDLE, session.until_first()).await {
                Ok(Ok(())) => match session.fill(limits).await {
                    Ok(()) => return session.hand_out(limits),
                    Err(error) => Err(error),
                },
                Ok(Err(error)) => Err(error),
                Err(_) if session.is_idle() => {
                    self.give_back(Vec::new()).await;
                    Ok(())
                }
                Err(_) => Ok(()),
            };
            if let Err(error) = waited {
                self.lose(&error);
            }
        }
    }

    /// What the session held comes again; nothing of it has been handed out as a receipt that still counts.
    fn lose(&mut self, error: &ConnectError) {
        self.session = None;
        if !self.link.as_ref().is_some_and(Link::is_connected) {
            self.link = None;
        }
        self.reach.lost(error);
    }
}

#[async_trait]
impl Consumer for AmqpConsumer {
    async fn next_batch(&mut self, limits: &BatchLimits) -> Vec<Delivery> {
        let shutdown = self.plan.shutdown.clone();
        shutdown.run_until_cancelled(self.batch(limits)).await.unwrap_or_default()
    }

    async fn settle(&mut self, receipts: Vec<Receipt>) -> Result<(), SettleError> {
        let epoch = self.session.as_ref().map(Session::epoch);
        let (current, stale): (Vec<_>, Vec<_>) =
            receipts.into_iter().partition(|receipt| Some(receipt.epoch()) == epoch);
        let is_whole = stale.is_empty();
        spend_all(stale);
        let tags = spend_all(current);
        if let Some(session) = self.session.as_mut().filter(|_| !tags.is_empty())
            && let Err(error) = session.acknowledge(tags).await
        {
            self.lose(&error.into());
            return Err(SettleError);
        }
        if is_whole { Ok(()) } else { Err(SettleError) }
    }

    async fn give_back(&mut self, receipts: Vec<Receipt>) {
        spend_all(receipts);
        self.opening = None;
        if let Some(session) = self.session.take()
            && !matches!(timeout(GIVE_BACK, session.close()).await, Ok(Ok(())))
        {
            self.link = None;
        }
        if self.plan.shutdown.is_cancelled()
            && let Some(link) = self.link.take()
        {
            link.close().await;
        }
    }
}

fn spend_all(receipts: Vec<Receipt>) -> Vec<u64> {
    receipts.into_iter().map(Receipt::spend).collect()
}
