//! Messages of a spool that the broker refuses for good: they must not hold up the others.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jodo_shared::broker::PublishError;
use jodo_shared::ids::DeliveryKey;
use jodo_shared::message::Message;
use jodo_shared::metrics::RELAYED;
use tracing::error;

/// Refusals of a message alone, with confirms of others in between, after which it is set aside. Too low: a broker that
/// flaps sets innocent messages aside. Too high: each try may cost everybody the channel.
const MOST_REFUSALS: u32 = 10;

/// What was refused, and how often.
pub(super) struct Refused {
    folder: PathBuf,
    counts: HashMap<DeliveryKey, Count>,
    /// The last one that the broker was asked with, in vain.
    asked_with: Option<DeliveryKey>,
}

#[derive(Default)]
struct Count {
    refusals: u32,
    /// Confirms that there had been at the last refusal that counted.
    confirms: u64,
}

impl Refused {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, counts: HashMap::new(), asked_with: None }
    }

    /// Whether it was refused before, so that it must be published alone.
    pub(super) fn suspects(&self, key: &DeliveryKey) -> bool {
        self.counts.contains_key(key)
    }

    pub(super) fn was_asked_with(&self, key: &DeliveryKey) -> bool {
        self.asked_with == Some(*key)
    }

    pub(super) fn asked_with(&mut self, key: DeliveryKey) {
        self.asked_with = Some(key);
    }

    pub(super) fn forget(&mut self, key: &DeliveryKey) {
        self.counts.remove(key);
    }

    /// Counts a refusal if the broker has confirmed anything since the last one; true when there are too many.
    pub(super) fn again(&mut self, key: DeliveryKey, confirms: u64) -> bool {
        let count = self.counts.entry(key).or_default();
        if count.refusals == 0 || confirms > count.confirms {
            count.refusals += 1;
            count.confirms = confirms;
        }
        count.refusals >= MOST_REFUSALS
    }

    /// Writes the body into a file for a person; false when the disk does not take it.
    pub(super) async fn set_aside(&mut self, message: &Message, why: PublishError) -> bool {
        let proof = if message.verified { "" } else { "unverified-" };
        let file = self.folder.join(format!("{proof}{}-{}.json", message.source, message.key));
        let (folder, path, body) = (self.folder.clone(), file.clone(), message.body.clone());
        let written = tokio::task::spawn_blocking(move || write(&folder, &path, &body)).await;
        match written.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(()) => {
                self.forget(&message.key);
                metrics::counter!(RELAYED, "result" => "set_aside").increment(1);
                error!(
                    delivery.key = %message.key,
                    %why,
                    file = %file.display(),
                    "the broker refuses a delivery again and again: it was set aside as a file; find out why, then \
                     bring it in with `jodo-sync import`"
                );
                true
            }
            Err(error) => {
                error!(delivery.key = %message.key, %error, "a refused delivery cannot be set aside");
                false
            }
        }
    }
}

/// Returns when the file is on disk.
fn write(folder: &Path, path: &Path, body: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = fs::File::create(path)?;
    file.write_all(body)?;
    file.sync_all()?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_with_confirms_in_between_count() {
        let mut refused = Refused::new(PathBuf::new());
        let key = DeliveryKey::of(&"jodo".parse().unwrap(), b"x");
        for _ in 0..100 {
            assert!(!refused.again(key, 7), "nothing was confirmed in between");
        }
        let hopeless = (8..).position(|confirms| refused.again(key, confirms)).unwrap();
        assert_eq!(hopeless + 2, MOST_REFUSALS as usize);
        refused.forget(&key);
        assert!(!refused.suspects(&key));
    }
}
