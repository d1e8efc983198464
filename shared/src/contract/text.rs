//! Texts and natural keys.

use std::borrow::Cow;

use super::object::{Member, Token};
use super::reading::{Problem, Reading};
use crate::ids::MAX_KEY_BYTES;

/// Longest text that we keep of an ordinary member, in bytes. Names, codes and free notes are far shorter; without a
/// bound, one member could fill a column with megabytes that no one can use.
pub const MAX_TEXT_BYTES: usize = 10_000;

impl Member<'_> {
    /// A text of at most [`MAX_TEXT_BYTES`]. A number is taken as it is spelled; U+0000 is removed.
    pub fn text(self) -> Reading<String> {
        let text = match self.token() {
            Token::Absent => return Reading::Absent,
            Token::Text(quoted) => clean(quoted),
            Token::Number(spelled) => Reading::Clean(spelled.to_owned()),
            _ => return Reading::Unreadable(Problem::WrongType),
        };
        text.and_then(bounded(MAX_TEXT_BYTES))
    }

    /// A natural key: a string, or an integer as its decimal text (C§7 row 1), taken exactly as it is. `None` when
    /// the member is absent.
    ///
    /// # Errors
    /// [`Problem::TooLong`] past [`MAX_KEY_BYTES`]; [`Problem::LoneSurrogate`]; [`Problem::WrongType`] for any other
    /// type; [`Problem::HoldsNul`].
    pub fn key(self) -> Result<Option<String>, Problem> {
        let key = match self.token() {
            Token::Absent => return Ok(None),
            Token::Text(quoted) => unescape(quoted)?.into_owned(),
            Token::Number(spelled) if is_integer(spelled) => spelled.to_owned(),
            _ => return Err(Problem::WrongType),
        };
        match key {
            key if key.contains('\0') => Err(Problem::HoldsNul),
            key if key.len() > MAX_KEY_BYTES => Err(Problem::TooLong),
            key => Ok(Some(key)),
        }
    }

    /// A string, of any length; a number is not taken for one. U+0000 is removed.
    pub(super) fn string(self) -> Reading<String> {
        match self.token() {
            Token::Absent => Reading::Absent,
            Token::Text(quoted) => clean(quoted),
            _ => Reading::Unreadable(Problem::WrongType),
        }
    }
}

/// The text of a JSON string.
pub(super) fn unescape(quoted: &str) -> Result<Cow<'_, str>, Problem> {
    // The token is known to be well-formed, so the only thing left to refuse is half of a surrogate pair.
    match quoted.get(1..quoted.len().saturating_sub(1)) {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| Problem::LoneSurrogate),
    }
}

/// The text of a JSON string without its U+0000. Nothing is left of a string of U+0000 only.
fn clean(quoted: &str) -> Reading<String> {
    match unescape(quoted) {
        Err(problem) => Reading::Unreadable(problem),
        Ok(text) if !text.contains('\0') => Reading::Clean(text.into_owned()),
        Ok(text) => match text.replace('\0', "") {
            rest if rest.is_empty() => Reading::Unreadable(Problem::NulRemoved),
            rest => Reading::Mended(rest, Problem::NulRemoved),
        },
    }
}

/// Keeps a text of at most `max` bytes.
pub(super) fn bounded(max: usize) -> impl Fn(String) -> Reading<String> {
    move |text| if text.len() <= max { Reading::Clean(text) } else { Reading::Unreadable(Problem::TooLong) }
}

fn is_integer(number: &str) -> bool {
    number.strip_prefix('-').unwrap_or(number).bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::super::object::Object;
    use super::*;

    fn text(value: &str) -> Reading<String> {
        Object::parse(&format!(r#"{{"m":{value}}}"#)).unwrap().member("m").text()
    }

    fn key(value: &str) -> Result<Option<String>, Problem> {
        Object::parse(&format!(r#"{{"m":{value}}}"#)).unwrap().member("m").key()
    }

    #[test]
    fn a_text_is_a_string_or_a_number_as_it_is_spelled() {
        for (value, read) in [
            (r#""plain""#, "plain"),
            (r#"" spaced ""#, " spaced "),
            (r#""\ud83d\ude00\n\/""#, "😀\n/"),
            ("9000000001", "9000000001"),
            ("-1.50e3", "-1.50e3"),
        ] {
            assert_eq!(text(value), Reading::Clean(read.to_owned()), "{value}");
        }
        for value in ["true", "false", "[1]", r#"{"a":1}"#] {
            assert_eq!(text(value), Reading::Unreadable(Problem::WrongType), "{value}");
        }
        for value in ["null", r#""""#, "[]", "{}"] {
            assert_eq!(text(value), Reading::Absent, "{value}");
        }
    }

    #[test]
    fn nul_is_removed_from_a_text_and_half_a_surrogate_pair_makes_it_unreadable() {
        assert_eq!(text(r#""a\u0000b""#), Reading::Mended("ab".to_owned(), Problem::NulRemoved));
        assert_eq!(text(r#""\u0000""#), Reading::Unreadable(Problem::NulRemoved));
        for value in [r#""\ud800""#, r#""a\udc00b""#, r#""\ud800\ud800""#, r#""\ud800\n""#] {
            assert_eq!(text(value), Reading::Unreadable(Problem::LoneSurrogate), "{value}");
        }
    }

    #[test]
    fn a_text_of_10_000_bytes_is_kept_and_a_longer_one_is_not() {
        let longest = "é".repeat(MAX_TEXT_BYTES / 2);
        assert_eq!(text(&format!("\"{longest}\"")), Reading::Clean(longest.clone()));
        assert_eq!(text(&format!("\"{longest}x\"")), Reading::Unreadable(Problem::TooLong));
        assert_eq!(text(&"1".repeat(MAX_TEXT_BYTES + 1)), Reading::Unreadable(Problem::TooLong));
    }

    #[test]
    fn a_key_is_a_string_or_an_integer_taken_exactly() {
        for (value, read) in
            [(r#""JODO/TEST/003""#, "JODO/TEST/003"), ("7408", "7408"), ("-7", "-7"), (r#""007""#, "007")]
        {
            assert_eq!(key(value), Ok(Some(read.to_owned())), "{value}");
        }
        assert_eq!(key(&"9".repeat(191)), Ok(Some("9".repeat(191))));
        assert_eq!(key("null"), Ok(None));
        assert_eq!(key(r#""""#), Ok(None));
    }

    #[test]
    fn a_key_with_nul_a_broken_character_another_type_or_192_bytes_is_refused() {
        for (value, problem) in [
            (r#""a\u0000b""#, Problem::HoldsNul),
            (r#""a\udc00""#, Problem::LoneSurrogate),
            ("1.0", Problem::WrongType),
            ("1e3", Problem::WrongType),
            ("true", Problem::WrongType),
            (r#"["a"]"#, Problem::WrongType),
            (&format!("\"{}\"", "x".repeat(192)), Problem::TooLong),
            (&"9".repeat(400), Problem::TooLong),
        ] {
            assert_eq!(key(value), Err(problem), "{value}");
        }
    }
}
