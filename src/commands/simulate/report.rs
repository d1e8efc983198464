//! How the deliveries were answered.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use hdrhistogram::Histogram;
use reqwest::StatusCode;

use crate::wording::{grouped, table};

/// How one delivery was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    Status(StatusCode),
    /// Not at all, and why.
    Missing(&'static str),
}

impl Answer {
    /// Why there was none, in few words, so that they can be counted.
    pub(super) fn without(error: &reqwest::Error) -> Self {
        Self::Missing(match error {
            error if error.is_timeout() => "no answer in time",
            error if error.is_connect() => "no connection",
            _ => "the connection broke",
        })
    }

    fn words(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::Missing(why) => why.to_owned(),
        }
    }
}

/// Answers, counted and timed.
pub(super) struct Tally {
    answers: BTreeMap<Answer, u64>,
    /// In microseconds; only of deliveries that were answered.
    latency: Histogram<u64>,
    /// From the first delivery to the last answer.
    pub(super) took: Duration,
}

impl Tally {
    /// Nothing counted yet.
    ///
    /// # Errors
    /// When the histogram does not have these bounds, which it has.
    pub(super) fn new() -> anyhow::Result<Self> {
        let latency = Histogram::new_with_max(Duration::from_secs(120).as_micros() as u64, 3)?;
        Ok(Self { answers: BTreeMap::new(), latency, took: Duration::ZERO })
    }

    pub(super) fn count(&mut self, answer: Answer, latency: Duration) {
        *self.answers.entry(answer).or_default() += 1;
        if matches!(answer, Answer::Status(_)) {
            self.latency.saturating_record(latency.as_micros() as u64);
        }
    }

    /// Adds another connection's.
    ///
    /// # Errors
    /// When the histograms have other bounds, which they share.
    pub(super) fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        for (answer, count) in &other.answers {
            *self.answers.entry(*answer).or_default() += count;
        }
        Ok(self.latency.add(&other.latency)?)
    }

    /// Whether every answer was 200.
    pub(super) fn is_well(&self) -> bool {
        self.answers.keys().all(|answer| *answer == Answer::Status(StatusCode::OK))
    }

    /// Prints how many answers there were of each kind, how long they took, and the rate.
    pub(super) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut answers = table(["answer", "deliveries"]);
        for (answer, count) in &self.answers {
            answers.add_row([answer.words(), grouped(*count)]);
        }
        let mut latency = table(["time to the answer", ""]);
        for (name, quantile) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
            latency.add_row([name.to_owned(), milliseconds(self.latency.value_at_quantile(quantile))]);
        }
        latency.add_row(["max".to_owned(), milliseconds(self.latency.max())]);
        writeln!(out, "{answers}")?;
        if self.latency.is_empty() {
            return writeln!(out, "Nothing was answered: is jodo-sync, or jodo-ingress, running there?");
        }
        writeln!(out, "{latency}")?;
        let sent: u64 = self.answers.values().sum();
        let seconds = self.took.as_secs_f64();
        let rate = (sent as f64 / seconds.max(f64::EPSILON)).round() as u64;
        writeln!(out, "{} deliveries in {seconds:.1} s: {} a second", grouped(sent), grouped(rate))
    }
}

fn milliseconds(microseconds: u64) -> String {
    format!("{:.1} ms", microseconds as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_and_only_those_that_came_are_timed() {
        let mut tally = Tally::new().unwrap();
        for milliseconds in 1..=100 {
            tally.count(Answer::Status(StatusCode::OK), Duration::from_millis(milliseconds));
        }
        assert!(tally.is_well());
        let mut other = Tally::new().unwrap();
        other.count(Answer::Status(StatusCode::SERVICE_UNAVAILABLE), Duration::from_millis(200));
        other.count(Answer::Missing("no connection"), Duration::from_secs(30));
        tally.add(&other).unwrap();
        assert!(!tally.is_well());
        tally.took = Duration::from_secs(2);
        let mut out = Vec::new();
        tally.print(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for words in
            ["200 OK", "503 Service Unavailable", "no connection", "102 deliveries in 2.0 s: 51 a second"]
        {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
        assert!((200_000..201_000).contains(&tally.latency.max()));
        assert!((50_000..52_000).contains(&tally.latency.value_at_quantile(0.5)));
    }
}
