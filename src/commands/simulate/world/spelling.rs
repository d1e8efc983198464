//! How the sender spells things: members in its own order, and what is not said in several ways.

use fastrand::Rng;
use serde_json::Value;

/// True once in `n` times.
pub(super) fn one_in(rng: &mut Rng, n: u32) -> bool {
    rng.u32(..n) == 0
}

/// One of several.
pub(super) fn pick<T: Copy, const N: usize>(rng: &mut Rng, from: [T; N]) -> T {
    from[rng.usize(..N)]
}

/// A text in JSON.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A JSON object whose members stand in the order in which they were added.
#[derive(Default)]
pub(super) struct Members(String);

impl Members {
    /// Adds a member whose value is JSON already.
    pub(super) fn put(&mut self, name: &str, json: &str) -> &mut Self {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&quoted(name));
        self.0.push(':');
        self.0.push_str(json);
        self
    }

    /// Says nothing about a member, in one of the ways the sender has for it (C§7 row 12).
    pub(super) fn silent(&mut self, rng: &mut Rng, name: &str) {
        match rng.u8(..4) {
            0 => (),
            1 => _ = self.put(name, "\"\""),
            _ => _ = self.put(name, "null"),
        }
    }

    /// The object.
    pub(super) fn done(&mut self) -> String {
        let body = std::mem::take(&mut self.0);
        if body.is_empty() { "{}".to_owned() } else { body + "}" }
    }
}

/// An amount with two places, as the books write it.
pub(super) fn rupees(paise: u64) -> String {
    format!("{}.{:02}", paise / 100, paise % 100)
}

/// An amount as a JSON number or text, with as many places as somebody felt like (C§7 row 2).
pub(super) fn amount(rng: &mut Rng, paise: u64, mostly_text: bool) -> String {
    let (whole, exact) = ((paise / 100).to_string(), rupees(paise));
    let spelled = match paise % 100 {
        0 => pick(rng, [&whole, &format!("{whole}.0"), &exact]).clone(),
        tenths if tenths % 10 == 0 => format!("{whole}.{}", tenths / 10),
        _ => exact,
    };
    if mostly_text != one_in(rng, 5) { format!("\"{spelled}\"") } else { spelled }
}
