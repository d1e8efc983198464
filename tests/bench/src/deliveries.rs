//! What is sent: a school year with events of all codes, made and signed ahead.

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jodo_school::{Run, Scenario};
use jodo_shared::clock::now;
use jodo_shared::contract::peek;
use jodo_shared::ids::{DeliveryKey, TargetName};
use jodo_shared::message::Message;
use sha2::Sha256;

use crate::stage::{PATH, SECRET, source};

/// A year of a school with so many pupils has about twenty events for each; no two seeds share an event.
pub(crate) fn year(seed: u64, pupils: u64) -> impl Iterator<Item = Bytes> {
    Run { seed, students: pupils, scenario: Scenario::SchoolYear }.bodies().map(Bytes::from)
}

/// The bytes of a request that delivers `body`.
///
/// # Errors
/// Never: HMAC takes keys of any length.
pub(crate) fn request(body: &[u8]) -> anyhow::Result<Bytes> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    mac.update(body);
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Jodo-Signature: {}\r\n\
         Content-Length: {}\r\n\r\n",
        hex::encode(mac.finalize().into_bytes()),
        body.len()
    );
    Ok([head.as_bytes(), body].concat().into())
}

/// Requests for the first `events` of a year.
///
/// # Errors
/// Never.
pub(crate) fn requests(seed: u64, events: usize) -> anyhow::Result<Vec<Bytes>> {
    year(seed, pupils_for(events)).take(events).map(|body| request(&body)).collect()
}

/// A school in whose year at least so much happens.
pub(crate) fn pupils_for(events: usize) -> u64 {
    (events as u64).div_ceil(15).clamp(50, Run::MOST_IN_A_YEAR)
}

/// The message that the ingress makes of a body.
///
/// # Errors
/// Never.
pub(crate) fn message(target: &TargetName, body: Bytes) -> anyhow::Result<Message> {
    let source = source()?;
    Ok(Message {
        key: DeliveryKey::of(&source, &body),
        source,
        tenant: "main".parse()?,
        target: target.clone(),
        received_at: now(),
        peeked: peek(&body),
        verified: true,
        signature: None,
        redrive: false,
        trace: None,
        body,
    })
}
