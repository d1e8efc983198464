//! How near the sender is to switching a subscription off.
//!
//! It counts answers that are not 2xx, one after the other, for each kind of event (C§4). We count the same from our
//! side: from below, since answers that never reached it are not seen here, and only for requests that are surely the
//! sender's, so that strangers can raise no alarm.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jodo_shared::config::Environment;
use jodo_shared::ids::SourceName;
use jodo_shared::metrics as names;
use metrics::gauge;
use tracing::{info, warn};

/// The label of what failed before its code was known.
const UNKNOWN: &str = "other";

/// At how many failed answers in a row it is worth a warning: early, urgent, and hardly any left. The sender's test
/// environment is less patient.
pub const fn warnings(environment: Environment) -> [u32; 3] {
    match environment {
        Environment::Uat => [3, 5, 8],
        Environment::Production | Environment::Test => [10, 25, 50],
    }
}

/// The failed answers of one source, by the label of the event code.
#[derive(Debug)]
pub struct Strikes {
    source: SourceName,
    warnings: [u32; 3],
    in_a_row: Mutex<BTreeMap<&'static str, u32>>,
}

/// What is worth a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// So many in a row now.
    Warning(u32),
    /// The row ended; it had been warned of.
    Over(u32),
}

impl Strikes {
    /// None yet.
    pub fn new(source: SourceName, environment: Environment) -> Self {
        Self { source, warnings: warnings(environment), in_a_row: Mutex::default() }
    }

    /// The sender was answered something else than 2xx. `code` is one of the bounded labels.
    pub fn failed(&self, code: &'static str) {
        self.say(code, self.count(code));
    }

    /// The sender was answered 2xx.
    pub fn accepted(&self, code: &'static str) {
        for code in [code, UNKNOWN] {
            self.say(code, self.reset(code));
        }
    }

    fn count(&self, code: &'static str) -> Option<Word> {
        let mut in_a_row = self.in_a_row.lock().unwrap_or_else(PoisonError::into_inner);
        let count = in_a_row.entry(code).or_default();
        *count = count.saturating_add(1);
        self.show(code, *count);
        self.warnings.contains(count).then_some(Word::Warning(*count))
    }

    /// What failed with its code unknown may have been of any code: a success of any ends that row.
    fn reset(&self, code: &'static str) -> Option<Word> {
        let mut in_a_row = self.in_a_row.lock().unwrap_or_else(PoisonError::into_inner);
        let count = in_a_row.remove(code)?;
        self.show(code, 0);
        (count >= self.warnings[0]).then_some(Word::Over(count))
    }

    /// Under the lock, so that the gauge never keeps an older number.
    fn show(&self, code: &'static str, count: u32) {
        gauge!(names::STRIKES, "source" => self.source.to_string(), "code" => code).set(f64::from(count));
    }

    fn say(&self, code: &'static str, word: Option<Word>) {
        let source = self.source.as_str();
        match word {
            Some(Word::Warning(strikes)) => warn!(
                source,
                event.code = code,
                strikes,
                "the sender's deliveries fail one after the other; it will switch the subscription off"
            ),
            Some(Word::Over(strikes)) => info!(
                source,
                event.code = code,
                strikes,
                "a delivery was accepted again after a row of failures"
            ),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAID: &str = "direct.payment.added";

    fn strikes(environment: Environment) -> Strikes {
        Strikes::new("jodo".parse().unwrap(), environment)
    }

    fn words(strikes: &Strikes, code: &'static str, failures: usize) -> Vec<Word> {
        (0..failures).filter_map(|_| strikes.count(code)).collect()
    }

    #[test]
    fn each_threshold_is_said_once() {
        let production = words(&strikes(Environment::Production), PAID, 100);
        assert_eq!(production, [10, 25, 50].map(Word::Warning));
        let uat = words(&strikes(Environment::Uat), PAID, 100);
        assert_eq!(uat, [3, 5, 8].map(Word::Warning));
    }

    #[test]
    fn a_success_ends_the_row_of_its_own_code_and_says_so_after_a_warning() {
        let strikes = strikes(Environment::Production);
        words(&strikes, PAID, 12);
        words(&strikes, "flex.mandate.expired", 9);
        assert_eq!(strikes.reset("flex.mandate.expired"), None, "nobody was warned of it");
        assert_eq!(strikes.reset(PAID), Some(Word::Over(12)));
        assert_eq!(strikes.reset(PAID), None);
        assert_eq!(words(&strikes, PAID, 10), [Word::Warning(10)], "it begins anew");
    }

    #[test]
    fn what_failed_before_its_code_was_known_ends_with_any_success() {
        let strikes = strikes(Environment::Uat);
        words(&strikes, UNKNOWN, 2);
        words(&strikes, PAID, 2);
        strikes.accepted("flex.mandate.expired");
        assert_eq!(words(&strikes, UNKNOWN, 1), [], "one in a row");
        assert_eq!(words(&strikes, PAID, 1), [Word::Warning(3)], "that of another code goes on");
    }
}
