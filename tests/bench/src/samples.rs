//! Several measurements of one thing.

use hdrhistogram::Histogram;

/// What was measured, once per round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(Vec<f64>);

/// A spread above this is said beside the figure.
const NOTABLE_SPREAD: f64 = 0.15;

impl Samples {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The middle one; 0 of none.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => 0.0,
            odd if odd % 2 == 1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        }
    }

    /// The greatest one; 0 of none.
    pub(crate) fn most(&self) -> f64 {
        self.0.iter().copied().fold(0.0, f64::max)
    }

    /// From the least to the most, as a share of the median.
    fn spread(&self) -> f64 {
        let (least, most) = self.0.iter().fold((f64::MAX, f64::MIN), |(l, m), v| (l.min(*v), m.max(*v)));
        if self.0.len() < 2 { 0.0 } else { (most - least) / self.median() }
    }

    /// The median, and the spread where it is notable.
    pub(crate) fn shown(&self, unit: &str) -> String {
        let spread = self.spread();
        let note = if spread > NOTABLE_SPREAD {
            format!(" (spread {:.0} %)", spread * 100.0)
        } else {
            String::new()
        };
        format!("{}{unit}{note}", grouped(self.median()))
    }
}

/// A figure as people read it: thousands apart, small ones with their decimals.
pub(crate) fn grouped(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How microseconds are spread.
pub(crate) fn shown(microseconds: &Histogram<u64>) -> String {
    let ms = |quantile| grouped(microseconds.value_at_quantile(quantile) as f64 / 1000.0);
    format!("p50 {} ms, p99 {} ms, most {} ms", ms(0.5), ms(0.99), ms(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Samples {
        Samples(values.to_vec())
    }

    #[test]
    fn the_median_is_the_middle_and_a_wide_spread_is_said() {
        assert_eq!(of(&[]).median(), 0.0);
        assert_eq!(of(&[3.0, 1.0, 2.0]).median(), 2.0);
        assert_eq!(of(&[4.0, 1.0, 2.0, 3.0]).median(), 2.5);
        assert_eq!(of(&[1000.0, 1100.0, 1050.0]).shown("/s"), "1,050/s");
        assert_eq!(of(&[1000.0, 1500.0, 1250.0]).shown("/s"), "1,250/s (spread 40 %)");
    }

    #[test]
    fn figures_are_grouped() {
        let shown = [0.123, 12.34, 123.4, 1234.0, 1_234_567.0].map(grouped);
        assert_eq!(shown, ["0.12", "12.3", "123", "1,234", "1,234,567"]);
    }
}
