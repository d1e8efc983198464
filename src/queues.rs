//! A look at RabbitMQ that changes nothing: is it there, and how much waits in it?

use jodo_shared::broker::amqp::topology::{dead_letter_queue_name, queue_name};
use jodo_shared::broker::amqp::{LookError, QueueDepths};
use jodo_shared::config::Broker;
use jodo_shared::ids::TargetName;

/// Messages that are ready in a target's two queues; `None` where the queue does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Depths {
    /// Not yet handed to a worker.
    pub(crate) waiting: Option<u32>,
    /// Given up by RabbitMQ.
    pub(crate) dead: Option<u32>,
}

/// Asks the broker for the depths of these targets' queues, in their order.
pub(crate) async fn look(broker: &Broker, targets: &[&TargetName]) -> Result<Vec<Depths>, LookError> {
    let mut queues = QueueDepths::new(broker.url.clone());
    let mut depths = Vec::with_capacity(targets.len());
    for target in targets {
        let waiting = queues.of(&queue_name(target)).await?;
        let dead = queues.of(&dead_letter_queue_name(target)).await?;
        depths.push(Depths { waiting, dead });
    }
    queues.close().await;
    Ok(depths)
}
