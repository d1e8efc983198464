//! What is particular to the spool: its files, and what is left of them after a restart or a fault.

#![expect(clippy::unwrap_used, reason = "a panic is the report")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use jodo_shared::broker::conformance::message;
use jodo_shared::broker::spool::{Spool, SpoolConsumer, SpoolSettings};
use jodo_shared::broker::{BatchLimits, Consumer as _, Delivery, Publisher as _};
use jodo_shared::ids::TargetName;
use jodo_shared::message::Message;
use tempfile::TempDir;
use tokio::time::timeout;

mod files;
mod outside;
mod refusals;
mod restart;
mod room;

const DEADLINE: Duration = Duration::from_secs(60);

fn target() -> TargetName {
    "main".parse().unwrap()
}

fn settings() -> SpoolSettings {
    SpoolSettings { keep_settled: Duration::ZERO, ..SpoolSettings::default() }
}

/// A new file for every message.
fn one_in_each_file() -> SpoolSettings {
    SpoolSettings { max_file_bytes: 1, ..SpoolSettings::default() }
}

fn open(dir: &TempDir, settings: SpoolSettings) -> Spool {
    Spool::open(dir.path(), settings).unwrap()
}

fn bodies(count: u8) -> Vec<Message> {
    (0..count).map(|n| message(&target(), vec![n; 1_000])).collect()
}

async fn publish_all(spool: &Spool, messages: &[Message]) {
    for message in messages {
        assert_eq!(spool.publish(message).await, Ok(()));
    }
}

async fn take(consumer: &mut SpoolConsumer, messages: usize) -> Vec<Delivery> {
    let limits = BatchLimits { messages, bytes: 64 << 20, wait: Duration::from_millis(50) };
    let mut all: Vec<Delivery> = Vec::new();
    while all.len() < messages {
        let limits = BatchLimits { messages: messages - all.len(), ..limits };
        all.extend(timeout(DEADLINE, consumer.next_batch(&limits)).await.unwrap());
    }
    all
}

async fn settle(consumer: &mut SpoolConsumer, deliveries: Vec<Delivery>) {
    let receipts = deliveries.into_iter().map(|delivery| delivery.receipt).collect();
    assert_eq!(consumer.settle(receipts).await, Ok(()));
}

async fn take_and_settle(consumer: &mut SpoolConsumer, messages: usize) -> Vec<(Message, u32)> {
    let taken = take(consumer, messages).await;
    let seen = seen(&taken);
    settle(consumer, taken).await;
    seen
}

/// As a process does at its end.
fn forget(deliveries: Vec<Delivery>) {
    deliveries.into_iter().for_each(|delivery| std::mem::forget(delivery.receipt));
}

fn seen(deliveries: &[Delivery]) -> Vec<(Message, u32)> {
    deliveries.iter().map(|delivery| (delivery.message.clone(), delivery.hand_outs)).collect()
}

fn counted(messages: &[Message], hand_outs: u32) -> Vec<(Message, u32)> {
    messages.iter().map(|message| (message.clone(), hand_outs)).collect()
}

/// The names in the folder that end like this.
fn names(dir: &Path, end: &str) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(end)).collect();
    names.sort();
    names
}

fn file(dir: &TempDir, number: u32) -> PathBuf {
    dir.path().join(format!("{number:06}.db"))
}

fn sql(path: &Path, statements: &str) {
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
    connection.batch_execute(statements).unwrap();
}

/// Overwrites one page of a closed file.
fn spoil(path: &Path, page: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[(page - 1) * 4_096..page * 4_096].fill(0xa5);
    fs::write(path, bytes).unwrap();
}
