//! An invented school on the way through the pipeline: what Jodo would send, how it is sent, what the views show, and
//! what they should show. `jodo-school` makes the events and judges.

mod send;
mod views;

pub use send::{Answers, send, send_each, shuffled_with_repeats};
pub use views::{Shown, expected, shown};

use hmac::{Hmac, KeyInit as _, Mac as _};
use jodo_school::{Run, Scenario};
use serde_json::Value;
use sha2::Sha256;

/// One delivery: what it says, as bytes.
#[derive(Debug, Clone)]
pub struct Sent {
    /// What is sent.
    pub bytes: String,
}

impl From<Value> for Sent {
    fn from(body: Value) -> Self {
        Self { bytes: body.to_string() }
    }
}

impl AsRef<str> for Sent {
    fn as_ref(&self) -> &str {
        &self.bytes
    }
}

/// The first `count` deliveries of a school year, in order of occurrence. The same seed gives the same bytes.
pub fn history(seed: u64, count: usize) -> Vec<Sent> {
    // A pupil has about twenty events in a year.
    let students = (count as u64).div_ceil(10);
    let run = Run { seed, students, scenario: Scenario::SchoolYear };
    let history: Vec<_> = run.bodies().take(count).map(|bytes| Sent { bytes }).collect();
    assert_eq!(history.len(), count, "the year is long enough");
    history
}

impl Sent {
    /// The value of `X-Jodo-Signature` (contract section 5).
    ///
    /// # Panics
    ///
    /// Never: HMAC takes keys of any length.
    pub fn signature(&self, secret: &str) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
        mac.update(self.bytes.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}
