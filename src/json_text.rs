//! Lays out JSON text for people without changing a single token: numbers keep their digits, members their order,
//! and repeated members are all there.

use crate::wording::is_tricky;

/// Deeper lines are not indented further: 20,000 levels would otherwise make 400 MB of blanks.
const DEEPEST_INDENT: usize = 20;

/// The body of a delivery for people: one member a line where it is JSON, else as it is. Characters that would steer
/// the terminal, and bytes that are no UTF-8, are shown as escapes.
pub(crate) fn lay_out(body: &[u8]) -> String {
    match std::str::from_utf8(body) {
        Ok(text) if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => indent(text),
        Ok(text) => text.chars().map(shown).collect(),
        Err(_) => body.escape_ascii().to_string(),
    }
}

fn shown(c: char) -> String {
    if is_tricky(c) && c != '\n' { c.escape_unicode().collect() } else { c.into() }
}

/// `json` is known to be valid, so that outside of strings only blanks, brackets, commas and colons matter.
fn indent(json: &str) -> String {
    let mut text = String::new();
    let (mut depth, mut in_string, mut escaped, mut opened) = (0_usize, false, false, false);
    for c in json.chars() {
        if in_string {
            text.push_str(&shown(c));
            in_string = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
            continue;
        }
        if c.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(c, ']' | '}');
        if closes {
            depth = depth.saturating_sub(1);
        }
        // An empty list or object stays on its line.
        if opened != closes {
            new_line(&mut text, depth);
        }
        opened = matches!(c, '[' | '{');
        if opened {
            depth += 1;
        }
        in_string = c == '"';
        text.push(c);
        match c {
            ':' => text.push(' '),
            ',' => new_line(&mut text, depth),
            _ => (),
        }
    }
    text
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth.min(DEEPEST_INDENT)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stay_as_they_are_and_each_member_has_a_line() {
        let body = br#"{"b":1e400,"a":[],"a":{"q":"\"{,\\"}, "n" :[1.000,null]}"#;
        let lines = [
            "{",
            "  \"b\": 1e400,",
            "  \"a\": [],",
            "  \"a\": {",
            "    \"q\": \"\\\"{,\\\\\"",
            "  },",
            "  \"n\": [",
            "    1.000,",
            "    null",
            "  ]",
            "}",
        ];
        assert_eq!(lay_out(body), lines.join("\n"));
    }

    #[test]
    fn what_is_no_json_or_no_utf8_is_shown_all_the_same() {
        assert_eq!(lay_out(b""), "");
        assert_eq!(lay_out("{\"a\": \u{9b}2J".as_bytes()), "{\"a\": \\u{9b}2J");
        assert_eq!(lay_out(b"\xff{\x1b"), "\\xff{\\x1b");
        assert_eq!(lay_out("\"\u{9b}\"".as_bytes()), "\"\\u{9b}\"");
    }

    #[test]
    fn deep_nesting_makes_no_mountain_of_blanks() {
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        assert!(lay_out(deep.as_bytes()).len() < 4_000_000);
    }
}
