//! Numbers, exactly: from the token's text, never through floating point.

use super::object::{Member, Token};
use super::reading::{Problem, Reading};
use super::text::unescape;

/// How many zeros a canonical number is filled up with before an exponent is written instead.
pub(super) const MAX_ZEROS: usize = 20;

/// A decimal number: `digits` × 10^`exponent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    /// Below zero; never for zero.
    pub(super) negative: bool,
    /// Without zeros at either end; empty for zero.
    pub(super) digits: String,
    /// 0 for zero.
    pub(super) exponent: i64,
}

impl Decimal {
    /// Reads a JSON number, or a text that is one but for surrounding blanks, a `+`, leading zeros, or a missing
    /// digit on one side of the point.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = format!("{whole}{fraction}");
        if all_digits.is_empty() || !all_digits.bytes().all(|b| b.is_ascii_digit()) || !is_exponent(exponent)
        {
            return None;
        }
        let digits = all_digits.trim_start_matches('0').trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self { negative: false, digits: String::new(), exponent: 0 });
        }
        let trailing_zeros = all_digits.len() - all_digits.trim_end_matches('0').len();
        let shift = i64::try_from(trailing_zeros).ok()? - i64::try_from(fraction.len()).ok()?;
        let exponent = i64::from(exponent.parse::<i32>().ok()?) + shift;
        Some(Self { negative: text.starts_with('-'), digits: digits.to_owned(), exponent })
    }

    /// The number times 10^`places`, if that is a whole number of at most `max_digits` (at most 18) digits.
    pub(super) fn scaled(&self, places: i64, max_digits: i64) -> Option<i64> {
        let zeros = self.exponent + places;
        let length = i64::try_from(self.digits.len()).ok()? + zeros;
        if self.digits.is_empty() {
            return Some(0);
        }
        if zeros < 0 || length > max_digits.min(18) {
            return None;
        }
        let size = self.digits.parse::<i64>().ok()? * 10_i64.pow(u32::try_from(zeros).ok()?);
        Some(if self.negative { -size } else { size })
    }

    /// One text per value: `1000`, `1000.0` and `1e3` are all `1000`.
    pub(super) fn canonical(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let zeros = usize::try_from(self.exponent.unsigned_abs()).unwrap_or(usize::MAX);
        let digits = &self.digits;
        match digits.len() {
            0 => "0".to_owned(),
            _ if self.exponent >= 0 && zeros <= MAX_ZEROS => format!("{sign}{digits}{}", "0".repeat(zeros)),
            length if self.exponent < 0 && zeros < length => {
                let (whole, fraction) = digits.split_at(length - zeros);
                format!("{sign}{whole}.{fraction}")
            }
            length if self.exponent < 0 && zeros - length <= MAX_ZEROS => {
                format!("{sign}0.{}{digits}", "0".repeat(zeros - length))
            }
            _ => format!("{sign}{digits}e{}", self.exponent),
        }
    }
}

fn is_exponent(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

fn whole(text: &str) -> Reading<i64> {
    match Decimal::parse(text) {
        Some(decimal) if decimal.exponent >= 0 => decimal.scaled(0, 18).ok_or(Problem::OutOfRange).into(),
        _ => Reading::Unreadable(Problem::WrongType),
    }
}

impl Member<'_> {
    /// A whole number of at most 18 digits, as a number or as numeric text; `2026.0` is one.
    pub fn integer(self) -> Reading<i64> {
        match self.token() {
            Token::Number(spelled) => whole(spelled),
            _ => self.string().and_then(|text| whole(&text)),
        }
    }

    /// The exact number that a number token or a numeric text stands for.
    pub(super) fn decimal(self) -> Result<Option<Decimal>, Problem> {
        let decimal = match self.token() {
            Token::Absent => return Ok(None),
            Token::Number(spelled) => Decimal::parse(spelled),
            Token::Text(quoted) => Decimal::parse(&unescape(quoted)?),
            _ => None,
        };
        decimal.map(Some).ok_or(Problem::WrongType)
    }
}

#[cfg(test)]
mod tests {
    use super::super::object::Object;
    use super::*;

    fn integer(value: &str) -> Reading<i64> {
        Object::parse(&format!(r#"{{"m":{value}}}"#)).unwrap().member("m").integer()
    }

    #[test]
    fn an_integer_is_read_from_a_number_or_a_numeric_text() {
        for (value, read) in [
            ("2026", 2026),
            (r#""2026""#, 2026),
            ("2026.0", 2026),
            ("2.026e3", 2026),
            ("-5", -5),
            ("-0", 0),
            (r#"" 007 ""#, 7),
            ("999999999999999999", 999_999_999_999_999_999),
        ] {
            assert_eq!(integer(value), Reading::Clean(read), "{value}");
        }
        assert_eq!(integer(r#""20\u000026""#), Reading::Mended(2026, Problem::NulRemoved));
    }

    #[test]
    fn what_is_no_whole_number_is_unreadable() {
        for value in
            ["2026.5", r#""2026-27""#, r#""0x10""#, r#""NaN""#, r#""१""#, "true", "[1]", r#""\ud800""#]
        {
            assert!(matches!(integer(value), Reading::Unreadable(_)), "{value}");
        }
        for value in ["1e18", &"9".repeat(400)] {
            assert_eq!(integer(value), Reading::Unreadable(Problem::OutOfRange), "{value}");
        }
        assert_eq!(integer("null"), Reading::Absent);
    }

    #[test]
    fn one_value_has_one_canonical_spelling() {
        let small = format!("0.{}5", "0".repeat(25));
        for (spelled, canonical) in [
            ("1000", "1000"),
            ("1000.0", "1000"),
            ("1e3", "1000"),
            ("+01000.", "1000"),
            ("18250.50", "18250.5"),
            (".5", "0.5"),
            ("-0.0", "0"),
            ("0e99999999999999999999", "0"),
            ("-12.34e-3", "-0.01234"),
            ("1e21", "1e21"),
            (small.as_str(), "5e-26"),
        ] {
            assert_eq!(Decimal::parse(spelled).unwrap().canonical(), canonical, "{spelled}");
        }
        for odd in ["", ".", "-", "e3", "1e", "1e+", "--1", "1_000", "1,000", "1 000", "₹5", "1e99999999999"]
        {
            assert_eq!(Decimal::parse(odd), None, "{odd}");
        }
    }
}
