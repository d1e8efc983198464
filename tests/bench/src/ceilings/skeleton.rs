//! What a worker costs that knows everything beforehand: it takes a batch from RabbitMQ, runs one statement for each
//! table with rows that were made ahead, commits, and acknowledges. It reads no message, asks no Redis, decides nothing.
//!
//! Tables, statements, rows, batches, prefetch and pipelines are ours, so that the difference is our own code.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::{try_join, try_join_all};
use jodo_shared::clock::stored;
use jodo_shared::ids::TargetName;
use jodo_worker::decide::{SourceRules, decide};
use jodo_worker::event::Event;
use jodo_worker::fold::{TableBatch, fold};
use jodo_worker::sql::POSTGRES;
use jodo_worker::store::EventRow;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_postgres::Client;

use crate::deliveries::message;
use crate::stage::{Stage, connect};

pub(crate) const BATCH: usize = 500;
pub(crate) const PIPELINES: usize = 2;

/// What one transaction writes.
struct Prepared {
    tables: Vec<TableBatch>,
    events: String,
    bodies: Vec<Bytes>,
}

/// The rows of these deliveries, batch by batch.
pub(crate) struct Rows(Mutex<VecDeque<Prepared>>);

impl Rows {
    /// Makes them, with our own code and at leisure.
    ///
    /// # Errors
    /// When a time zone is unknown.
    pub(crate) fn of(target: &TargetName, bodies: &[Bytes]) -> anyhow::Result<Arc<Self>> {
        let rules = SourceRules {
            time_zone: jiff::tz::TimeZone::get("Asia/Kolkata")?,
            ignore: std::collections::HashSet::new(),
        };
        let mut prepared = VecDeque::new();
        for batch in bodies.chunks(BATCH) {
            let mut events = Vec::new();
            for body in batch {
                let message = message(target, body.clone())?;
                events.push(Event::decided(&message, decide(&message, Some(&rules))));
            }
            events.sort_unstable_by_key(|event| event.row.key);
            prepared.push_back(Prepared {
                tables: fold(events.iter().flat_map(|event| &event.changes)),
                events: Value::Array(events.iter().map(|event| row(&event.row)).collect()).to_string(),
                bodies: events.iter().map(|event| event.row.body.clone()).collect(),
            });
        }
        Ok(Arc::new(Self(Mutex::new(prepared))))
    }

    fn next(&self) -> Option<Prepared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// An event's row in the form that the statement takes; as in ours, what is null is left out.
fn row(row: &EventRow) -> Value {
    let mut members = json!({
        "delivery_key": row.key.to_string(),
        "source": row.source.as_str(),
        "tenant": row.tenant.as_str(),
        "event_id": row.event_id.as_ref().map(|id| id.as_str()),
        "code": row.code.as_ref().map(|code| code.as_str()),
        "event_time": row.time.map(|time| time.to_string()),
        "pupil_key": row.pupil_key,
        "subject": row.subject,
        "payload_digest": row.payload_digest,
        "outcome": row.outcome.as_str(),
        "reason": row.reason.map(|reason| reason.as_str()),
        "detail": row.detail,
        "warnings": row.warnings,
        "due_at": row.due_at.map(stored),
        "received_at": stored(row.received_at),
        "recorded_at": stored(row.received_at),
        "redrive": row.redrive.to_string(),
        "trace": row.trace.as_ref().map(|trace| trace.as_str()),
    });
    if let Some(members) = members.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    members
}

/// Empties the stage's queue. Every batch must be full: the number of messages is a multiple of [`BATCH`].
///
/// # Errors
/// When RabbitMQ or PostgreSQL fails.
pub(crate) async fn drain(stage: &Stage, rows: &Arc<Rows>) -> anyhow::Result<()> {
    let connection = Arc::new(Connection::connect(stage.amqp_url(), ConnectionProperties::default()).await?);
    let mut pipelines = JoinSet::new();
    for _ in 0..PIPELINES {
        let (connection, queue) = (Arc::clone(&connection), stage.queue());
        let (database, rows) = (stage.database.url.clone(), Arc::clone(rows));
        pipelines.spawn(async move { pipeline(&connection, &queue, &database, &rows).await });
    }
    while let Some(ended) = pipelines.join_next().await {
        ended??;
    }
    Ok(())
}

async fn pipeline(connection: &Connection, queue: &str, database: &str, rows: &Rows) -> anyhow::Result<()> {
    let (mut client, _serving) = connect(database).await?;
    let statements = Statements::prepare(&client).await?;
    let channel = connection.create_channel().await?;
    channel.basic_qos(2 * BATCH as u16, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let mut messages = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await?;
    while let Some(batch) = rows.next() {
        let mut last = None;
        for _ in 0..batch.bodies.len() {
            last = messages.next().await.transpose()?;
        }
        statements.commit(&mut client, &batch).await?;
        if let Some(last) = last {
            channel.basic_ack(last.delivery_tag, BasicAckOptions { multiple: true }).await?;
        }
    }
    Ok(())
}

/// Our statements, prepared on one connection.
struct Statements {
    tables: Vec<(&'static str, tokio_postgres::Statement)>,
    events: tokio_postgres::Statement,
}

impl Statements {
    async fn prepare(client: &Client) -> anyhow::Result<Self> {
        use tokio_postgres::types::Type;
        let mut tables = Vec::new();
        for one in &POSTGRES.projections {
            // As ours: the JSON goes as text, and PostgreSQL reads it.
            let sql = one.sql.replace("$1::json", "$1::text::json");
            tables.push((one.table, client.prepare_typed(&sql, &[Type::TEXT]).await?));
        }
        let sql = POSTGRES.events.replace("$1::json", "$1::text::json");
        let events = client.prepare_typed(&sql, &[Type::TEXT, Type::BYTEA_ARRAY]).await?;
        Ok(Self { tables, events })
    }

    /// As ours: events first, and no statement waits for the answer of the one before.
    async fn commit(&self, client: &mut Client, batch: &Prepared) -> anyhow::Result<()> {
        let transaction = client.transaction().await?;
        let bodies: Vec<&[u8]> = batch.bodies.iter().map(AsRef::as_ref).collect();
        let events = async { transaction.query(&self.events, &[&batch.events, &bodies]).await };
        let mut tables = Vec::new();
        for (table, statement) in &self.tables {
            for rows in batch.tables.iter().filter(|rows| rows.table == *table) {
                tables.push(async { transaction.execute(statement, &[&rows.rows]).await });
            }
        }
        try_join(events, try_join_all(tables)).await?;
        transaction.commit().await?;
        Ok(())
    }
}
