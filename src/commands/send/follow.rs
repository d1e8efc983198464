//! Waits for a delivery in the ERP database.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jodo_shared::config::Config;
use jodo_shared::ids::{DeliveryKey, TargetName};
use jodo_shared::outcome::Outcome;
use jodo_worker::store::StoreError;
use jodo_worker::store::inspect::Inspect;
use jodo_worker::store::reads::StoredEvent;
use tokio::time::{sleep, timeout};

use crate::Exit;
use crate::commands::events::show::Known;

/// How long to wait.
const DEADLINE: Duration = Duration::from_secs(30);
/// How often to look.
const PAUSE: Duration = Duration::from_millis(250);

/// Where to look.
pub(super) struct Follower<'a> {
    pub(super) target: &'a TargetName,
    pub(super) store: Arc<dyn Inspect>,
}

impl Follower<'_> {
    /// Waits until the event is settled or needs a person, and shows it.
    pub(super) async fn follow(
        self,
        key: DeliveryKey,
        config: &Config,
        out: &mut dyn Write,
    ) -> anyhow::Result<Exit> {
        let mut last = None;
        let ended = timeout(DEADLINE, self.until_ended(key, &mut last)).await;
        let place = || format!("erp.{}", self.target);
        if let Ok(ended) = ended {
            ended.with_context(place)?;
        }
        let Some((event, outcome)) = last else {
            writeln!(
                out,
                "Not in the ERP database of {} after {} s; `jodo-sync status` tells whether a worker is at work.",
                self.target,
                DEADLINE.as_secs()
            )?;
            return Ok(Exit::Wrong);
        };
        let known = Known::of(self.store.as_ref(), self.target, event, config).await.with_context(place)?;
        writeln!(out)?;
        known.in_words(config, false, out)?;
        Ok(if outcome.is_some_and(Outcome::is_settled) { Exit::Well } else { Exit::Wrong })
    }

    /// Leaves in `last` what was seen last, also where it is cancelled.
    async fn until_ended(
        &self,
        key: DeliveryKey,
        last: &mut Option<(StoredEvent, Option<Outcome>)>,
    ) -> Result<(), StoreError> {
        loop {
            if let Some(event) = self.store.event(&key.to_string()).await?.pop() {
                let outcome = event.outcome.parse().ok();
                *last = Some((event, outcome));
                if outcome != Some(Outcome::Retrying) {
                    return Ok(());
                }
            }
            sleep(PAUSE).await;
        }
    }
}
