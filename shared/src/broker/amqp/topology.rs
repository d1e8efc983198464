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

use super::connection::ConnectError;
use super::mismatch::Adapted;
use crate::ids::TargetName;

/// A message that comes back this often goes to the dead letters. Far above what crash suspects need, because
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
    /// Whether a queue is refused that could lose what is put into it.
    is_strict: bool,
    /// What was said of which queue.
    logged: Mutex<BTreeSet<(String, &'static str)>>,
}

impl Topology {
    /// For whoever promises that what is in the queue is durable.
    pub(super) fn to_publish(targets: Vec<TargetName>) -> Self {
        Self { targets, is_strict: true, logged: Mutex::default() }
    }

    /// For whoever takes what is there, however it got there.
    pub(super) fn to_consume(target: TargetName) -> Self {
        Self { targets: vec![target], is_strict: false, logged: Mutex::default() }
    }

    /// Sees to it that all queues are there.
    ///
    /// # Errors
    /// The first queue's that is not there and cannot be declared, or cannot be published to; or the connection's.
    pub(super) async fn declare(&self, connection: &Connection) -> Result<(), ConnectError> {
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
    ) -> Result<(), ConnectError> {
        let passively = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let channel = connection.create_channel().await?;
        match channel.queue_declare(name.into(), passively, FieldTable::default()).await {
            Ok(_) => {
                channel.close(200, "OK".into()).await?;
                self.compare(connection, name, arguments).await
            }
            Err(error) if is(&error, AMQPSoftError::NOTFOUND) => {
                declare_actively(connection, name, arguments).await?;
                tracing::info!(queue.name = name, "declared a queue");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Compares a queue that is there with ours. The broker names one difference at a time, so a harmless one is
    /// adopted, and the rest compared again.
    async fn compare(
        &self,
        connection: &Connection,
        name: &str,
        arguments: FieldTable,
    ) -> Result<(), ConnectError> {
        let mut arguments = Adapted::new(&arguments);
        loop {
            let error = match declare_actively(connection, name, arguments.table()).await {
                Err(error) if is(&error, AMQPSoftError::PRECONDITIONFAILED) => error,
                // An operator may have given us no right to declare; then it is theirs to declare it well.
                Err(error) if is(&error, AMQPSoftError::ACCESSREFUSED) => {
                    self.warn_once(name, &error);
                    return Ok(());
                }
                other => return Ok(other?),
            };
            if self.is_strict {
                let adopted = arguments.adopt(&error.to_string());
                adopted.map_err(|argument| self.unfit(name, argument))?;
            }
            self.warn_once(name, &error);
            if !self.is_strict {
                return Ok(());
            }
        }
    }

    fn warn_once(&self, name: &str, error: &Error) {
        if self.is_news(name, "otherwise") {
            tracing::warn!(queue.name = name, %error, "a queue is used as it is: it cannot be checked, or was declared otherwise");
        }
    }

    fn unfit(&self, name: &str, argument: String) -> ConnectError {
        let unfit = ConnectError::QueueUnfit { queue: name.to_owned(), argument };
        if self.is_news(name, "unfit") {
            tracing::error!(queue.name = name, error = %unfit, "nothing is accepted until a queue is mended");
        }
        unfit
    }

    fn is_news(&self, name: &str, what: &'static str) -> bool {
        self.logged.lock().unwrap_or_else(PoisonError::into_inner).insert((name.to_owned(), what))
    }
}

async fn declare_actively(connection: &Connection, name: &str, arguments: FieldTable) -> Result<(), Error> {
    let channel = connection.create_channel().await?;
    channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await?;
    channel.close(200, "OK".into()).await
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

pub(super) fn is(error: &Error, soft: AMQPSoftError) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if *error.kind() == AMQPErrorKind::Soft(soft))
}
