//! Step 3 of an event's journey: a glance, for logs and metrics.

use super::envelope::Envelope;
use crate::message::Peeked;

/// Looks into a body for its `event_id`, `event` and `timestamp`. Never fails and is never a reason to refuse: what
/// cannot be read is `None`, each by itself. `decide` reads the same members by the same rules.
pub fn peek(body: &[u8]) -> Peeked {
    let Ok(envelope) = Envelope::open(body) else { return Peeked::default() };
    Peeked { event_id: envelope.event_id().value(), code: envelope.code().ok(), time: envelope.time().ok() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_member_is_seen_by_itself() {
        let seen = peek(br#"{"event_id":7,"event":"x.y","timestamp":"1780377631","payload":[[[[]]]]}"#);
        assert_eq!(seen.event_id, None);
        assert_eq!(seen.code.as_ref().map(|code| code.as_str()), Some("x.y"));
        assert_eq!(seen.time, Some(1_780_377_631));
        let seen = peek(br#"{"event":null,"timestamp":1780377631000,"event_id":"e-1","event_id":"e-2"}"#);
        assert_eq!(seen.event_id.map(String::from).as_deref(), Some("e-2"));
        assert_eq!((seen.code, seen.time), (None, None));
    }

    #[test]
    fn deep_nesting_does_not_hide_the_envelope() {
        let deep = format!("{}{}", r#"{"a":["#.repeat(20_000), "]}".repeat(20_000));
        let body = format!(r#"{{"payload":{deep},"event":"x"}}"#);
        assert!(peek(body.as_bytes()).code.is_some());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fail(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let seen = peek(&body);
            prop_assert!(seen.time.is_none() || Envelope::open(&body).is_ok());
        }
    }
}
