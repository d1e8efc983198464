//! Step 6: acknowledge repeats of settled events without working on them again.

use std::collections::HashSet;

use jodo_shared::ids::DeliveryKey;
use jodo_shared::message::Message;
use jodo_shared::metrics as names;

use crate::target::Target;

/// Which of these messages are repeats of settled events. **Redis names suspects, SQL convicts**: without Redis, or
/// with a wrong Redis, repeats are found at the commit instead, at more cost.
///
/// A held delivery is never looked up: it is no event yet.
pub async fn look_up_repeats(target: &Target, messages: &[Message]) -> HashSet<DeliveryKey> {
    let keys: Vec<_> =
        messages.iter().filter(|message| message.verified).map(|message| message.key).collect();
    let suspects = target.seen.suspects(&keys).await.unwrap_or_else(|error| {
        metrics::counter!(names::REDIS_ERRORS, "operation" => "look_up").increment(1);
        tracing::debug!(%error, "going on without the ids seen");
        HashSet::new()
    });
    if suspects.is_empty() {
        return suspects;
    }
    let suspects: Vec<_> = suspects.into_iter().collect();
    let convicted = target.store.settled(&suspects).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "could not look up suspected repeats; the commit will find them");
        HashSet::new()
    });
    metrics::counter!(names::REPEATS_SKIPPED, "target" => target.name.to_string(), "stage" => "look_up")
        .increment(convicted.len() as u64);
    convicted
}
