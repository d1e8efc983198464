//! One trace for each delivery that is in the sample, from the webhook to the commit.
//!
//! No span is ever open. Whoever has finished a piece of work tells of it afterwards, with the times that it knows
//! anyway, and [`Traces`] hands that to a receiver of OTLP over HTTP, from a thread of its own. So a receiver that is
//! slow or away costs spans, and nothing else; and a batch of five hundred events costs nothing unless some of them
//! are in the sample.
//!
//! What ties the spans together is the [`TraceParent`]: it comes with the webhook or is made from it, travels in the
//! message and is kept in the event's row.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use opentelemetry::InstrumentationScope;
use opentelemetry::trace::{SpanContext, Status, TraceFlags, TraceState};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, IdGenerator as _, RandomIdGenerator, SpanData, SpanEvents,
    SpanLinks, SpanProcessor as _,
};

use crate::config;

mod client;
mod exporter;
mod parent;

pub use opentelemetry::KeyValue;
pub use opentelemetry::trace::{SpanId, SpanKind, TraceId};
pub use parent::{Sample, TraceParent};

use exporter::{Exporter, Queue};

/// Spans sent in one request.
const MOST_IN_A_REQUEST: usize = 512;
/// How long a span waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// How long the last spans may take when a process ends.
const LAST_SPANS: Duration = Duration::from_secs(2);

/// Traces cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The address is none that the exporter takes.
    #[error("traces.otlp_url cannot be used")]
    Address(#[source] opentelemetry_otlp::ExporterBuildError),
}

/// Something that was done, and is over.
#[derive(Debug, Clone)]
pub struct Span {
    /// What was done: one of a few words of ours.
    pub name: &'static str,
    /// Which side of a call or a queue it was.
    pub kind: SpanKind,
    /// Its own id, from [`Traces::new_id`].
    pub id: SpanId,
    /// The span that caused it; `None` for the first of a trace.
    pub parent: Option<SpanId>,
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub until: Timestamp,
    /// Details: names, keys and our own words. Never a body, or anything of it but its event code.
    pub attributes: Vec<KeyValue>,
    /// Why it failed, in one of our words, if it did.
    pub failed: Option<&'static str>,
}

/// Where spans go. Clones share it; one that is off takes none, at no cost.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<Arc<Exporting>>);

#[derive(Debug)]
struct Exporting {
    processor: BatchSpanProcessor,
    queue: Arc<Queue>,
    sample: Sample,
}

impl Traces {
    /// Keeps no spans.
    pub fn off() -> Self {
        Self::default()
    }

    /// Sends spans where the configuration says, in the name of the program `service`; off when it says nothing. The
    /// receiver need not be there.
    ///
    /// # Errors
    /// [`TracesError`].
    pub fn start(config: &config::Traces, service: &'static str) -> Result<Self, TracesError> {
        let Some(url) = &config.otlp_url else { return Ok(Self::off()) };
        let queue = Arc::new(Queue::default());
        let exporter = Exporter::new(url, Arc::clone(&queue)).map_err(TracesError::Address)?;
        let limits = BatchConfigBuilder::default()
            .with_max_queue_size(exporter::MOST_WAITING)
            .with_max_export_batch_size(MOST_IN_A_REQUEST)
            .with_scheduled_delay(GATHER)
            .build();
        let mut processor = BatchSpanProcessor::builder(exporter).with_batch_config(limits).build();
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_service_name(service).with_attribute(version).build();
        processor.set_resource(&resource);
        tracing::info!(
            traces.otlp_url = url,
            traces.sample = config.sample.fraction(),
            "traces are exported"
        );
        Ok(Self(Some(Arc::new(Exporting { processor, queue, sample: config.sample }))))
    }

    /// Which of the traces that we begin ourselves are kept: none when it is off.
    pub fn sample(&self) -> Sample {
        self.0.as_ref().map_or(Sample::NOTHING, |exporting| exporting.sample)
    }

    /// Whether spans of this trace are kept.
    pub fn keep(&self, trace: &TraceParent) -> bool {
        self.0.is_some() && trace.is_sampled()
    }

    /// An id that no other span has.
    pub fn new_id(&self) -> SpanId {
        RandomIdGenerator::default().new_span_id()
    }

    /// Takes a span of `trace`, if that is [kept](Self::keep). Never waits: past a bound of waiting spans it is dropped.
    pub fn record(&self, trace: &TraceParent, span: Span) {
        let Some(exporting) = self.0.as_ref().filter(|_| trace.is_sampled()) else { return };
        if exporting.queue.takes_one() {
            exporting.processor.on_end(data(trace, span));
        }
    }

    /// Sends what waits and ends, within two seconds; what is left by then is lost.
    pub async fn close(&self) {
        let Some(exporting) = self.0.clone() else { return };
        let closing =
            tokio::task::spawn_blocking(move || exporting.processor.shutdown_with_timeout(LAST_SPANS));
        if !matches!(closing.await, Ok(Ok(()))) {
            tracing::debug!("the last spans were not sent");
        }
    }
}

/// The span in the exporter's form.
fn data(trace: &TraceParent, span: Span) -> SpanData {
    let flags = TraceFlags::SAMPLED;
    SpanData {
        span_context: SpanContext::new(trace.trace_id(), span.id, flags, false, TraceState::NONE),
        parent_span_id: span.parent.unwrap_or(SpanId::INVALID),
        parent_span_is_remote: matches!(span.kind, SpanKind::Server | SpanKind::Consumer),
        span_kind: span.kind,
        name: span.name.into(),
        start_time: system_time(span.from),
        // A clock may be set back meanwhile.
        end_time: system_time(span.until.max(span.from)),
        attributes: span.attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: span.failed.map_or(Status::Unset, Status::error),
        instrumentation_scope: InstrumentationScope::builder("jodo-sync").build(),
    }
}

/// OTLP has no time before 1970.
fn system_time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(u64::try_from(at.as_nanosecond()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(flags: &str) -> TraceParent {
        TraceParent::parse(&format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}")).unwrap()
    }

    fn span(parent: Option<SpanId>) -> Span {
        let at = |second| Timestamp::from_second(second).unwrap();
        Span {
            name: "apply",
            kind: SpanKind::Consumer,
            id: SpanId::from(7),
            parent,
            from: at(20),
            until: at(10),
            attributes: vec![KeyValue::new("target", "main")],
            failed: Some("unknown_event_code"),
        }
    }

    #[test]
    fn a_span_keeps_its_ids_and_never_ends_before_it_begins() {
        let made = data(&trace("01"), span(Some(SpanId::from(6))));
        assert_eq!(made.span_context.trace_id(), trace("01").trace_id());
        assert_eq!((made.span_context.span_id(), made.parent_span_id), (SpanId::from(7), SpanId::from(6)));
        assert!(made.span_context.is_sampled() && made.parent_span_is_remote);
        assert_eq!(made.start_time, made.end_time);
        assert_eq!(made.status, Status::error("unknown_event_code"));
        assert_eq!(data(&trace("01"), span(None)).parent_span_id, SpanId::INVALID);
    }

    #[tokio::test]
    async fn without_a_receiver_configured_nothing_is_kept_or_sampled() {
        let config = config::Traces { otlp_url: None, sample: Sample::EVERYTHING };
        let off = Traces::start(&config, "test").unwrap();
        assert!(!off.keep(&trace("01")));
        assert_eq!(off.sample(), Sample::NOTHING);
        off.record(&trace("01"), span(None));
        off.close().await;
    }

    #[tokio::test]
    async fn a_receiver_that_is_away_costs_spans_and_no_time() {
        // Accepts connections, since the kernel does, and never answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let config = config::Traces { otlp_url: Some(url), sample: Sample::EVERYTHING };
        let traces = Traces::start(&config, "test").unwrap();
        assert!(traces.keep(&trace("01")) && !traces.keep(&trace("00")));
        let started = std::time::Instant::now();
        for _ in 0..10 * exporter::MOST_WAITING {
            traces.record(&trace("01"), span(None));
        }
        traces.close().await;
        // Far more than any machine needs, and far less than if one record in a thousand had waited for an answer.
        assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    }
}
