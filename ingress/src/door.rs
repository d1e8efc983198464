//! What all requests share, and the path of one request through the four steps.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use jodo_shared::broker::Publisher;
use jodo_shared::config::{Config, Ingress};
use jodo_shared::contract::peek;
use jodo_shared::traces::Traces;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::answer::{Failure, answer};
use crate::authenticate::authenticate;
use crate::budget::Budget;
use crate::publish::{Admitted, publish};
use crate::receive::{peer_of, receive};
use crate::report::Report;
use crate::source::{Source, SourceError};

/// What all requests share.
pub struct Door {
    by_path: HashMap<String, Arc<Source>>,
    pub(crate) limits: Limits,
    pub(crate) budget: Budget,
    pub(crate) publisher: Arc<dyn Publisher>,
    pub(crate) traces: Traces,
    /// The deliveries being published.
    pub(crate) tasks: TaskTracker,
    /// Where they are published: it outlives the HTTP server's own threads.
    pub(crate) runtime: Handle,
}

/// Bounds of one body.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest body in bytes.
    pub max_body: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
}

impl From<&Ingress> for Limits {
    fn from(config: &Ingress) -> Self {
        Self { max_body: config.max_body, body_timeout: config.body_timeout }
    }
}

impl Door {
    /// The door for every configured source; deliveries go to `publisher` on `runtime`, and what is seen of them to
    /// `traces`.
    ///
    /// # Errors
    /// [`SourceError`] when a source cannot be served.
    pub fn new(
        config: &Config,
        publisher: Arc<dyn Publisher>,
        traces: Traces,
        runtime: Handle,
    ) -> Result<Self, SourceError> {
        let mut by_path = HashMap::new();
        for (name, source) in &config.sources {
            let ready = Arc::new(Source::new(name, source)?);
            if by_path.insert(source.path.clone(), ready).is_some() {
                return Err(SourceError::SamePath(name.clone()));
            }
        }
        Ok(Self {
            by_path,
            limits: Limits::from(&config.ingress),
            budget: Budget::new(config.ingress.max_bytes_in_flight),
            publisher,
            traces,
            tasks: TaskTracker::new(),
            runtime,
        })
    }

    /// The source that is delivered to at `path`, compared byte for byte.
    pub fn source_at(&self, path: &str) -> Option<Arc<Source>> {
        self.by_path.get(path).map(Arc::clone)
    }
}

/// One request, from its head to the reply.
pub(crate) async fn deliver(door: Data<Door>, request: HttpRequest, mut payload: Payload) -> HttpResponse {
    let source = door.source_at(request.path());
    let client = source.as_ref().map(|source| source.addresses.client(peer_of(&request), request.headers()));
    let report = Report::start(source.as_deref(), client);
    let result = match admit(&door, &request, &mut payload).await {
        Ok(admitted) => publish(&door, admitted, report).await,
        Err(failure) => report.end(Err(failure)),
    };
    answer(&result, payload)
}

/// Steps 1 to 3.
async fn admit(door: &Door, request: &HttpRequest, payload: &mut Payload) -> Result<Admitted, Failure> {
    let received = receive(door, request, payload).await?;
    let proof = authenticate(&received.source, &received.sender, &received.body, received.received_at)?;
    let peeked = peek(&received.body);
    Ok(Admitted { received, proof, peeked })
}
