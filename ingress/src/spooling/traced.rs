//! The span `relay`: a delivery's way from the spool to the broker.

use std::sync::Arc;

use async_trait::async_trait;
use jodo_shared::broker::{PublishError, Publisher};
use jodo_shared::clock::precise;
use jodo_shared::message::Message;
use jodo_shared::traces::{KeyValue, Span, SpanKind, Traces};

/// The broker, as the relay sees it: what it confirms is told of. What it refuses is not, because the relay tries again
/// for as long as it takes.
pub(super) struct Traced {
    pub(super) broker: Arc<dyn Publisher>,
    pub(super) traces: Traces,
}

#[async_trait]
impl Publisher for Traced {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        let from = precise();
        self.broker.publish(message).await?;
        if let Some(trace) = message.trace.as_ref().filter(|trace| self.traces.keep(trace)) {
            let waited = from.duration_since(message.received_at).as_secs();
            let span = Span {
                name: "relay",
                kind: SpanKind::Producer,
                id: self.traces.new_id(),
                parent: Some(trace.parent_id()),
                from,
                until: precise(),
                attributes: vec![
                    KeyValue::new("target", message.target.to_string()),
                    KeyValue::new("delivery.key", message.key.to_string()),
                    KeyValue::new("waited_s", waited),
                ],
                failed: None,
            };
            self.traces.record(trace, span);
        }
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.broker.is_ready()
    }
}
