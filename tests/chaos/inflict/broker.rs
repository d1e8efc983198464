//! What can be wrong inside RabbitMQ.

use std::time::Duration;

use jodo_shared::broker::amqp::topology::queue_name;

use super::last;
use crate::faults::Void;
use crate::run::Run;

/// Publishers are blocked.
pub(crate) async fn alarm(run: &mut Run<'_>, lasting: Duration) -> Result<(), Void> {
    let rabbitmq = &run.services.rabbitmq;
    rabbitmq.ctl(&["set_vm_memory_high_watermark", "absolute", "1MB"]).await;
    last(lasting).await;
    let alarms = rabbitmq.ctl(&["eval", "rabbit_alarm:get_alarms()."]).await;
    rabbitmq.ctl(&["set_vm_memory_high_watermark", "0.6"]).await;
    if alarms.contains("memory") { Ok(()) } else { Err(format!("there was no alarm: {alarms}")) }
}

/// Somebody deletes the queue with what is in it; the archive has it all.
pub(crate) async fn delete_queue(run: &mut Run<'_>) -> Result<(), Void> {
    let queue = queue_name(&run.stage.target);
    for worker in &run.stage.workers {
        worker.process.suspend();
    }
    // The workers stand still, so something comes to lie in it.
    run.progress.reaches(0.7).await;
    run.services.rabbitmq.ctl(&["delete_queue", &queue]).await;
    for worker in &run.stage.workers {
        worker.process.resume();
    }
    run.recover_at_the_end = true;
    Ok(())
}
