//! How a message looks in AMQP: properties, headers and the untouched body.
//!
//! No text that the sender made becomes an AMQP short string, because lapin panics above 255 bytes: such texts are
//! headers, which are long strings. Their types bound them ([`MAX_KEY_BYTES`](crate::ids::MAX_KEY_BYTES),
//! [`MAX_CODE_BYTES`](crate::contract::MAX_CODE_BYTES)), so that all headers fit in one frame.

use jiff::Timestamp;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use crate::ids::DeliveryKey;
use crate::message::{Message, Peeked};
use crate::traces::TraceParent;

const SOURCE: &str = "source";
const TENANT: &str = "tenant";
const TARGET: &str = "target";
/// Milliseconds since 1970.
const RECEIVED_AT: &str = "received_at";
const VERIFIED: &str = "verified";
/// In hexadecimal.
const SIGNATURE: &str = "signature";
const REDRIVE: &str = "redrive";
const TRACE: &str = "traceparent";
const EVENT_ID: &str = "event_id";
const EVENT_CODE: &str = "event_code";
/// Seconds since 1970.
const EVENT_TIME: &str = "event_time";

/// Counted by quorum queues: <https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling>.
const DELIVERY_COUNT: &str = "x-delivery-count";
/// Counted by quorum queues from RabbitMQ 4.3 on, also when a consumer went away.
const ACQUIRED_COUNT: &str = "x-acquired-count";

/// "Persistent": <https://www.rabbitmq.com/docs/publishers#message-properties>.
const PERSISTENT: u8 = 2;

/// A message in the queue cannot be one of ours: this header is missing or unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the header {0} is missing or unreadable")]
pub(super) struct Malformed(pub(super) &'static str);

/// The properties and headers that say everything about `message` but its body.
pub(super) fn properties(message: &Message) -> BasicProperties {
    let mut headers = FieldTable::default();
    let mut put = |name: &'static str, value| {
        headers.insert(name.into(), value);
    };
    put(SOURCE, text(message.source.as_str()));
    put(TENANT, text(message.tenant.as_str()));
    put(TARGET, text(message.target.as_str()));
    put(RECEIVED_AT, AMQPValue::LongLongInt(message.received_at.as_millisecond()));
    put(VERIFIED, AMQPValue::Boolean(message.verified));
    put(REDRIVE, AMQPValue::Boolean(message.redrive));
    if let Some(signature) = &message.signature {
        put(SIGNATURE, text(&signature.to_string()));
    }
    if let Some(trace) = &message.trace {
        put(TRACE, text(trace.as_str()));
    }
    if let Some(id) = &message.peeked.event_id {
        put(EVENT_ID, text(id.as_str()));
    }
    if let Some(code) = &message.peeked.code {
        put(EVENT_CODE, text(code.as_str()));
    }
    if let Some(time) = message.peeked.time {
        put(EVENT_TIME, AMQPValue::LongLongInt(time));
    }
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/octet-stream".into())
        .with_message_id(message.key.to_string().into())
        .with_headers(headers)
}

/// Reads a message back. Its key is computed anew, whatever the properties say.
///
/// # Errors
/// [`Malformed`] when what decides where the message belongs, or whether its sender was proved, cannot be read: it is
/// never assumed. What only helps people to look is left out instead.
pub(super) fn message(properties: &BasicProperties, body: Vec<u8>) -> Result<Message, Malformed> {
    let headers = Headers(properties.headers().as_ref());
    let source = headers.parsed(SOURCE)?;
    Ok(Message {
        key: DeliveryKey::of(&source, &body),
        source,
        tenant: headers.parsed(TENANT)?,
        target: headers.parsed(TARGET)?,
        received_at: headers
            .integer(RECEIVED_AT)
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .ok_or(Malformed(RECEIVED_AT))?,
        peeked: Peeked {
            event_id: headers.text(EVENT_ID).and_then(|id| id.parse().ok()),
            code: headers.text(EVENT_CODE).and_then(|code| code.parse().ok()),
            time: headers.integer(EVENT_TIME),
        },
        verified: headers.boolean(VERIFIED).ok_or(Malformed(VERIFIED))?,
        signature: headers.text(SIGNATURE).and_then(|signature| signature.parse().ok()),
        redrive: headers.boolean(REDRIVE).unwrap_or(false),
        trace: headers.text(TRACE).and_then(TraceParent::parse),
        body: body.into(),
    })
}

/// How often the broker has handed a delivery out, this time included.
///
/// The counters start at 0, and some versions count only some of the ways in which a delivery comes back, hence at
/// least 2 for one that is marked as redelivered.
pub(super) fn hand_outs(redelivered: bool, properties: &BasicProperties) -> u32 {
    if !redelivered {
        return 1;
    }
    let headers = Headers(properties.headers().as_ref());
    let count = |name| headers.integer(name).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    count(DELIVERY_COUNT).max(count(ACQUIRED_COUNT)).saturating_add(1).max(2)
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

struct Headers<'p>(Option<&'p FieldTable>);

impl<'p> Headers<'p> {
    fn get(&self, name: &str) -> Option<&'p AMQPValue> {
        self.0?.inner().get(name)
    }

    fn text(&self, name: &str) -> Option<&'p str> {
        match self.get(name)? {
            AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok(),
            AMQPValue::ShortString(text) => Some(text.as_str()),
            _ => None,
        }
    }

    fn parsed<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, Malformed> {
        self.text(name).and_then(|text| text.parse().ok()).ok_or(Malformed(name))
    }

    fn boolean(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            AMQPValue::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// An integer of whatever width: brokers and shovels narrow them.
    fn integer(&self, name: &str) -> Option<i64> {
        match *self.get(name)? {
            AMQPValue::ShortShortInt(n) => Some(n.into()),
            AMQPValue::ShortShortUInt(n) => Some(n.into()),
            AMQPValue::ShortInt(n) => Some(n.into()),
            AMQPValue::ShortUInt(n) => Some(n.into()),
            AMQPValue::LongInt(n) => Some(n.into()),
            AMQPValue::LongUInt(n) => Some(n.into()),
            AMQPValue::LongLongInt(n) => Some(n),
            AMQPValue::Timestamp(n) => i64::try_from(n).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Message {
        let source = "jodo".parse().unwrap();
        let body = b"{\"event\":\"x\"}";
        Message {
            key: DeliveryKey::of(&source, body),
            source,
            tenant: "North-1".parse().unwrap(),
            target: "main".parse().unwrap(),
            received_at: Timestamp::from_millisecond(1_785_753_715_040).unwrap(),
            peeked: Peeked {
                event_id: Some("e-1".parse().unwrap()),
                code: Some("x".parse().unwrap()),
                time: Some(1_785_753_700),
            },
            verified: true,
            signature: None,
            redrive: false,
            trace: TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            body: body.to_vec().into(),
        }
    }

    fn with_headers(change: impl FnOnce(&mut Vec<(String, AMQPValue)>)) -> BasicProperties {
        let properties = properties(&sample());
        let table = properties.headers().as_ref().unwrap();
        let mut headers = table.into_iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        change(&mut headers);
        let mut table = FieldTable::default();
        for (name, value) in headers {
            table.insert(name.into(), value);
        }
        properties.with_headers(table)
    }

    #[test]
    fn a_message_reads_back_as_it_was() {
        for (verified, redrive) in [(true, false), (false, true)] {
            let signature = redrive.then(|| "ab".repeat(32).parse().unwrap());
            let sent = Message { verified, signature, redrive, ..sample() };
            assert_eq!(message(&properties(&sent), sent.body.to_vec()), Ok(sent));
        }
        let bare = Message { peeked: Peeked::default(), trace: None, ..sample() };
        assert_eq!(message(&properties(&bare), bare.body.to_vec()), Ok(bare));
    }

    #[test]
    fn the_key_comes_from_source_and_body_and_not_from_the_message_id() {
        let read = message(&properties(&sample()), b"other".to_vec()).unwrap();
        assert_eq!(read.key, DeliveryKey::of(&sample().source, b"other"));
    }

    #[test]
    fn what_decides_where_a_message_belongs_is_never_assumed() {
        for name in [SOURCE, TENANT, TARGET, RECEIVED_AT, VERIFIED] {
            let absent = with_headers(|headers| headers.retain(|(one, _)| one != name));
            assert_eq!(message(&absent, Vec::new()), Err(Malformed(name)));
            let odd = with_headers(|headers| {
                headers.retain(|(one, _)| one != name);
                headers.push((name.to_owned(), AMQPValue::LongString("NOT A NAME ".into())));
            });
            assert_eq!(message(&odd, Vec::new()), Err(Malformed(name)));
        }
        assert_eq!(message(&BasicProperties::default(), Vec::new()), Err(Malformed(SOURCE)));
    }

    #[test]
    fn what_only_helps_to_look_is_left_out_when_it_is_odd() {
        let odd = with_headers(|headers| {
            for (name, value) in headers {
                if [EVENT_ID, EVENT_CODE, EVENT_TIME, TRACE, REDRIVE, SIGNATURE].contains(&name.as_str()) {
                    *value = AMQPValue::Void;
                }
            }
        });
        let read = message(&odd, sample().body.to_vec()).unwrap();
        assert_eq!(read, Message { peeked: Peeked::default(), trace: None, ..sample() });
    }

    #[test]
    fn hand_outs_follow_the_larger_counter_of_whatever_integer_type() {
        let counted = |headers: Vec<(&str, AMQPValue)>| {
            let mut table = FieldTable::default();
            for (name, value) in headers {
                table.insert(name.into(), value);
            }
            BasicProperties::default().with_headers(table)
        };
        let three = || counted(vec![(DELIVERY_COUNT, AMQPValue::ShortShortUInt(3))]);
        let both = counted(vec![
            (DELIVERY_COUNT, AMQPValue::LongLongInt(1)),
            (ACQUIRED_COUNT, AMQPValue::LongInt(4)),
        ]);
        assert_eq!(hand_outs(false, &three()), 1);
        assert_eq!(hand_outs(true, &three()), 4);
        assert_eq!(hand_outs(true, &both), 5);
        assert_eq!(hand_outs(true, &counted(vec![(DELIVERY_COUNT, AMQPValue::LongLongInt(0))])), 2);
        assert_eq!(hand_outs(true, &BasicProperties::default()), 2);
        assert_eq!(hand_outs(true, &counted(vec![(DELIVERY_COUNT, AMQPValue::LongLongInt(i64::MAX))])), 2);
    }
}
