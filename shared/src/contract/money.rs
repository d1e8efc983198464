//! Amounts of money.

use std::fmt;

use super::object::Member;

/// Digits of an amount before the point, at most; with the two after it, what `numeric(17,2)` holds.
const MAX_RUPEE_DIGITS: i64 = 15;

/// An amount of rupees, exact to the paisa. Its [`Display`](fmt::Display) is the canonical text: exactly two places,
/// no leading zeros, no `-0.00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

impl Money {
    /// No rupees.
    pub const ZERO: Self = Self(0);

    /// The sum; `None` when it has more digits than an amount may have.
    pub fn plus(self, other: Self) -> Option<Self> {
        let sum = self.0.checked_add(other.0)?;
        (sum.unsigned_abs() < 10_u64.pow(MAX_RUPEE_DIGITS as u32 + 2)).then_some(Self(sum))
    }

    /// The amount in paise, hundredths of a rupee.
    pub const fn paise(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", size / 100, size % 100)
    }
}

/// An amount that cannot be read exactly. Says the rule, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a decimal with at most two places and 15 digits before the point")]
pub struct UnreadableAmount;

impl Member<'_> {
    /// An amount in rupees, as a number or as numeric text (C§1, C§7 row 2); `None` when the member is absent.
    ///
    /// # Errors
    /// When it is anything else, has a third place other than zero, or more than 15 digits before the point.
    pub fn money(self) -> Result<Option<Money>, UnreadableAmount> {
        let Some(decimal) = self.decimal().map_err(|_| UnreadableAmount)? else { return Ok(None) };
        let paise = decimal.scaled(2, MAX_RUPEE_DIGITS + 2).ok_or(UnreadableAmount)?;
        Ok(Some(Money(paise)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::object::Object;
    use super::*;

    fn money(value: &str) -> Result<Option<String>, UnreadableAmount> {
        let text = format!(r#"{{"m":{value}}}"#);
        let read = Object::parse(&text).unwrap().member("m").money()?;
        Ok(read.map(|money| money.to_string()))
    }

    #[test]
    fn every_spelling_of_an_amount_becomes_its_canonical_text() {
        for (value, canonical) in [
            ("1000", "1000.00"),
            (r#""1000.0""#, "1000.00"),
            ("1000.000", "1000.00"),
            ("1e3", "1000.00"),
            ("1E+3", "1000.00"),
            ("100000e-2", "1000.00"),
            (r#""0001000""#, "1000.00"),
            (r#"" +1000. ""#, "1000.00"),
            ("18250.5", "18250.50"),
            ("0.07", "0.07"),
            ("0.1", "0.10"),
            (r#"".5""#, "0.50"),
            ("0", "0.00"),
            ("-0", "0.00"),
            ("-0.000", "0.00"),
            ("-0.01", "-0.01"),
            ("-3250.50", "-3250.50"),
            ("999999999999999.99", "999999999999999.99"),
            ("900719925474099.37", "900719925474099.37"),
        ] {
            assert_eq!(money(value), Ok(Some(canonical.to_owned())), "{value}");
        }
    }

    #[test]
    fn a_long_row_of_zeros_does_not_make_an_amount_unreadable() {
        assert_eq!(money(&format!("12.50{}", "0".repeat(400))), Ok(Some("12.50".to_owned())));
        assert_eq!(money(&format!("\"{}12.5\"", "0".repeat(400))), Ok(Some("12.50".to_owned())));
    }

    #[test]
    fn what_cannot_be_kept_exactly_is_unreadable() {
        for value in [
            "0.001",
            "10.005",
            "1e-3",
            "1000000000000000",
            "1e15",
            "1e400",
            "1e99999999999",
            r#""1,000""#,
            r#""Rs 5""#,
            r#"" ""#,
            r#""NaN""#,
            r#""1\u0000""#,
            r#""\ud800""#,
            "true",
            "[1]",
            r#"{"a":1}"#,
        ] {
            assert_eq!(money(value), Err(UnreadableAmount), "{value}");
        }
        for value in ["null", r#""""#, "[]", "{}"] {
            assert_eq!(money(value), Ok(None), "{value}");
        }
    }

    #[test]
    fn sums_are_exact_and_bounded_as_amounts_are() {
        let (tenth, fifth) = (Money(10), Money(20));
        assert_eq!(tenth.plus(fifth), Some(Money(30)));
        assert_eq!(Money::ZERO.plus(Money(-1)), Some(Money(-1)));
        let most = Money(99_999_999_999_999_999);
        assert_eq!(most.plus(Money(1)), None);
        assert_eq!(most.plus(Money::ZERO), Some(most));
    }

    #[test]
    fn paise_and_text_say_the_same() {
        let text = r#"{"m":"-15000.05"}"#;
        let read = Object::parse(text).unwrap().member("m").money().unwrap().unwrap();
        assert_eq!((read.paise(), read.to_string()), (-1_500_005, "-15000.05".to_owned()));
    }
}
