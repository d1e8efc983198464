//! One ERP database that this process works for: its store, its rules, and one pause state for all of its pipelines.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable as _};
use jiff::{SignedDuration, Timestamp};
use jodo_shared::clock::now;
use jodo_shared::ids::{DeliveryKey, SourceName, TargetName};
use jodo_shared::metrics as names;
use tokio::sync::watch;

use crate::brake::{Brake, Trials, Verdict};
use crate::decide::SourceRules;
use crate::seen::SeenIds;
use crate::store::{Store, StoreError};

/// Why a target takes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pause {
    /// The first probe has not succeeded yet.
    Starting,
    /// A probe failed.
    Database(StoreError),
    /// The brake is on.
    Brake,
}

impl Pause {
    /// The stable word, also the metric's label.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Database(_) => "database",
            Self::Brake => "brake",
        }
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("starting"),
            Self::Database(error) => write!(f, "{error}"),
            Self::Brake => f.write_str("too many events failed at once; the set-up is suspected"),
        }
    }
}

/// The processing was cut short: some of the batch may be committed, but all of it goes back to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

/// How long to wait before trying again. Parameters, so that tests need not wait.
#[derive(Debug, Clone)]
pub struct Timing {
    /// About how long before a failed batch is tried as a whole once more.
    pub batch_again: Duration,
    /// Pauses before the second and the third try of an event that fails alone.
    pub alone_again: [Duration; 2],
    /// Shortest and longest pause between probes of a database that is away, and wherever else the same is tried again
    /// until it succeeds.
    pub probe: (Duration, Duration),
    /// How often a database that seems well is probed.
    pub heartbeat: Duration,
    /// How long to wait for due rows when there were none.
    pub due_poll: Duration,
    /// Trials while the brake is on.
    pub trials: Trials,
    /// When a row that the brake keeps is tried again.
    pub braked_again: SignedDuration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            batch_again: Duration::from_millis(50),
            alone_again: [Duration::from_secs(1), Duration::from_secs(5)],
            probe: (Duration::from_millis(200), Duration::from_secs(10)),
            heartbeat: Duration::from_secs(10),
            due_poll: Duration::from_secs(1),
            trials: Trials::default(),
            braked_again: SignedDuration::from_secs(30),
        }
    }
}

impl Timing {
    /// Growing pauses without end, from the shortest of `probe` to the longest.
    pub(crate) fn back_off(&self) -> ExponentialBuilder {
        let (shortest, longest) = self.probe;
        ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(shortest)
            .with_max_delay(longest)
            .without_max_times()
    }
}

/// See the module's first line.
pub struct Target {
    /// Name, as in `erp.<name>`.
    pub name: TargetName,
    /// Its database.
    pub store: Arc<dyn Store>,
    /// Ids seen.
    pub seen: Arc<dyn SeenIds>,
    /// What the configuration says of each source.
    pub rules: HashMap<SourceName, SourceRules>,
    /// Pauses.
    pub timing: Timing,
    pause: watch::Sender<Option<Pause>>,
    probing: tokio::sync::Mutex<()>,
    brake: Mutex<Brake>,
}

impl Target {
    /// A target that waits for its first successful probe.
    pub fn new(
        name: TargetName,
        store: Arc<dyn Store>,
        seen: Arc<dyn SeenIds>,
        rules: HashMap<SourceName, SourceRules>,
        timing: Timing,
    ) -> Self {
        let (pause, _) = watch::channel(Some(Pause::Starting));
        let brake = Mutex::new(Brake::new(timing.trials));
        Self { name, store, seen, rules, timing, pause, probing: tokio::sync::Mutex::default(), brake }
    }

    /// Why it takes nothing at the moment, if so.
    pub fn paused(&self) -> Option<Pause> {
        self.pause.borrow().clone()
    }

    /// Waits until it may take work. A database that is away is probed with back-off until it is back.
    pub async fn until_open(&self) {
        let mut pause = self.pause.subscribe();
        loop {
            let now = pause.borrow_and_update().clone();
            match now {
                None => return,
                Some(Pause::Brake) => self.until_changed(&mut pause).await,
                Some(Pause::Starting | Pause::Database(_)) => self.probe_until_good().await,
            }
        }
    }

    /// Waits until it is paused.
    pub async fn until_paused(&self) {
        let mut pause = self.pause.subscribe();
        while pause.borrow_and_update().is_none() {
            self.until_changed(&mut pause).await;
        }
    }

    async fn until_changed(&self, pause: &mut watch::Receiver<Option<Pause>>) {
        if pause.changed().await.is_err() {
            // The sender lives in `self`, which is borrowed here.
            std::future::pending::<()>().await;
        }
    }

    /// One prober at a time; whoever waited for it finds the target open.
    async fn probe_until_good(&self) {
        let _prober = self.probing.lock().await;
        if !matches!(self.paused(), Some(Pause::Starting | Pause::Database(_))) {
            return;
        }
        let probing = || self.store.probe();
        let probed = probing
            .retry(self.timing.back_off())
            .notify(|error, _| self.note(&Pause::Database(error.clone())))
            .await;
        if probed.is_ok() {
            // The brake may have come on meanwhile; only a trial lifts that.
            self.open_if(|pause| !matches!(pause, Pause::Brake));
        }
    }

    /// After a failed call: is it the database (then pause and interrupt), or what we asked of it?
    ///
    /// # Errors
    /// [`Interrupted`] when the probe failed.
    pub async fn probe(&self) -> Result<(), Interrupted> {
        let Err(error) = self.store.probe().await else { return Ok(()) };
        metrics::counter!(names::PROBE_FAILURES, "target" => self.name.to_string()).increment(1);
        self.note(&Pause::Database(error));
        Err(Interrupted)
    }

    /// Pauses, and says so once per reason. The brake stays until it is lifted: a probe's word does not replace it.
    fn note(&self, pause: &Pause) {
        let mut was = None;
        let changed = self.pause.send_if_modified(|held| {
            let changed = held.as_ref() != Some(pause) && *held != Some(Pause::Brake);
            if changed {
                was = held.replace(pause.clone());
            }
            changed
        });
        if changed {
            if let Some(was) = was {
                self.show(&was, 0.0);
            }
            self.show(pause, 1.0);
            tracing::error!(target.name = %self.name, reason = %pause, "paused: nothing is taken from the queue until this is mended");
        }
    }

    fn show(&self, pause: &Pause, value: f64) {
        metrics::gauge!(names::PAUSED, "target" => self.name.to_string(), "reason" => pause.as_str())
            .set(value);
    }

    /// Opens, if it is paused for a reason that `ended` says is over.
    fn open_if(&self, ended: impl Fn(&Pause) -> bool) {
        let mut was = None;
        self.pause.send_if_modified(|held| {
            was = held.take_if(|pause| ended(pause));
            was.is_some()
        });
        if let Some(was) = was {
            self.show(&was, 0.0);
            tracing::info!(target.name = %self.name, before = %was, "open: taking work");
        }
    }

    /// Reports a round to the brake; pauses the target when it comes on.
    pub fn judge(&self, committed: usize, failed: &[DeliveryKey]) -> Verdict {
        // Held until the pause is set: whoever lifts the brake must find a pause to end.
        let mut brake = self.brake();
        let verdict = brake.judge(Instant::now(), now(), committed, failed);
        if verdict == Verdict::Brake {
            metrics::gauge!(names::BRAKE, "target" => self.name.to_string()).set(1.0);
            self.note(&Pause::Brake);
        }
        verdict
    }

    /// When the next trial is due, if the brake is on.
    pub fn next_trial(&self) -> Option<Instant> {
        self.brake().next_trial()
    }

    /// Begins a trial: since when the brake is on, and what its spell had quarantined before.
    pub fn begin_trial(&self) -> Option<(Timestamp, Vec<DeliveryKey>)> {
        let mut brake = self.brake();
        brake.begin_trial(Instant::now());
        Some((brake.on_since()?, brake.spell()))
    }

    /// Lifts the brake: the deployment works again, or there is nothing left to try it with.
    pub fn lift_brake(&self, why: &'static str) {
        let mut brake = self.brake();
        brake.lift();
        metrics::gauge!(names::BRAKE, "target" => self.name.to_string()).set(0.0);
        tracing::info!(target.name = %self.name, why, "the brake is lifted");
        self.open_if(|pause| matches!(pause, Pause::Brake));
    }

    fn brake(&self) -> MutexGuard<'_, Brake> {
        // A panic while it was held cannot have left it half-written in a way that matters.
        self.brake.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
