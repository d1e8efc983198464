//! What the sender is told. Every reply there is stands in this file.
//!
//! Policy: 2xx says "durable, never send it again"; 401 says "not proved to be from you"; everything else says "send
//! it again". Nothing inside an authentic body is ever a reason to refuse it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::{Bytes, Payload};
use actix_web::{HttpResponse, HttpResponseBuilder};
use jodo_shared::broker::PublishError;
use jodo_shared::ids::{DeliveryKey, EventId};
use jodo_shared::message::Peeked;
use serde::Serialize;

use crate::authenticate::Proof;
use crate::budget::OverBudget;
use crate::verdict::Refusal;

/// When a sender that was answered 503 may try again, in seconds. The sender keeps to its own schedule (C§4); this
/// is for proxies and people.
const RETRY_AFTER_SECONDS: u64 = 30;

/// A delivery that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its identity.
    pub key: DeliveryKey,
    /// What `peek` saw.
    pub peeked: Peeked,
    /// Whether its sender was proved.
    pub proof: Proof,
}

/// A request that did not become a durable delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No source has this path.
    #[error("no source has this path")]
    UnknownPath,
    /// Only POST delivers.
    #[error("only POST delivers")]
    MethodNotAllowed,
    /// The sender is not proved.
    #[error("the sender is not proved")]
    Refused(Refusal),
    /// The body is larger than `ingress.max_body`.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The body did not arrive within `ingress.body_timeout`.
    #[error("the body took too long to arrive")]
    BodyTimeout,
    /// The body ended early or was badly framed.
    #[error("the body did not arrive whole")]
    BodyBroken,
    /// The bodies in flight leave no room.
    #[error(transparent)]
    Busy(#[from] OverBudget),
    /// Not known to be durable.
    #[error(transparent)]
    NotDurable(#[from] PublishError),
    /// The task that published ended without a word.
    #[error("publishing ended without a result")]
    PublishLost,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Failure {
    /// Status and stable reason of the reply.
    pub const fn reply(&self) -> (StatusCode, &'static str) {
        match self {
            Self::UnknownPath => (StatusCode::NOT_FOUND, "unknown_path"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Refused(refusal) => (StatusCode::UNAUTHORIZED, refusal.as_str()),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, "body_timeout"),
            Self::BodyBroken => (StatusCode::BAD_REQUEST, "body_broken"),
            Self::Busy(OverBudget) => (StatusCode::SERVICE_UNAVAILABLE, "too_many_bytes_in_flight"),
            Self::NotDurable(error) => (StatusCode::SERVICE_UNAVAILABLE, error.as_str()),
            Self::PublishLost => (StatusCode::SERVICE_UNAVAILABLE, "publish_lost"),
        }
    }
}

#[derive(Serialize)]
struct AcceptedBody<'a> {
    status: &'static str,
    event_id: Option<&'a EventId>,
    delivery_key: String,
}

/// The reply to `result`. `unread` is what is left of the request's body.
pub fn answer(result: &Result<Accepted, Failure>, unread: Payload) -> HttpResponse {
    match result {
        Ok(accepted) => HttpResponse::Ok().json(AcceptedBody {
            status: "accepted",
            event_id: accepted.peeked.event_id.as_ref(),
            delivery_key: accepted.key.to_string(),
        }),
        Err(failure) => {
            let (status, reason) = failure.reply();
            let word = if status.is_server_error() { "error" } else { "refused" };
            let mut response = HttpResponse::build(status);
            if let Some(header) = explaining_header(status) {
                response.insert_header(header);
            }
            // Both are words of ours, which need no escaping.
            last_answer(response, format!(r#"{{"status":"{word}","reason":"{reason}"}}"#), unread)
        }
    }
}

/// The header that a status asks for (RFC 9110, sections 11.6.1, 10.2.1 and 10.2.3).
fn explaining_header(status: StatusCode) -> Option<(HeaderName, HeaderValue)> {
    match status {
        StatusCode::UNAUTHORIZED => {
            Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("X-Jodo-Signature")))
        }
        StatusCode::METHOD_NOT_ALLOWED => Some((header::ALLOW, HeaderValue::from_static("POST"))),
        StatusCode::SERVICE_UNAVAILABLE => {
            Some((header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS)))
        }
        _ => None,
    }
}

/// The last reply on a connection.
///
/// Only deliveries that were accepted keep their connection. The HTTP server bounds the time for the head of a
/// connection's first request only, so a stranger is to get no second one.
fn last_answer(mut response: HttpResponseBuilder, text: String, unread: Payload) -> HttpResponse {
    response.insert_header(header::ContentType::json()).force_close();
    let body = LastWords { text: Bytes::from(text), _unread: unread };
    response.body(BoxBody::new(body))
}

/// A reply's text that keeps the request's payload alive until it is sent.
///
/// A payload that is dropped before makes actix-http drain what is left of a chunked body for as long as the client
/// cares to send it; one that is alive makes it close the connection after the reply.
struct LastWords {
    text: Bytes,
    _unread: Payload,
}

impl MessageBody for LastWords {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.text.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let text = std::mem::take(&mut self.text);
        Poll::Ready((!text.is_empty()).then_some(Ok(text)))
    }
}
