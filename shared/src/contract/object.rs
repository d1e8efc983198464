//! JSON objects, member by member: only what is asked for is looked into.
//!
//! The members of an object are found without reading their values (serde_json skips over a [`RawValue`] without
//! recursion and without converting its numbers), so that 20,000-deep nesting or a 400-digit number in a member that
//! nobody asks for has no effect.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::reading::{Problem, Reading};

/// The text is not one JSON object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a JSON object")]
pub struct NotAnObject;

/// A JSON object: its members in the order of the document, their values unread. The default one has none.
#[derive(Debug, Clone, Default)]
pub struct Object<'a> {
    members: Vec<(Name<'a>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Reads one JSON object and nothing after it.
    ///
    /// # Errors
    /// When the text is not JSON, or JSON of another type.
    pub fn parse(text: &'a str) -> Result<Self, NotAnObject> {
        serde_json::from_str(text).map_err(|_| NotAnObject)
    }

    /// The member of this name, which may be absent. Of a repeated member the last one counts; names are compared
    /// after unescaping.
    pub fn member(&self, name: &str) -> Member<'a> {
        let last = self.members.iter().rev().find(|(own, _)| own.0 == name.as_bytes());
        last.map_or(Member::ABSENT, |(_, value)| Member::of(value))
    }

    /// Every member in the order of the document, repeated ones too. A name with a lone surrogate is no UTF-8.
    pub(super) fn members(&self) -> impl Iterator<Item = (&[u8], &'a RawValue)> {
        self.members.iter().map(|(name, value)| (name.0.as_ref(), *value))
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                // As many as most of the sender's objects have, so that it grows but rarely.
                let mut members = Vec::with_capacity(16);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object { members })
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A member's name, unescaped. Read as bytes, which lets serde_json pass lone surrogates: an odd name must not make
/// its object unreadable.
#[derive(Debug, Clone)]
struct Name<'a>(Cow<'a, [u8]>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl<'de> Visitor<'de> for Bytes {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }

            fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(bytes.to_vec())))
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}

/// What kind of value a member is, by its JSON token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Not there, null, `""`, `[]` or `{}`.
    Absent,
    /// A string, with its quotes and escapes.
    Text(&'a str),
    /// A number as spelled.
    Number(&'a str),
    /// `true` or `false`.
    Bool,
    /// A list with elements.
    List(&'a str),
    /// An object with members.
    Object(&'a str),
}

/// The value of a member, or of an element of a list, not yet read. The readers of its possible meanings are spread
/// over this module's files: text, keys, numbers, money, times.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a>(Option<&'a RawValue>);

impl<'a> Member<'a> {
    const ABSENT: Self = Self(None);

    fn of(value: &'a RawValue) -> Self {
        Self(Some(value))
    }

    /// The JSON text of the value, unless it is absent, null or empty.
    pub fn raw(self) -> Option<&'a RawValue> {
        self.0.filter(|_| self.token() != Token::Absent)
    }

    /// Whether the member is not there, null, `""`, `[]` or `{}` (C§7 row 12).
    pub fn is_absent(self) -> bool {
        self.token() == Token::Absent
    }

    /// The member as an object.
    pub fn object(self) -> Reading<Object<'a>> {
        match self.token() {
            Token::Absent => Reading::Absent,
            Token::Object(text) => Object::parse(text).map_err(|_| Problem::WrongType).into(),
            _ => Reading::Unreadable(Problem::WrongType),
        }
    }

    /// The elements of the member, a list; each may itself be absent, that is null or empty.
    pub fn elements(self) -> Reading<Vec<Member<'a>>> {
        match self.token() {
            Token::Absent => Reading::Absent,
            Token::List(text) => serde_json::from_str::<Vec<&RawValue>>(text)
                .map(|values| values.into_iter().map(Member::of).collect())
                .map_err(|_| Problem::WrongType)
                .into(),
            _ => Reading::Unreadable(Problem::WrongType),
        }
    }

    /// Yes or no, as the JSON value or as its text.
    pub fn boolean(self) -> Reading<bool> {
        match (self.token(), self.0.map(RawValue::get)) {
            (Token::Absent, _) => Reading::Absent,
            (_, Some("true" | "\"true\"")) => Reading::Clean(true),
            (_, Some("false" | "\"false\"")) => Reading::Clean(false),
            _ => Reading::Unreadable(Problem::WrongType),
        }
    }

    pub(super) fn token(self) -> Token<'a> {
        let Some(value) = self.0 else { return Token::Absent };
        let text = value.get();
        let inside = |open, close| Some(text.strip_prefix(open)?.strip_suffix(close)?.trim_ascii());
        if text == "null" || text == "\"\"" || inside('[', ']') == Some("") || inside('{', '}') == Some("") {
            return Token::Absent;
        }
        match text.as_bytes().first() {
            Some(b'"') => Token::Text(text),
            Some(b'[') => Token::List(text),
            Some(b'{') => Token::Object(text),
            Some(b't' | b'f') => Token::Bool,
            _ => Token::Number(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw<'a>(object: &Object<'a>, name: &str) -> Option<&'a str> {
        object.member(name).raw().map(RawValue::get)
    }

    #[test]
    fn of_a_repeated_member_the_last_one_counts_also_when_spelled_with_escapes() {
        let object = Object::parse(r#"{"a":1,"b":2,"\u0061":3}"#).unwrap();
        assert_eq!(raw(&object, "a"), Some("3"));
        assert_eq!(raw(&object, "b"), Some("2"));
    }

    #[test]
    fn an_odd_member_name_does_not_break_its_object() {
        let object = Object::parse(r#"{"\ud800":1,"\u0000":2,"":3,"x\udc00\ud83d\ude00":4,"a":5}"#).unwrap();
        assert_eq!(raw(&object, "a"), Some("5"));
        assert_eq!(raw(&object, "\0"), Some("2"));
        assert_eq!(raw(&object, ""), Some("3"));
    }

    #[test]
    fn null_and_the_three_kinds_of_empty_are_absent() {
        let object =
            Object::parse(r#"{"a":null,"b":"","c":[ ],"d":{ }, "e":[null], "f":" ", "g":0 }"#).unwrap();
        for name in ["a", "b", "c", "d", "nowhere"] {
            assert!(object.member(name).is_absent(), "{name}");
        }
        for name in ["e", "f", "g"] {
            assert!(!object.member(name).is_absent(), "{name}");
        }
    }

    #[test]
    fn yes_and_no_may_be_spelled_as_text() {
        let boolean =
            |value: &str| Object::parse(&format!(r#"{{"m":{value}}}"#)).unwrap().member("m").boolean();
        assert_eq!(["true", r#""true""#].map(boolean), [Reading::Clean(true); 2]);
        assert_eq!(["false", r#""false""#].map(boolean), [Reading::Clean(false); 2]);
        assert_eq!(["null", r#""""#].map(boolean), [Reading::Absent; 2]);
        assert_eq!(["1", r#""yes""#].map(boolean), [Reading::Unreadable(Problem::WrongType); 2]);
    }

    #[test]
    fn deep_nesting_and_huge_numbers_in_a_member_that_is_not_read_are_harmless() {
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        let members = format!("{}1{}", r#"{"x":"#.repeat(20_000), "}".repeat(20_000));
        let number = "9".repeat(400);
        let text = format!(r#"{{"deep":{deep},"a":1,"members":{members},"n":-{number}.{number}e{number}}}"#);
        assert_eq!(raw(&Object::parse(&text).unwrap(), "a"), Some("1"));
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for text in
            ["", " ", "null", "[]", "\"a\"", "{", "{}x", "{} {}", r#"{"a":}"#, r#"{"a":01}"#, r#"{"a":"\x"}"#]
        {
            assert!(Object::parse(text).is_err(), "{text}");
        }
        assert!(Object::parse(" {\n} ").is_ok());
    }
}
