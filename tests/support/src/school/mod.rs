//! An invented school: what happens in it, what Jodo would send of that, and what the ERP database should show at the
//! end. It shares no code with the worker, whose judge it is.

mod history;
mod model;
mod send;
mod views;

pub use history::history;
pub use model::{Row, World, replay};
pub use send::{Answers, send, send_each, shuffled_with_repeats};
pub use views::{world_in, world_of};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

/// One delivery: what it says, parsed and as bytes.
#[derive(Debug, Clone)]
pub struct Sent {
    /// What it says.
    pub body: Value,
    /// What is sent.
    pub bytes: String,
}

impl From<Value> for Sent {
    fn from(body: Value) -> Self {
        Self { bytes: body.to_string(), body }
    }
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
