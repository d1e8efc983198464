//! Confirmed publishes to one quorum queue, with nothing around them.

use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Confirmation, Connection, ConnectionProperties};

/// Publishes the bodies, persistent and mandatory, with so many unconfirmed at once. Returns how many a second.
///
/// # Errors
/// When the broker refuses one.
pub(crate) async fn publish(amqp_url: &str, bodies: &[Bytes], in_flight: usize) -> anyhow::Result<f64> {
    let connection = Connection::connect(amqp_url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let queue = "bench.publish";
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await?;

    let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let mut unconfirmed = FuturesUnordered::new();
    let started = Instant::now();
    for body in bodies {
        if unconfirmed.len() == in_flight
            && let Some(confirmed) = unconfirmed.next().await
        {
            taken(confirmed)?;
        }
        let persistent = BasicProperties::default().with_delivery_mode(2);
        let confirm = channel.basic_publish("".into(), queue.into(), mandatory, body, persistent).await?;
        unconfirmed.push(confirm);
    }
    while let Some(confirmed) = unconfirmed.next().await {
        taken(confirmed)?;
    }
    let rate = bodies.len() as f64 / started.elapsed().as_secs_f64();
    channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await?;
    connection.close(200, "OK".into()).await?;
    Ok(rate)
}

fn taken(confirmation: lapin::Result<Confirmation>) -> anyhow::Result<()> {
    anyhow::ensure!(matches!(confirmation?, Confirmation::Ack(None)), "a publish was not taken");
    Ok(())
}
