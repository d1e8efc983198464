//! What can be wrong inside RabbitMQ.

use std::time::Duration;

use jodo_shared::broker::amqp::topology::queue_name;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use url::Url;

use super::database::{start_workers, stop_workers};
use super::last;
use super::network::were_open;
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

/// Somebody deletes the queue with what is in it, and no worker has any of that in its hands; the archive has it all.
pub(crate) async fn delete_queue(run: &mut Run<'_>) -> Result<(), Void> {
    stop_workers(run);
    // There is nobody to take anything, so it comes to lie in the queue.
    run.progress.reaches(0.7).await;
    run.services.rabbitmq.ctl(&["delete_queue", &queue_name(&run.stage.target)]).await;
    start_workers(run);
    run.recover_at_the_end = true;
    Ok(())
}

/// While nobody of ours is connected, somebody deletes the queue and declares a classic one in its place, which no ingress
/// trusts; later that one goes, too.
pub(crate) async fn replace_queue(run: &mut Run<'_>, lasting: Duration) -> Result<(), Void> {
    let (rabbitmq, queue) = (&run.services.rabbitmq, queue_name(&run.stage.target));
    let open = run.services.to_rabbitmq.cut().await;
    rabbitmq.ctl(&["delete_queue", &queue]).await;
    let declared = declare_classic(rabbitmq.url(), &queue).await;
    run.services.to_rabbitmq.heal().await;
    last(lasting * 2).await;
    rabbitmq.ctl(&["delete_queue", &queue]).await;
    run.recover_at_the_end = true;
    declared.map_err(|error| error.to_string())?;
    were_open(open)
}

async fn declare_classic(url: &str, queue: &str) -> Result<(), lapin::Error> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), FieldTable::default()).await?;
    connection.close(200, "OK".into()).await
}

/// The password is another one for a while, and who is connected is thrown out.
pub(crate) async fn revoke_credentials(run: &mut Run<'_>, lasting: Duration) -> Result<(), Void> {
    let url = Url::parse(run.services.rabbitmq.url()).map_err(|error| error.to_string())?;
    let (user, password) = (url.username().to_owned(), url.password().unwrap_or_default().to_owned());
    run.services.rabbitmq.ctl(&["change_password", &user, "another one"]).await;
    let open = run.services.to_rabbitmq.open();
    run.services.rabbitmq.ctl(&["close_all_connections", "chaos"]).await;
    last(lasting * 2).await;
    run.services.rabbitmq.ctl(&["change_password", &user, &password]).await;
    were_open(open)
}

/// A policy makes RabbitMQ throw what waits to the dead letters, the next one makes it refuse all but a few; no worker
/// is there meanwhile. In the end an operator puts the dead letters back.
pub(crate) async fn change_policy(run: &mut Run<'_>, lasting: Duration) -> Result<(), Void> {
    policy(run, r#"{"message-ttl": 1}"#).await;
    // Only now: a message from before, which never expires, would hold back those behind it.
    stop_workers(run);
    last(lasting).await;
    policy(run, r#"{"max-length": 5, "overflow": "reject-publish"}"#).await;
    last(lasting).await;
    run.services.rabbitmq.ctl(&["clear_policy", POLICY]).await;
    start_workers(run);
    run.dead_letters_at_the_end = true;
    let said = return_dead_letters(run).await;
    if said.contains(" 0 dead letters") { Err(said) } else { Ok(()) }
}

/// Puts dead letters back for as long as it is asked to: some die late.
pub(crate) async fn keep_returning_dead_letters(run: &Run<'_>) -> ! {
    loop {
        return_dead_letters(run).await;
        last(Duration::from_secs(1)).await;
    }
}

async fn return_dead_letters(run: &Run<'_>) -> String {
    run.stage.operate(&["dead", "return", "--target", run.stage.target.as_str()]).await
}

const POLICY: &str = "chaos";

async fn policy(run: &Run<'_>, definition: &str) {
    let pattern = format!("^{}$", queue_name(&run.stage.target));
    let arguments = ["set_policy", "--apply-to", "queues", POLICY, &pattern, definition];
    run.services.rabbitmq.ctl(&arguments).await;
}
