//! The queues: two for each ERP target, one to apply from and one for dead letters.
//!
//! Everything is published through the default exchange, to which every queue is bound by its name, so that
//! `mandatory` means exactly "our queue is missing".

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use lapin::options::QueueDeclareOptions;
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, Error, ErrorKind};

use crate::ids::TargetName;

/// A message that comes back this often goes to the dead letters. Far above what crash suspects need (three), because
/// every cut connection counts against all that was prefetched.
const APPLY_DELIVERY_LIMIT: i64 = 1_000;
/// A dead letter that comes back this often is gone. There is no "never": -1 means the opposite on 3.10 and on 4.x,
/// and without a limit 4.x takes 20.
const DEAD_DELIVERY_LIMIT: i64 = 1_000_000;

/// Name of the queue that `target`'s events wait in.
pub fn queue_name(target: &TargetName) -> String {
    format!("jodo.events.apply.{target}")
}

/// Name of the queue that `target`'s dead letters wait in.
pub fn dead_letter_queue_name(target: &TargetName) -> String {
    format!("jodo.events.dead.{target}")
}

/// The queues of some targets.
#[derive(Debug)]
pub(super) struct Topology {
    targets: Vec<TargetName>,
    /// Queues whose other arguments were logged.
    logged: Mutex<BTreeSet<String>>,
}

impl Topology {
    pub(super) fn new(targets: Vec<TargetName>) -> Self {
        Self { targets, logged: Mutex::default() }
    }

    /// Sees to it that all queues are there.
    ///
    /// # Errors
    /// The first queue's that is not there and cannot be declared, or the connection's.
    pub(super) async fn declare(&self, connection: &Connection) -> Result<(), Error> {
        for target in &self.targets {
            // Dead letters first: from the moment on that there is an apply queue, they have a place to go.
            self.declare_queue(connection, &dead_letter_queue_name(target), dead_arguments()).await?;
            self.declare_queue(connection, &queue_name(target), apply_arguments(target)).await?;
        }
        Ok(())
    }

    /// Declares one queue, on channels of its own, because the broker closes the channel on which that fails.
    async fn declare_queue(
        &self,
        connection: &Connection,
        name: &str,
        arguments: FieldTable,
    ) -> Result<(), Error> {
        let actively = QueueDeclareOptions::durable();
        let passively = QueueDeclareOptions { passive: true, ..actively };
        let channel = connection.create_channel().await?;
        match channel.queue_declare(name.into(), passively, FieldTable::default()).await {
            Ok(_) => match channel.queue_declare(name.into(), actively, arguments).await {
                Err(error)
                    if is(&error, AMQPSoftError::PRECONDITIONFAILED)
                        || is(&error, AMQPSoftError::ACCESSREFUSED) =>
                {
                    self.log_once(name, &error);
                    Ok(())
                }
                other => other.map(drop),
            },
            Err(error) if is(&error, AMQPSoftError::NOTFOUND) => {
                let channel = connection.create_channel().await?;
                channel.queue_declare(name.into(), actively, arguments).await?;
                tracing::info!(queue.name = name, "declared a queue");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// The queue is there, and that is what counts: an operator may have declared it in another way, or given us no
    /// right to declare.
    fn log_once(&self, name: &str, error: &Error) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.insert(name.to_owned()) {
            tracing::warn!(queue.name = name, %error, "a queue is used as it is: it cannot be checked, or was declared otherwise");
        }
    }
}

fn apply_arguments(target: &TargetName) -> FieldTable {
    let mut arguments = quorum_arguments(APPLY_DELIVERY_LIMIT);
    let mut put = |name: &'static str, value: &str| {
        arguments.insert(name.into(), AMQPValue::LongString(value.into()));
    };
    put("x-dead-letter-exchange", "");
    put("x-dead-letter-routing-key", &dead_letter_queue_name(target));
    put("x-dead-letter-strategy", "at-least-once");
    // At-least-once wants it: <https://www.rabbitmq.com/docs/quorum-queues#activating-at-least-once-dead-lettering>.
    put("x-overflow", "reject-publish");
    arguments
}

fn dead_arguments() -> FieldTable {
    let mut arguments = quorum_arguments(DEAD_DELIVERY_LIMIT);
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    arguments
}

/// <https://www.rabbitmq.com/docs/quorum-queues>. No length limit: what waits here was promised to be kept.
fn quorum_arguments(delivery_limit: i64) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(delivery_limit));
    arguments
}

fn is(error: &Error, soft: AMQPSoftError) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if *error.kind() == AMQPErrorKind::Soft(soft))
}
