//! One ERP database that this process works for: its store, its rules, and one pause state for all of its pipelines.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use backon::Retryable as _;
use jiff::Timestamp;
use jodo_shared::clock::now;
use jodo_shared::ids::{DeliveryKey, SourceName, TargetName};
use jodo_shared::metrics as names;
use jodo_shared::traces::Traces;
use tokio::sync::watch;

use crate::brake::{Brake, Verdict};
use crate::decide::SourceRules;
use crate::last_delivery::LastDeliveries;
use crate::pace::Pace;
use crate::pause::{State, in_force};
use crate::seen::SeenIds;
use crate::store::maintain::OrderedPause;
use crate::store::{Store, StoreError};

pub use crate::pause::Pause;
pub use crate::timing::Timing;

/// The processing was cut short: some of the batch may be committed, but all of it goes back to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

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
    /// How fast it is worked off.
    pub pace: Pace,
    /// Where the spans of its events go.
    pub traces: Traces,
    /// When something last came.
    pub last: LastDeliveries,
    state: watch::Sender<State>,
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
        let (state, _) = watch::channel(State { trouble: Some(Pause::Starting), ordered: None });
        let brake = Mutex::new(Brake::new(timing.trials));
        let pace = Pace::new(0);
        let traces = Traces::off();
        let last = LastDeliveries::new(name.clone());
        let probing = tokio::sync::Mutex::default();
        Self { name, store, seen, rules, timing, pace, traces, last, state, probing, brake }
    }

    /// The same, worked off no faster than `pace`.
    pub fn at(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// The same, with spans of its events in `traces`.
    pub fn traced(mut self, traces: Traces) -> Self {
        self.traces = traces;
        self
    }

    /// Why it takes nothing at the moment, if so.
    pub fn paused(&self) -> Option<Pause> {
        self.state.borrow().pause()
    }

    /// Waits until it may take work. A database that is away is probed with back-off until it is back.
    pub async fn until_open(&self) {
        self.until(|pause| pause.is_none()).await;
    }

    /// Waits until it may take work, or may try whether the brake can be lifted.
    pub(crate) async fn until_open_or_braked(&self) {
        self.until(|pause| matches!(pause, None | Some(Pause::Brake))).await;
    }

    /// Waits while the brake is the reason.
    pub(crate) async fn until_not_braked(&self) {
        self.until(|pause| !matches!(pause, Some(Pause::Brake))).await;
    }

    /// Waits until it is paused.
    pub async fn until_paused(&self) {
        self.until(|pause| pause.is_some()).await;
    }

    async fn until(&self, enough: impl Fn(Option<&Pause>) -> bool) {
        let mut state = self.state.subscribe();
        loop {
            let now = state.borrow_and_update().pause();
            match now {
                now if enough(now.as_ref()) => return,
                Some(Pause::Starting | Pause::Database(_)) => self.probe_until_good().await,
                None | Some(Pause::Brake | Pause::Ordered(_)) => self.until_changed(&mut state).await,
            }
        }
    }

    async fn until_changed(&self, state: &mut watch::Receiver<State>) {
        if state.changed().await.is_err() {
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
        // What people have ordered meanwhile is known before work begins.
        let probing = async || {
            self.store.probe().await?;
            self.ask_for_orders().await
        };
        let probed = probing
            .retry(self.timing.back_off())
            .notify(|error, _| self.note(&Pause::Database(error.clone())))
            .await;
        if probed.is_ok() {
            // The brake may have come on meanwhile; only a trial lifts that.
            self.open_if(|pause| !matches!(pause, Pause::Brake));
        }
    }

    /// Learns what people have ordered, and does it. True when there was something to do.
    ///
    /// # Errors
    /// [`StoreError`]: it is not known; only the time ends a pause then.
    pub async fn follow_orders(&self) -> Result<bool, StoreError> {
        let before = self.state.borrow().ordered.clone();
        let braked = self.next_trial().is_some();
        let asked = self.ask_for_orders().await;
        if asked.is_err() {
            self.order(in_force(before.clone(), now()));
        }
        let changed = self.state.borrow().ordered != before || self.next_trial().is_some() != braked;
        asked.map(|()| changed)
    }

    async fn ask_for_orders(&self) -> Result<(), StoreError> {
        let braked_since = self.brake().on_since();
        let orders = self.store.orders(&self.name, braked_since).await?;
        self.order(in_force(orders.pause, now()));
        if let (true, Some(since)) = (orders.lift_brake, braked_since) {
            let spell = self.brake().spell();
            self.store.return_to_retrying(&spell, since).await?;
            self.lift_brake("a person said so");
        }
        Ok(())
    }

    fn order(&self, pause: Option<OrderedPause>) {
        let changed = self.state.send_if_modified(|state| {
            let changed = state.ordered != pause;
            state.ordered.clone_from(&pause);
            changed
        });
        if !changed {
            return;
        }
        metrics::gauge!(names::PAUSED, "target" => self.name.to_string(), "reason" => "ordered")
            .set(if pause.is_some() { 1.0 } else { 0.0 });
        match pause {
            Some(pause) => {
                tracing::warn!(target.name = %self.name, %pause, "a person has paused it: nothing is taken from the queue");
            }
            None => tracing::info!(target.name = %self.name, "the pause that a person ordered is over"),
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
        let changed = self.state.send_if_modified(|State { trouble, .. }| {
            let changed = trouble.as_ref() != Some(pause) && *trouble != Some(Pause::Brake);
            if changed {
                was = trouble.replace(pause.clone());
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

    /// Ends the trouble, if `ended` says that it is over.
    fn open_if(&self, ended: impl Fn(&Pause) -> bool) {
        let mut was = None;
        self.state.send_if_modified(|state| {
            was = state.trouble.take_if(|pause| ended(pause));
            was.is_some()
        });
        if let Some(was) = was {
            self.show(&was, 0.0);
            if self.paused().is_none() {
                tracing::info!(target.name = %self.name, before = %was, "open: taking work");
            } else {
                tracing::info!(target.name = %self.name, before = %was, "well again, and still paused");
            }
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
