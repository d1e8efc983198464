//! Direct or spooling: where an accepted delivery becomes durable.
//!
//! Direct, it is published to the broker, and its copy goes to the archive. As soon as the broker fails once, everything
//! in flight and everything new goes to the spool on the own disk instead, and only the relay talks to the broker.
//! When the relay has got enough confirms in a row, or the spool is empty, it is direct again while the relay goes on.
//! So a delivery is refused only when broker and disk both fail.
//!
//! What each file knows: `breaker` which of the two it is, `relay` how the spool is emptied, `adopt` what becomes
//! of the spools of processes that are gone, `traced` the span of what is relayed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jodo_shared::broker::spool::numbered::open_lowest_free;
use jodo_shared::broker::spool::{Spool, SpoolError, SpoolSettings};
use jodo_shared::broker::{PublishError, Publisher};
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;
use jodo_shared::message::Message;
use jodo_shared::traces::Traces;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info};

mod adopt;
mod breaker;
mod refused;
mod relay;
mod traced;

use breaker::Breaker;
use relay::Relay;
use traced::Traced;

/// Where the spools are, and how they are kept.
#[derive(Debug, Clone)]
pub struct SpoolPlace {
    /// The folder that all replicas share; each has a numbered one in it.
    pub dir: PathBuf,
    /// How its files are kept.
    pub settings: SpoolSettings,
    /// How often spools are looked for whose process is gone.
    pub adopt_every: Duration,
}

impl SpoolPlace {
    /// The place that the configuration names.
    pub fn of(config: &Config) -> Self {
        let settings = SpoolSettings {
            keep_settled: config.archive.keep,
            max_bytes: Some(config.ingress.spool_max_bytes),
            min_free: config.ingress.spool_min_free,
            ..SpoolSettings::default()
        };
        Self { dir: config.ingress.spool_dir.clone(), settings, adopt_every: Duration::from_secs(30) }
    }
}

/// Publishes to a broker, or into a spool while the broker fails.
pub struct SpoolingPublisher {
    broker: Arc<dyn Publisher>,
    spool: Spool,
    breaker: Arc<Breaker>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl SpoolingPublisher {
    /// Opens a spool of its own in `place`, and starts to empty it, and others whose process is gone, into `broker`.
    /// `targets` are those that `broker` knows. What is relayed is told to `traces`. Blocks while it reads what waits.
    ///
    /// # Errors
    /// [`SpoolError`] when the folder cannot be used.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(
        broker: Arc<dyn Publisher>,
        place: SpoolPlace,
        targets: Vec<TargetName>,
        traces: Traces,
    ) -> Result<Self, SpoolError> {
        let spool = open_lowest_free(&place.dir, &place.settings)?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let breaker = Arc::new(Breaker::new());
        let relay = Relay {
            broker: Arc::new(Traced { broker: Arc::clone(&broker), traces }),
            breaker: Arc::clone(&breaker),
            refused: place.dir.join("refused"),
            stop: stop.clone(),
        };
        info!(spool.dir = %place.dir.display(), spool.waiting = spool.unsettled(), "the spool is open");
        warn_of_stranded(&spool, &targets);
        for target in &targets {
            tasks.spawn(relay.clone().run(spool.clone(), target.clone()));
        }
        tasks.spawn(adopt::adopt(place, targets, relay, tasks.clone()));
        Ok(Self { broker, spool, breaker, stop, tasks })
    }

    /// Ends the relays after what they are at, and closes the spool. Call it after the last publish.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.spool.close().await;
    }
}

/// Nobody takes what waits for a target that is not configured any more.
fn warn_of_stranded(spool: &Spool, targets: &[TargetName]) {
    for (target, waiting) in spool.waiting() {
        if !targets.contains(&target) {
            error!(erp.target = %target, waiting, "deliveries in the spool wait for a target that no source has");
        }
    }
}

#[async_trait]
impl Publisher for SpoolingPublisher {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        if !self.breaker.is_spooling() {
            let published = tokio::select! {
                biased;
                result = self.broker.publish(message) => Some(result),
                () = self.breaker.until_spooling() => None,
            };
            match published {
                Some(Ok(())) => {
                    self.breaker.confirmed_directly();
                    self.spool.archive(message);
                    return Ok(());
                }
                Some(Err(error)) => self.breaker.trip(error),
                None => {}
            }
        }
        let spooled = self.spool.publish(message).await;
        if spooled.is_ok() || !self.broker.is_ready() {
            return spooled;
        }
        // The disk refuses, but the broker may have come back without anything to show it by.
        self.broker.publish(message).await.inspect(|()| self.breaker.close("the disk takes nothing"))
    }

    fn is_ready(&self) -> bool {
        self.spool.is_ready() || self.broker.is_ready()
    }
}
