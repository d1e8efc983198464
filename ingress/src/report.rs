//! One line in the log and one count for each delivery, whatever became of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use actix_web::http::StatusCode;
use jodo_shared::contract::{EventCode, metric_label};
use jodo_shared::ids::{DeliveryKey, EventId, SourceName};
use jodo_shared::message::Peeked;
use jodo_shared::metrics as names;
use metrics::{counter, histogram};
use tracing::{debug, info, warn};

use crate::answer::{Accepted, Failure};
use crate::authenticate::Proof;
use crate::source::Source;
use crate::strikes::Strikes;
use crate::verdict::{Address, Concerns};

/// The metric label of a request that no source claims.
const NO_SOURCE: &str = "none";

/// What will be said about a delivery when it has ended. Dropped before, it says why that was: before the delivery was let
/// in it is the client that went away; afterwards only a bug can stop it.
#[derive(Debug)]
#[must_use = "ends in `end`"]
pub struct Report {
    source: Option<SourceName>,
    client: Option<IpAddr>,
    event: Option<(DeliveryKey, Peeked)>,
    started: Instant,
    ended: bool,
    strikes: Option<Arc<Strikes>>,
    /// Whether it comes from an address that the sender is known to use.
    from_listed: bool,
}

impl Report {
    /// Begins with the request's head: the source that its path belongs to, and the address it comes from.
    pub fn start(source: Option<&Source>, client: Option<IpAddr>) -> Self {
        let listed = |(source, client): (&Source, _)| source.addresses.judge(client) == Address::Listed;
        Self {
            source: source.map(|source| source.name.clone()),
            client,
            event: None,
            started: Instant::now(),
            ended: false,
            strikes: source.map(|source| Arc::clone(&source.strikes)),
            from_listed: source.zip(client).is_some_and(listed),
        }
    }

    /// Adds what was let in, so that a line about its failure names it, too.
    pub fn admitted(&mut self, key: DeliveryKey, peeked: &Peeked) {
        self.event = Some((key, peeked.clone()));
    }

    /// Says how the delivery ended, and hands the result on.
    pub fn end(mut self, result: Result<Accepted, Failure>) -> Result<Accepted, Failure> {
        self.ended = true;
        match &result {
            Ok(accepted) => self.accepted(accepted),
            Err(failure) => self.failed(failure),
        }
        result
    }

    fn accepted(&self, accepted: &Accepted) {
        let verdict = match accepted.proof {
            Proof::Verified(_) => "accepted",
            Proof::Held => "held",
        };
        self.count(StatusCode::OK);
        if let Some(strikes) = &self.strikes {
            strikes.accepted(metric_label(self.code()));
        }
        // As text fields, which the readable form quotes: line breaks in them do not make lines of their own.
        info!(
            source = self.source(),
            event.code = self.code().map(EventCode::as_str),
            event_id = accepted.peeked.event_id.as_ref().map(EventId::as_str),
            delivery.key = %accepted.key,
            verdict,
            ms = self.milliseconds(),
            "delivery {verdict}"
        );
        match accepted.proof {
            Proof::Verified(concerns) => self.warn_of(concerns),
            Proof::Held => self.warn_of_hold(accepted),
        }
    }

    fn warn_of(&self, concerns: Concerns) {
        if concerns.unlisted_address {
            warn!(
                source = self.source(),
                client.address = self.client.map(tracing::field::display),
                "accepted from an address that is not in the list; the sender may have added one"
            );
        }
        if concerns.bad_header {
            warn!(
                source = self.source(),
                "accepted by its signature, but its custom header is wrong or missing"
            );
        }
    }

    fn warn_of_hold(&self, accepted: &Accepted) {
        counter!(names::DELIVERIES_HELD, "source" => self.label()).increment(1);
        warn!(
            source = self.source(),
            client.address = self.client.map(tracing::field::display),
            delivery.key = %accepted.key,
            "held: it comes from a listed address, but no configured secret fits its signature; was the secret rotated?"
        );
    }

    fn failed(&self, failure: &Failure) {
        let (status, reason) = failure.reply();
        self.count(status);
        self.strike(failure);
        let (source, client, ms, status) = (self.source(), self.client, self.milliseconds(), status.as_u16());
        match failure {
            Failure::UnknownPath => debug!(verdict = "refused", reason, status, "request to an unknown path"),
            Failure::Busy(_) | Failure::NotDurable(_) | Failure::PublishLost => {
                let key = self.event.as_ref().map(|(key, _)| tracing::field::display(key));
                let event_code = self.code().map(EventCode::as_str);
                warn!(
                    source,
                    event.code = event_code,
                    delivery.key = key,
                    verdict = "error",
                    reason,
                    status,
                    ms,
                    "delivery put off: {failure}"
                );
            }
            _ => {
                info!(
                    source,
                    client.address = client.map(tracing::field::display),
                    verdict = "refused",
                    reason,
                    status,
                    ms,
                    "delivery refused: {failure}"
                );
            }
        }
    }

    /// Counts it if it was surely the sender's delivery: what was let in has been proved, or was held for its address.
    fn strike(&self, failure: &Failure) {
        let is_delivery = *failure != Failure::MethodNotAllowed;
        let is_the_senders = self.from_listed || self.event.is_some();
        if let Some(strikes) = self.strikes.as_ref().filter(|_| is_delivery && is_the_senders) {
            strikes.failed(metric_label(self.code()));
        }
    }

    fn code(&self) -> Option<&EventCode> {
        self.event.as_ref().and_then(|(_, peeked)| peeked.code.as_ref())
    }

    fn count(&self, status: StatusCode) {
        let code = metric_label(self.code());
        let status = status.as_u16().to_string();
        counter!(names::DELIVERIES_RECEIVED, "source" => self.label(), "code" => code, "status" => status)
            .increment(1);
        histogram!(names::RECEIVE_SECONDS, "source" => self.label())
            .record(self.started.elapsed().as_secs_f64());
    }

    fn label(&self) -> String {
        self.source().to_owned()
    }

    fn source(&self) -> &str {
        self.source.as_ref().map_or(NO_SOURCE, SourceName::as_str)
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if self.event.is_some() {
            self.failed(&Failure::PublishLost);
        } else {
            info!(
                source = self.source(),
                reason = "client_gone",
                ms = self.milliseconds(),
                "the client went away"
            );
        }
    }
}
