//! One text per JSON value, whatever its spelling: sorted members, no blanks, no U+0000, numbers in one form.

use std::borrow::Cow;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::number::{Decimal, MAX_ZEROS};
use super::object::{Member, Object, Token};
use super::reading::{Problem, Reading};
use super::text::{bounded, unescape};

/// Deepest nesting that is brought into canonical form. Every level reads the text below it once more, so the bound
/// also bounds the work on a hostile body; documented payloads have five levels.
const MAX_DEPTH: u32 = 64;

/// Longest list that we keep of one member, in bytes of canonical JSON.
pub const MAX_LIST_BYTES: usize = 100_000;

/// A JSON value in canonical form.
struct Canonical {
    /// UTF-8.
    text: Vec<u8>,
    nul_removed: bool,
}

impl Canonical {
    fn of(value: &RawValue) -> Result<Self, Problem> {
        let mut form = Self { text: Vec::with_capacity(value.get().len()), nul_removed: false };
        form.push(value, MAX_DEPTH)?;
        Ok(form)
    }

    fn push(&mut self, value: &RawValue, depth: u32) -> Result<(), Problem> {
        match value.get().as_bytes().first() {
            Some(b'{' | b'[') if depth == 0 => return Err(Problem::TooDeep),
            Some(b'{') => self.push_object(value.get(), depth - 1)?,
            Some(b'[') => self.push_list(value.get(), depth - 1)?,
            // Without an escape nothing in it is spelled in another way, and JSON lets no control character stand in it.
            Some(b'"') if !value.get().contains('\\') => self.text.extend_from_slice(value.get().as_bytes()),
            Some(b'"') => {
                let text = unescape(value.get())?;
                let text = self.without_nul(text);
                self.push_text(&text);
            }
            Some(b'-' | b'0'..=b'9') => self.push_number(value.get()),
            _ => self.text.extend_from_slice(value.get().as_bytes()),
        }
        Ok(())
    }

    fn push_object(&mut self, text: &str, depth: u32) -> Result<(), Problem> {
        let object = Object::parse(text).map_err(|_| Problem::WrongType)?;
        let mut sorted = Vec::new();
        for (name, value) in object.members() {
            let name = std::str::from_utf8(name).map_err(|_| Problem::LoneSurrogate)?;
            sorted.push((self.without_nul(Cow::Borrowed(name)), value));
        }
        // Stable: of a repeated member the last one is the last one still.
        sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.text.push(b'{');
        let mut separator = None;
        for (place, (name, value)) in sorted.iter().enumerate() {
            if sorted.get(place + 1).is_some_and(|(next, _)| next == name) {
                continue;
            }
            self.text.extend(separator.replace(b','));
            self.push_text(name);
            self.text.push(b':');
            self.push(value, depth)?;
        }
        self.text.push(b'}');
        Ok(())
    }

    fn push_list(&mut self, text: &str, depth: u32) -> Result<(), Problem> {
        let values: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| Problem::WrongType)?;
        self.text.push(b'[');
        let mut separator = None;
        for value in values {
            self.text.extend(separator.replace(b','));
            self.push(value, depth)?;
        }
        self.text.push(b']');
        Ok(())
    }

    fn push_text(&mut self, text: &str) {
        // A write into memory does not fail.
        serde_json::to_writer(&mut self.text, text).ok();
    }

    fn push_number(&mut self, spelled: &str) {
        // Most are small whole numbers, of which JSON has one spelling.
        if spelled.len() <= MAX_ZEROS && spelled.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.text.extend_from_slice(spelled.as_bytes());
        }
        let canonical = Decimal::parse(spelled).map(|decimal| decimal.canonical());
        // An exponent beyond 32 bits: nothing but its own spelling says which number it is.
        self.text.extend_from_slice(canonical.as_deref().unwrap_or(spelled).as_bytes());
    }

    fn without_nul<'t>(&mut self, text: Cow<'t, str>) -> Cow<'t, str> {
        if !text.contains('\0') {
            return text;
        }
        self.nul_removed = true;
        Cow::Owned(text.replace('\0', ""))
    }

    fn into_text(self) -> String {
        // Made of texts only.
        String::from_utf8(self.text).unwrap_or_default()
    }
}

impl Member<'_> {
    /// A whole list as canonical JSON of at most [`MAX_LIST_BYTES`].
    pub fn list(self) -> Reading<String> {
        match (self.token(), self.raw()) {
            (Token::List(_), Some(value)) => match Canonical::of(value) {
                Err(problem) => Reading::Unreadable(problem),
                Ok(form) if form.nul_removed => Reading::Mended(form.into_text(), Problem::NulRemoved),
                Ok(form) => Reading::Clean(form.into_text()),
            }
            .and_then(bounded(MAX_LIST_BYTES)),
            (Token::Absent, _) => Reading::Absent,
            _ => Reading::Unreadable(Problem::WrongType),
        }
    }

    /// What the sender calls `notes`: free text in some events, a list in others (C§7 row 3). A list is kept as
    /// canonical JSON, a text as it is.
    pub fn notes(self) -> Reading<String> {
        match self.token() {
            Token::List(_) => self.list(),
            _ => self.text(),
        }
    }

    /// The hexadecimal SHA-256 of the value's canonical form, or of its bytes where it has none (too deep, lone
    /// surrogate); `None` when the member is absent. Tells whether two payloads say the same (C§7 row 26).
    pub fn digest(self) -> Option<String> {
        let value = self.raw()?;
        let hash = match Canonical::of(value) {
            Ok(form) => Sha256::digest(form.text),
            Err(_) => Sha256::digest(value.get()),
        };
        Some(hex::encode(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(value: &str) -> Reading<String> {
        Object::parse(&format!(r#"{{"m":{value}}}"#)).unwrap().member("m").list()
    }

    fn notes(value: &str) -> Reading<String> {
        Object::parse(&format!(r#"{{"m":{value}}}"#)).unwrap().member("m").notes()
    }

    fn digest(value: &str) -> Option<String> {
        Object::parse(&format!(r#"{{"m":{value}}}"#)).unwrap().member("m").digest()
    }

    #[test]
    fn a_list_becomes_compact_json_with_sorted_members() {
        for (value, canonical) in [
            (r#"[ {"value" : "x", "key":"\u0061"} ]"#, r#"[{"key":"a","value":"x"}]"#),
            (r#"[{"b":1,"a":[true,null,{}],"b":2.50}]"#, r#"[{"a":[true,null,{}],"b":2.5}]"#),
            (r#"["\ud83d\ude00\"\n"]"#, r#"["😀\"\n"]"#),
            ("[null]", "[null]"),
            // Either side of the length up to which a whole number is taken as it is.
            ("[0,-0,100,1e19]", "[0,0,100,10000000000000000000]"),
            ("[100000000000000000000,1e20]", "[100000000000000000000,100000000000000000000]"),
            ("[1000000000000000000000,1e21]", "[1e21,1e21]"),
        ] {
            assert_eq!(list(value), Reading::Clean(canonical.to_owned()), "{value}");
        }
        let mended = Reading::Mended(r#"[{"a":"b"}]"#.to_owned(), Problem::NulRemoved);
        assert_eq!(list(r#"[{"a\u0000":"b\u0000"}]"#), mended);
    }

    #[test]
    fn a_list_that_cannot_be_stored_is_unreadable() {
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(list(&deep(64)), Reading::Clean(deep(64)));
        for (value, problem) in [
            (deep(65), Problem::TooDeep),
            (deep(20_000), Problem::TooDeep),
            (r#"["\ud800"]"#.to_owned(), Problem::LoneSurrogate),
            (r#"[{"\ud800":1}]"#.to_owned(), Problem::LoneSurrogate),
            (format!("[\"{}\"]", "x".repeat(MAX_LIST_BYTES)), Problem::TooLong),
            (r#""text""#.to_owned(), Problem::WrongType),
            (r#"{"a":1}"#.to_owned(), Problem::WrongType),
        ] {
            assert_eq!(list(&value), Reading::Unreadable(problem));
        }
        assert_eq!(list("[ ]"), Reading::Absent);
    }

    #[test]
    fn notes_are_a_text_or_a_list() {
        assert_eq!(notes(r#""Cheque 004411""#), Reading::Clean("Cheque 004411".to_owned()));
        assert_eq!(notes(r#"[{"value":1,"key":2}]"#), Reading::Clean(r#"[{"key":2,"value":1}]"#.to_owned()));
        assert_eq!(notes(r#"{"key":1}"#), Reading::Unreadable(Problem::WrongType));
    }

    #[test]
    fn two_spellings_of_one_value_have_one_digest() {
        let plain = digest(r#"{"a":1000,"b":["x"]}"#);
        assert_eq!(plain, digest(r#"{ "b":["\u0078"], "a":1e3 }"#));
        assert_ne!(plain, digest(r#"{"a":1001,"b":["x"]}"#));
        // printf '{"a":1000,"b":["x"]}' | sha256sum
        assert_eq!(plain.unwrap(), "33dbcdd89288037cbb648cb8b0b44a3ad54b5fcd2f414866ff06a4000b26dd75");
    }

    #[test]
    fn what_has_no_canonical_form_is_digested_byte_by_byte() {
        let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
        assert_eq!(digest(&deep).unwrap(), hex::encode(Sha256::digest(&deep)));
        assert_eq!(digest(r#"{"a":"\ud800"}"#).unwrap(), hex::encode(Sha256::digest(r#"{"a":"\ud800"}"#)));
        assert_eq!(digest("{}"), None);
    }
}
