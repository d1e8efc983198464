//! How the sender spells things: members in its own order, and what is not said in several ways.

use fastrand::Rng;
use serde_json::Value;

/// True once in `n` times.
pub(crate) fn one_in(rng: &mut Rng, n: u32) -> bool {
    rng.u32(..n) == 0
}

/// One of several.
pub(crate) fn pick<T: Copy, const N: usize>(rng: &mut Rng, from: [T; N]) -> T {
    from[rng.usize(..N)]
}

/// A text in JSON.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A JSON list of what is JSON already.
pub(crate) fn list(elements: &[String]) -> String {
    format!("[{}]", elements.join(","))
}

/// A JSON object whose members stand in the order in which they were added.
#[derive(Default)]
pub(crate) struct Members(String);

impl Members {
    /// Adds a member whose value is JSON already.
    pub(crate) fn put(&mut self, name: &str, json: &str) -> &mut Self {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&quoted(name));
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    /// Adds a member whose value is a text.
    pub(crate) fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.put(name, &quoted(text))
    }

    /// Says nothing about a member, in one of the ways the sender has for it (C§7 row 12).
    pub(crate) fn silent(&mut self, rng: &mut Rng, name: &str) {
        match rng.u8(..4) {
            0 => (),
            1 => _ = self.put(name, "\"\""),
            _ => _ = self.put(name, "null"),
        }
    }

    /// The object.
    pub(crate) fn done(&mut self) -> String {
        let body = std::mem::take(&mut self.0);
        if body.is_empty() { "{}".to_owned() } else { body + "}" }
    }
}

/// An amount as a JSON number, with as many places as somebody felt like.
pub(crate) fn number(rng: &mut Rng, paise: u64) -> String {
    let whole = (paise / 100).to_string();
    let exact = format!("{whole}.{:02}", paise % 100);
    match paise % 100 {
        0 => pick(rng, [&whole, &format!("{whole}.0"), &exact]).clone(),
        tenths if tenths % 10 == 0 => format!("{whole}.{}", tenths / 10),
        _ => exact,
    }
}

/// An amount as a JSON number or text (C§7 row 2).
pub(crate) fn amount(rng: &mut Rng, paise: u64, mostly_text: bool) -> String {
    let spelled = number(rng, paise);
    if mostly_text != one_in(rng, 5) { format!("\"{spelled}\"") } else { spelled }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_spelled_in_several_ways_that_are_all_exact() {
        let mut rng = Rng::with_seed(1);
        for (paise, spellings) in
            [(100_000, vec!["1000", "1000.0", "1000.00"]), (350, vec!["3.5"]), (7, vec!["0.07"])]
        {
            for _ in 0..20 {
                let spelled = number(&mut rng, paise);
                assert!(spellings.contains(&spelled.as_str()), "{spelled}");
            }
        }
    }

    #[test]
    fn members_stand_in_the_order_in_which_they_were_added() {
        let mut members = Members::default();
        assert_eq!(members.text("b", "\"x\"").put("a", "1").done(), r#"{"b":"\"x\"","a":1}"#);
        assert_eq!(members.done(), "{}");
    }
}
