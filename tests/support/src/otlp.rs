//! A receiver of traces, for the tests that want to see spans.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::dev::{Server, ServerHandle};
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App, HttpResponse, HttpServer};
use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Map, Value, json};

/// Largest request that is read.
const MAX_REQUEST: usize = 64 << 20;

/// A span as it was received.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedSpan {
    /// In hexadecimal.
    pub trace_id: String,
    /// In hexadecimal.
    pub span_id: String,
    /// In hexadecimal; empty for the first span of a trace.
    pub parent_span_id: String,
    /// What was done.
    pub name: String,
    /// The program that did it: the resource's `service.name`.
    pub service: String,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Details: texts, numbers and truth values; anything else is null.
    pub attributes: Map<String, Value>,
    /// The message of an error status; empty without one.
    pub error: String,
}

impl ReceivedSpan {
    /// As one JSON object.
    pub fn to_json(&self) -> Value {
        json!({
            "trace_id": self.trace_id,
            "span_id": self.span_id,
            "parent_span_id": self.parent_span_id,
            "name": self.name,
            "service.name": self.service,
            "start": self.start.to_string(),
            "end": self.end.to_string(),
            "attributes": self.attributes,
            "error": self.error,
        })
    }

    fn new(service: &str, span: Span) -> Self {
        let at = |nanoseconds: u64| Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or_default();
        Self {
            trace_id: hex::encode(&span.trace_id),
            span_id: hex::encode(&span.span_id),
            parent_span_id: hex::encode(&span.parent_span_id),
            name: span.name,
            service: service.to_owned(),
            start: at(span.start_time_unix_nano),
            end: at(span.end_time_unix_nano),
            attributes: span.attributes.into_iter().map(|one| (one.key, plain(one.value))).collect(),
            error: span.status.map(|status| status.message).unwrap_or_default(),
        }
    }
}

fn plain(value: Option<AnyValue>) -> Value {
    match value.and_then(|value| value.value) {
        Some(Any::StringValue(text)) => text.into(),
        Some(Any::IntValue(number)) => number.into(),
        Some(Any::DoubleValue(number)) => number.into(),
        Some(Any::BoolValue(truth)) => truth.into(),
        _ => Value::Null,
    }
}

fn service(resource: Option<Resource>) -> String {
    let attributes = resource.map(|resource| resource.attributes).unwrap_or_default();
    let name = attributes.into_iter().find(|KeyValue { key, .. }| key == "service.name");
    let name = name.map(|name| plain(name.value));
    name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What is told of every request: its bytes, and the spans in it.
type Listener = dyn Fn(&[u8], Vec<ReceivedSpan>) + Send + Sync;

/// Listens at `address` for OTLP over HTTP, in protobuf, and tells `listener` of each request. Returns the address that was
/// bound, and the server, which runs while it is polled.
///
/// # Errors
///
/// When the address cannot be listened on.
pub fn serve_otlp(
    address: SocketAddr,
    listener: impl Fn(&[u8], Vec<ReceivedSpan>) + Send + Sync + 'static,
) -> std::io::Result<(SocketAddr, Server)> {
    let listener: Arc<Listener> = Arc::new(listener);
    let app = move || {
        App::new()
            .app_data(Data::new(Arc::clone(&listener)))
            .app_data(PayloadConfig::new(MAX_REQUEST))
            .service(web::resource("/v1/traces").post(take))
    };
    let server = HttpServer::new(app).workers(1).shutdown_timeout(1).disable_signals().bind(address)?;
    let bound = server.addrs().first().copied().unwrap_or(address);
    Ok((bound, server.run()))
}

async fn take(listener: Data<Arc<Listener>>, body: Bytes) -> HttpResponse {
    let Ok(request) = ExportTraceServiceRequest::decode(body.clone()) else {
        return HttpResponse::BadRequest().finish();
    };
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let service = service(resource.resource);
        let scopes = resource.scope_spans.into_iter();
        spans.extend(scopes.flat_map(|scope| scope.spans).map(|span| ReceivedSpan::new(&service, span)));
    }
    listener(&body, spans);
    // An answer without a member is an empty text in protobuf.
    HttpResponse::Ok().content_type("application/x-protobuf").finish()
}

/// A receiver that keeps what it gets. It ends when it is dropped.
pub struct OtlpReceiver {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    server: ServerHandle,
}

#[derive(Default)]
struct Seen {
    spans: Vec<ReceivedSpan>,
    bytes: Vec<u8>,
}

impl OtlpReceiver {
    /// Starts one on this machine, at a port that is free.
    ///
    /// # Panics
    ///
    /// If it cannot listen, or outside a tokio runtime.
    pub fn start() -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let kept = Arc::clone(&seen);
        let keep = move |bytes: &[u8], spans: Vec<ReceivedSpan>| {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.spans.extend(spans);
            kept.bytes.extend(bytes);
        };
        let (address, server) = serve_otlp(SocketAddr::from(([127, 0, 0, 1], 0)), keep)
            .unwrap_or_else(|error| panic!("the receiver of traces cannot listen: {error}"));
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, seen, server: handle }
    }

    /// The base address, as `traces.otlp_url` wants it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every span until now, in order of arrival.
    pub fn spans(&self) -> Vec<ReceivedSpan> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).spans.clone()
    }

    /// Whether this text was in any request.
    pub fn has_seen(&self, text: &str) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.bytes.windows(text.len()).any(|part| part == text.as_bytes())
    }
}

impl Drop for OtlpReceiver {
    fn drop(&mut self) {
        // The word to stop is given by the call; what is awaited would be the end.
        drop(self.server.stop(false));
    }
}
