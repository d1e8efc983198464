//! The five members that every event has (C§1), each read by itself so that a broken one hides no other.

use super::codes::EventCode;
use super::object::{Member, Object};
use super::reading::{Problem, Reading};
use crate::ids::{EventId, MAX_KEY_BYTES};
use crate::outcome::Reason;

/// The only version of the contract that was ever documented.
const KNOWN_VERSION: &str = "1.0";

/// An event's envelope.
#[derive(Debug)]
pub struct Envelope<'a> {
    object: Object<'a>,
}

impl<'a> Envelope<'a> {
    /// Opens a body. A byte order mark is skipped, as RFC 8259 section 8.1 allows.
    ///
    /// # Errors
    /// [`Reason::EmptyBody`], [`Reason::NotUtf8`] or [`Reason::NotJson`], which also stands for JSON that is not one
    /// object.
    pub fn open(body: &'a [u8]) -> Result<Self, Reason> {
        if body.is_empty() {
            return Err(Reason::EmptyBody);
        }
        let text = std::str::from_utf8(body).map_err(|_| Reason::NotUtf8)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Ok(Self { object: Object::parse(text).map_err(|_| Reason::NotJson)? })
    }

    /// `event_id`: text of at most 191 bytes. It identifies nothing for us, so nothing about it stops an event.
    pub fn event_id(&self) -> Reading<EventId> {
        self.object.member("event_id").string().and_then(|text| match text.len() {
            0..=MAX_KEY_BYTES => text.parse().map_err(|_| Problem::WrongType).into(),
            _ => Reading::Unreadable(Problem::TooLong),
        })
    }

    /// `event`: the code, matched exactly.
    ///
    /// # Errors
    /// [`Reason::MissingEventCode`] when it is absent or no text, [`Reason::UnknownEventCode`] when it is a text that
    /// no code can be: over 200 bytes, with U+0000 or a lone surrogate.
    pub fn code(&self) -> Result<EventCode, Reason> {
        match self.object.member("event").string() {
            Reading::Clean(text) => text.parse().map_err(|_| Reason::UnknownEventCode),
            Reading::Absent | Reading::Unreadable(Problem::WrongType) => Err(Reason::MissingEventCode),
            Reading::Mended(..) | Reading::Unreadable(_) => Err(Reason::UnknownEventCode),
        }
    }

    /// `timestamp`: when the event happened, in Unix seconds.
    ///
    /// # Errors
    /// As [`Member::timestamp`].
    pub fn time(&self) -> Result<i64, Reason> {
        self.object.member("timestamp").timestamp()
    }

    /// What is odd about `version`: another one than the documented is worth telling (C§7 row 17).
    pub fn version_problem(&self) -> Option<Problem> {
        match self.object.member("version").text().split() {
            (Some(version), _) if version != KNOWN_VERSION => Some(Problem::UnknownVersion),
            (_, problem) => problem,
        }
    }

    /// `payload`.
    pub fn payload(&self) -> Member<'a> {
        self.object.member("payload")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(value: &str) -> Result<String, Reason> {
        let body = format!(r#"{{"event":{value}}}"#);
        Envelope::open(body.as_bytes()).unwrap().code().map(String::from)
    }

    #[test]
    fn a_body_that_is_no_object_has_no_envelope() {
        for (body, reason) in [
            (&b""[..], Reason::EmptyBody),
            (b"\xff", Reason::NotUtf8),
            (b"{\"a\":\"\xc3\"}", Reason::NotUtf8),
            (b" ", Reason::NotJson),
            (b"[]", Reason::NotJson),
            (b"{}{}", Reason::NotJson),
        ] {
            assert_eq!(Envelope::open(body).map(drop), Err(reason));
        }
        assert!(Envelope::open(b"\xef\xbb\xbf{}").is_ok());
    }

    #[test]
    fn a_code_is_missing_when_it_is_no_text_and_unknown_when_it_is_an_impossible_one() {
        assert_eq!(code(r#""direct.payment.added""#), Ok("direct.payment.added".to_owned()));
        assert_eq!(code(r#""no.such.code""#), Ok("no.such.code".to_owned()));
        for value in ["null", r#""""#, "{}", "7", "true", r#"["a"]"#] {
            assert_eq!(code(value), Err(Reason::MissingEventCode), "{value}");
        }
        for value in [r#""\ud800""#, r#""direct.payment.added\u0000""#, &format!("\"{}\"", "x".repeat(201))] {
            assert_eq!(code(value), Err(Reason::UnknownEventCode), "{value}");
        }
    }

    #[test]
    fn an_event_id_is_text_of_at_most_191_bytes() {
        let read = |value: &str| {
            let body = format!(r#"{{"event_id":{value}}}"#);
            let (id, problem) = Envelope::open(body.as_bytes()).unwrap().event_id().split();
            (id.map(String::from), problem)
        };
        let longest = "x".repeat(191);
        assert_eq!(read(&format!("\"{longest}\"")), (Some(longest), None));
        assert_eq!(read(r#""a\u0000b""#), (Some("ab".to_owned()), Some(Problem::NulRemoved)));
        assert_eq!(read("7"), (None, Some(Problem::WrongType)));
        assert_eq!(read(r#""\udfff""#), (None, Some(Problem::LoneSurrogate)));
        assert_eq!(read(&format!("\"{}\"", "x".repeat(192))), (None, Some(Problem::TooLong)));
        assert_eq!(read("null"), (None, None));
    }
}
