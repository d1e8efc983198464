//! Names that no other test has.

use std::hash::{BuildHasher as _, RandomState};

/// The longest name that [`unique_name`] makes, in bytes: what a target's name may have.
const MAX_LENGTH: usize = 40;

/// A name that starts with `prefix` and that no other test has, for targets, Redis prefixes and databases.
///
/// It matches `[a-z0-9]+(_[a-z0-9]+)*` and has at most 40 bytes; `prefix` is bent and cut to fit.
pub fn unique_name(prefix: &str) -> String {
    let random = in_base_36(random());
    let mut name = String::new();
    for c in prefix.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    name.truncate(MAX_LENGTH - random.len() - 1);
    let start = name.trim_end_matches('_');
    if start.is_empty() { random } else { format!("{start}_{random}") }
}

/// 64 random bits. The hasher's keys come from the operating system once per thread and differ for each instance.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(())
}

fn in_base_36(mut number: u64) -> String {
    let mut digits = String::new();
    for _ in 0..12 {
        let digit = u8::try_from(number % 36).unwrap_or_default();
        digits.push(char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }));
        number /= 36;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::unique_name;

    #[test]
    fn names_fit_whatever_the_prefix() {
        for prefix in [
            "",
            "t",
            "A Test::of (many) things",
            "___",
            "é",
            &"long_".repeat(20),
            "27bytes_27bytes_27bytes_27b_",
        ] {
            let name = unique_name(prefix);
            assert!(name.len() <= 40, "{name}");
            for part in name.split('_') {
                assert!(!part.is_empty(), "{name}");
                assert!(part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "{name}");
            }
        }
    }

    #[test]
    fn names_differ() {
        let names: std::collections::HashSet<_> = (0..10_000).map(|_| unique_name("same")).collect();
        assert_eq!(names.len(), 10_000);
    }
}
