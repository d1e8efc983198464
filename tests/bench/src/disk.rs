//! What the disk does meanwhile: how long the smallest durable write takes, beside everything else that writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval};

/// How often it is asked.
const EVERY: Duration = Duration::from_millis(10);
/// What it is asked to keep.
const PAGE: [u8; 4096] = [7; 4096];

/// Somebody who writes one page to the disk again and again, where the services have their data, too.
pub(crate) struct DiskProbe {
    done: Arc<AtomicBool>,
    probing: JoinHandle<anyhow::Result<Histogram<u64>>>,
}

impl DiskProbe {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let file = File::from_std(tempfile::tempfile()?);
        let done = Arc::new(AtomicBool::new(false));
        let probing = tokio::spawn(probe(file, Arc::clone(&done)));
        Ok(Self { done, probing })
    }

    /// Microseconds that a page took.
    pub(crate) async fn end(self) -> anyhow::Result<Histogram<u64>> {
        self.done.store(true, Ordering::Relaxed);
        self.probing.await?
    }
}

async fn probe(mut file: File, done: Arc<AtomicBool>) -> anyhow::Result<Histogram<u64>> {
    let mut latencies = Histogram::new(3)?;
    let mut ticks = interval(EVERY);
    while !done.load(Ordering::Relaxed) {
        ticks.tick().await;
        let asked = Instant::now();
        file.rewind().await?;
        file.write_all(&PAGE).await?;
        file.sync_data().await?;
        latencies.record(u64::try_from(asked.elapsed().as_micros())?)?;
    }
    Ok(latencies)
}
