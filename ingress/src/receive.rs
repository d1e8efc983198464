//! Step 1: the request's head is judged, then its body read: untouched, and bounded in size, time and memory.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::{Method, header};
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use jiff::Timestamp;
use jodo_shared::clock;
use jodo_shared::traces::TraceParent;

use crate::answer::Failure;
use crate::authenticate::{Sender, examine};
use crate::budget::Reservation;
use crate::door::Door;
use crate::source::Source;

/// A request that was read whole.
#[derive(Debug)]
pub struct Received {
    /// The source whose path it came in on.
    pub source: Arc<Source>,
    /// What its head says about the sender.
    pub sender: Sender,
    /// The body, byte for byte: no decompression, no change of encoding.
    pub body: Bytes,
    /// The body's share of the memory budget.
    pub reservation: Reservation,
    /// When its head had been read.
    pub began_at: Timestamp,
    /// When the last byte was read.
    pub received_at: Timestamp,
    /// The trace that it belongs to, if it says so in a form that we know.
    pub trace: Option<TraceParent>,
}

/// Judges the head, then reads the body.
///
/// # Errors
/// [`Failure`] with the reply: 404, 405, 401 (what no body could mend), 413, 408, 400 (the body breaks off), 503 (no
/// room for its bytes).
pub async fn receive(door: &Door, request: &HttpRequest, payload: &mut Payload) -> Result<Received, Failure> {
    let began_at = clock::precise();
    let source = door.source_at(request.path()).ok_or(Failure::UnknownPath)?;
    if request.method() != Method::POST {
        return Err(Failure::MethodNotAllowed);
    }
    let sender = examine(&source, peer_of(request), request.headers())?;
    if announced_length(request).is_some_and(|length| length > door.limits.max_body as u64) {
        return Err(Failure::BodyTooLarge);
    }

    let mut reservation = door.budget.reserve();
    let read = read_body(payload, door.limits.max_body, &mut reservation);
    let body =
        tokio::time::timeout(door.limits.body_timeout, read).await.map_err(|_| Failure::BodyTimeout)??;

    let trace =
        request.headers().get("traceparent").and_then(|value| TraceParent::parse(value.to_str().ok()?));
    Ok(Received { source, sender, body, reservation, began_at, received_at: clock::now(), trace })
}

/// The other end of the connection. A socket without an address is in no list and trusted by none.
pub(crate) fn peer_of(request: &HttpRequest) -> IpAddr {
    request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip())
}

/// What `Content-Length` announces; absent for a chunked body.
fn announced_length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads to the end. Memory grows with what has arrived, never with what was announced.
async fn read_body(
    payload: &mut Payload,
    max_body: usize,
    reservation: &mut Reservation,
) -> Result<Bytes, Failure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Failure::BodyBroken)?;
        if chunk.len() > max_body - body.len() {
            return Err(Failure::BodyTooLarge);
        }
        reservation.grow(chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
