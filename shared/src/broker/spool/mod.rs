//! The broker over files on the own disk: SQLite, through diesel, in a folder of this process alone.
//!
//! One thread writes (`writer`). It commits whatever has been asked for in the meantime in one transaction, with
//! `synchronous=EXTRA`, and replies afterwards: *published*, *taken* and *settled* each mean *on disk*. Messages lie in
//! a chain of files (`chain`), each with a few bytes in memory while it waits (`queues`). A settled message stays,
//! marked, until its whole file has been settled for [`SpoolSettings::keep_settled`].
//!
//! That no message is lost rests on the transaction before the reply. That none is handed out twice at a time rests
//! on memory, and so on one process having the folder: it is locked.
//!
//! [`look`] and [`backup`] are for other processes, while this one goes on.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{PublishError, Publisher};
use crate::ids::TargetName;
use crate::message::Message;
use crate::metrics::{ARCHIVE_MISSED, PUBLISH_SECONDS, PUBLISHES};

pub mod archive;
mod backup;
mod chain;
mod command;
mod consumer;
mod error;
mod file;
mod folder;
mod look;
pub mod numbered;
mod queues;
mod report;
mod row;
mod sessions;
mod state;
mod writer;

pub use backup::{Copied, backup};
pub use consumer::SpoolConsumer;
pub use error::SpoolError;
pub use look::{Look, TargetLook, look};

use chain::Chain;
use command::Command;
use folder::Folder;
use queues::Queues;
use state::State;
use writer::Writer;

/// How a spool keeps its files.
#[derive(Debug, Clone)]
pub struct SpoolSettings {
    /// How long a file is kept after the last message in it was settled. Too low: nothing to recover an older ERP
    /// database from; too high: disk space.
    pub keep_settled: Duration,
    /// Size at which a new file begins. Too high: one unsettled message keeps much on disk; too low: many files.
    pub max_file_bytes: u64,
    /// Most pages of 4 KiB in one file: beyond it the disk counts as full. `None` for no limit but the disk's.
    pub max_pages: Option<u32>,
    /// Most bytes in the folder; past it new messages are refused. `None` for no bound of its own.
    pub max_bytes: Option<u64>,
    /// Bytes that stay free on the disk, for whatever else needs it; new messages are refused before they are used.
    pub min_free: u64,
}

impl Default for SpoolSettings {
    fn default() -> Self {
        let keep_settled = Duration::from_secs(14 * 24 * 60 * 60);
        Self { keep_settled, max_file_bytes: 64 << 20, max_pages: None, max_bytes: None, min_free: 0 }
    }
}

/// A broker on disk. Clones are the same broker, and each is a [`Publisher`].
#[derive(Clone)]
pub struct Spool(Arc<Shared>);

struct Shared {
    commands: Option<Sender<Command>>,
    queues: Arc<Queues>,
    state: Arc<State>,
    last_epoch: AtomicU64,
    writer: Mutex<Option<JoinHandle<()>>>,
    ended: CancellationToken,
}

impl Spool {
    /// Opens the spool in this folder, and makes the folder if it is not there. Blocks while it reads what waits.
    ///
    /// # Errors
    /// [`SpoolError`] when the folder cannot be used, or another process has it open as a spool. A corrupt file is no error: it is set aside.
    pub fn open(dir: &Path, settings: SpoolSettings) -> Result<Self, SpoolError> {
        let folder = Folder::create(dir)?;
        let lock = folder.lock()?;
        let (chain, waiting) = Chain::open(folder, settings)?;
        let queues = Arc::new(Queues::default());
        for (target, handle) in waiting {
            queues.add(&target, [handle]);
        }
        let state = Arc::new(State::default());
        let writer = Writer::new(chain, Arc::clone(&queues), Arc::clone(&state));
        let (commands, queued) = mpsc::channel();
        let ended = CancellationToken::new();
        let at_end = ended.clone().drop_guard();
        let work = move || {
            // Also when it panics.
            let _at_end = at_end;
            writer.run(&queued, lock);
        };
        let thread = thread::Builder::new().name("spool".to_owned()).spawn(work)?;
        Ok(Self(Arc::new(Shared {
            commands: Some(commands),
            queues,
            state,
            last_epoch: AtomicU64::new(0),
            writer: Mutex::new(Some(thread)),
            ended,
        })))
    }

    /// A consumer of `target`'s messages.
    pub fn consumer(&self, target: TargetName) -> SpoolConsumer {
        SpoolConsumer::new(self.clone(), target)
    }

    /// Keeps a copy of a message that is durable elsewhere, for [`SpoolSettings::keep_settled`]. Returns at once: a copy
    /// that the disk does not take, or not in time, is counted and missed.
    pub fn archive(&self, message: &Message) {
        let fits = self.0.state.begin_archiving(message);
        if !fits || !self.send(Command::Archive { message: message.clone() }) {
            metrics::counter!(ARCHIVE_MISSED).increment(1);
        }
    }

    /// How many messages are not settled: none is left when this is 0 after the last settlement.
    pub fn unsettled(&self) -> usize {
        self.0.state.unsettled.load(Ordering::Acquire)
    }

    /// How many messages wait for each target that ever had one; without those that are handed out.
    pub fn waiting(&self) -> Vec<(TargetName, usize)> {
        self.queues().waiting().into_iter().map(|(target, count, _)| (target, count)).collect()
    }

    /// Finishes what has been asked for, and closes the files. Whatever is asked for afterwards fails, and consumers
    /// get nothing any more. The same happens when the last clone is dropped, which then blocks for that long.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.send(Command::Close { reply }) {
            // No reply means that it was closed before.
            closed.await.ok();
        }
    }

    /// Waits until nothing more is taken or handed out: the spool was closed, or its writer died.
    pub async fn until_ended(&self) {
        self.0.ended.cancelled().await;
    }

    /// Whether the writer is there to do it.
    fn send(&self, command: Command) -> bool {
        self.0.commands.as_ref().is_some_and(|commands| commands.send(command).is_ok())
    }

    fn queues(&self) -> &Queues {
        &self.0.queues
    }

    fn next_epoch(&self) -> u64 {
        self.0.last_epoch.fetch_add(1, Ordering::Relaxed) + 1
    }

    async fn durable(&self, message: &Message) -> Result<(), PublishError> {
        let (reply, answer) = oneshot::channel();
        if !self.send(Command::Publish { message: message.clone(), reply }) {
            return Err(PublishError::NotConnected);
        }
        answer.await.unwrap_or(Err(PublishError::NotConnected))
    }
}

#[async_trait]
impl Publisher for Spool {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        let started = Instant::now();
        let result = self.durable(message).await;
        let word = result.map_or_else(PublishError::as_str, |()| "confirmed");
        metrics::counter!(PUBLISHES, "result" => word).increment(1);
        metrics::histogram!(PUBLISH_SECONDS, "result" => word).record(started.elapsed());
        result
    }

    fn is_ready(&self) -> bool {
        let writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = writer.as_ref().is_some_and(|thread| !thread.is_finished());
        is_there && !self.0.state.refusing.load(Ordering::Relaxed)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Without a sender the writer finishes.
        self.commands = None;
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the spool's writer ended with a panic");
        }
    }
}
