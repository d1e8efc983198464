//! Empties the spools of processes that are gone: a killed replica, or one that was scaled away.

use std::path::PathBuf;

use jodo_shared::broker::spool::numbered::orphans;
use jodo_shared::broker::spool::{Spool, SpoolError};
use jodo_shared::ids::TargetName;
use tokio::task::spawn_blocking;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::relay::Relay;
use super::{SpoolPlace, warn_of_stranded};

/// Looks for such spools until it is told to stop.
pub(super) async fn adopt(place: SpoolPlace, targets: Vec<TargetName>, relay: Relay, tasks: TaskTracker) {
    let mut ticks = tokio::time::interval(place.adopt_every);
    while relay.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let (dir, keep) = (place.dir.clone(), place.settings.keep_settled);
        match blocking(move || Ok(orphans(&dir, keep)?)).await {
            Ok(found) => {
                for path in found {
                    tasks.spawn(empty(path, place.clone(), targets.clone(), relay.clone()));
                }
            }
            Err(error) => warn!(%error, "spools of other processes cannot be looked for"),
        }
    }
}

/// Has the spool for as long as something waits in it.
async fn empty(path: PathBuf, place: SpoolPlace, targets: Vec<TargetName>, relay: Relay) {
    let (dir, settings) = (path.clone(), place.settings.clone());
    let spool = match blocking(move || Spool::open(&dir, settings)).await {
        Ok(spool) => spool,
        // Another process was quicker.
        Err(SpoolError::InUse) => return,
        Err(error) => {
            warn!(spool.dir = %path.display(), %error, "the spool of another process cannot be opened");
            return;
        }
    };
    let waiting = spool.unsettled();
    info!(spool.dir = %path.display(), spool.waiting = waiting, "took over the spool of a process that is gone");
    warn_of_stranded(&spool, &targets);
    let relays = TaskTracker::new();
    let emptied = relay.stop.child_token();
    for target in targets {
        relays.spawn(Relay { stop: emptied.clone(), ..relay.clone() }.run(spool.clone(), target));
    }
    relays.close();
    let mut ticks = tokio::time::interval(place.adopt_every);
    while spool.unsettled() > 0 && relay.stop.run_until_cancelled(ticks.tick()).await.is_some() {}
    emptied.cancel();
    relays.wait().await;
    spool.close().await;
    info!(spool.dir = %path.display(), spool.waiting = spool.unsettled(), "left the spool of a process that is gone");
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, SpoolError> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
}
