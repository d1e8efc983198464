//! Sends spans to the receiver, and counts those that do not get there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::counter;
use opentelemetry_otlp::{ExporterBuildError, Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::client::Client;
use crate::metrics as names;

/// Most spans that wait or are being sent; more are dropped. Each is less than a kilobyte. Too low: a large batch with
/// every delivery in the sample loses some. Too high: memory, while the receiver is away.
pub(super) const MOST_WAITING: usize = 8_192;
/// How long one request may take, with its repeats.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How often it is said that spans are lost.
const SAY_AGAIN: Duration = Duration::from_secs(600);

/// How many spans wait.
#[derive(Debug, Default)]
pub(super) struct Queue(AtomicUsize);

impl Queue {
    /// Takes a place for a span; false, and counted, when there is none.
    pub(super) fn takes_one(&self) -> bool {
        let has_room = self.0.fetch_add(1, Ordering::Relaxed) < MOST_WAITING;
        if !has_room {
            self.0.fetch_sub(1, Ordering::Relaxed);
            counter!(names::SPANS, "result" => "dropped").increment(1);
        }
        has_room
    }
}

/// The OTLP exporter, with its results counted. A failure is a warning now and then, and no more.
#[derive(Debug)]
pub(super) struct Exporter {
    otlp: opentelemetry_otlp::SpanExporter,
    queue: Arc<Queue>,
    said: Mutex<Option<Instant>>,
}

impl Exporter {
    /// One that sends to the receiver at `url`, below which OTLP has a path of its own for traces.
    pub(super) fn new(url: &str, queue: Arc<Queue>) -> Result<Self, ExporterBuildError> {
        let otlp = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new(REQUEST_TIMEOUT))
            .with_endpoint(format!("{}/v1/traces", url.trim_end_matches('/')))
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(REQUEST_TIMEOUT)
            .build()?;
        Ok(Self { otlp, queue, said: Mutex::default() })
    }

    /// Whether it is time to say once more that spans are lost.
    fn may_say(&self) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = said.is_none_or(|at| at.elapsed() >= SAY_AGAIN);
        if is_due {
            *said = Some(Instant::now());
        }
        is_due
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let sent = self.otlp.export(batch).await;
        self.queue.0.fetch_sub(count, Ordering::Relaxed);
        let result = if sent.is_ok() { "exported" } else { "failed" };
        counter!(names::SPANS, "result" => result).increment(count as u64);
        if let Err(error) = &sent
            && self.may_say()
        {
            tracing::warn!(%error, "spans were not taken by the receiver at traces.otlp_url and are lost; this is said at most every ten minutes");
        }
        sent
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_the_bound_there_is_no_place() {
        let queue = Queue::default();
        assert_eq!((0..2 * MOST_WAITING).filter(|_| queue.takes_one()).count(), MOST_WAITING);
    }

    #[test]
    fn that_spans_are_lost_is_said_once() {
        let exporter = Exporter::new("http://127.0.0.1:1/", Arc::default()).unwrap();
        assert!(exporter.may_say());
        assert!(!exporter.may_say());
    }
}
