//! The one thread that writes: it gathers what is asked for, commits it together, and only then replies.
//!
//! Correctness rests on that order, and on one process having the folder. Queues and sessions are memory: after a
//! crash they are made anew from the rows, in which hand-outs and settlements are counted before anybody hears of
//! them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::chain::{Chain, Outcome};
use super::command::{COPIES_GATHER, Command, Group, Refused, Settle, Take};
use super::error::{Causes, SpoolError};
use super::file::{New, Work};
use super::queues::{Handle, Place, Queues};
use super::report::Report;
use super::sessions::Sessions;
use super::state::State;
use crate::broker::{Delivery, PublishError, Receipt, SettleError};
use crate::message::Message;
use crate::metrics::ARCHIVE_MISSED;

/// How often old files are looked for and sizes measured.
const CHORES_EVERY: Duration = Duration::from_secs(60);
/// How often a disk that refused is asked again, for readiness.
const PROBE_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    chain: Chain,
    queues: Arc<Queues>,
    sessions: Sessions,
    state: Arc<State>,
    report: Report,
    chores_done: Instant,
}

/// A take whose rows are chosen.
struct Chosen {
    take: Take,
    tags: Vec<(u64, Place)>,
}

impl Writer {
    pub(super) fn new(chain: Chain, queues: Arc<Queues>, state: Arc<State>) -> Self {
        let report = Report::new(chain.name());
        let sessions = Sessions::default();
        let mut writer = Self { chain, queues, sessions, state, report, chores_done: Instant::now() };
        writer.count();
        writer.do_chores();
        writer
    }

    /// Works until it is told to close, or nobody is left who could ask for anything; then gives the folder up.
    pub(super) fn run(mut self, commands: &Receiver<Command>, lock: std::fs::File) {
        let closed = loop {
            let refusing = self.state.refusing.load(Ordering::Relaxed);
            match commands.recv_timeout(if refusing { PROBE_EVERY } else { CHORES_EVERY }) {
                Ok(first) => {
                    if let Some(reply) = self.commit(Group::gather(first, commands, COPIES_GATHER)) {
                        break Some(reply);
                    }
                }
                Err(RecvTimeoutError::Timeout) if refusing => {
                    let result = self.chain.probe();
                    self.note(result.err().as_ref());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break None,
            }
            if self.chores_done.elapsed() >= CHORES_EVERY {
                self.do_chores();
            }
        };
        self.chain.close();
        drop(lock);
        if let Some(reply) = closed {
            // Nobody may be waiting.
            reply.send(()).ok();
        }
    }

    fn do_chores(&mut self) {
        self.chores_done = Instant::now();
        self.chain.expire();
        self.report.ages(&self.queues, &self.sessions);
        match self.chain.space() {
            Ok(space) => self.report.space(space),
            Err(error) => tracing::warn!(%error, "the spool folder cannot be read"),
        }
    }

    /// Commits a group and tells everybody. Returns whom to tell when all is closed, if that was asked for.
    fn commit(&mut self, group: Group) -> Option<oneshot::Sender<()>> {
        let Group { new, publishers, archived, takes, settles, give_backs, close } = group;
        let chosen: Vec<Chosen> = takes.into_iter().filter_map(|take| self.choose(take)).collect();

        let mut works: BTreeMap<u32, Work> = BTreeMap::new();
        for settle in &settles {
            for place in self.sessions.places(settle.epoch, &settle.tags) {
                works.entry(place.file).or_default().settle.insert(place.row);
            }
        }
        for give_back in &give_backs {
            for place in self.sessions.unseen(give_back.epoch, &give_back.unseen) {
                works.entry(place.file).or_default().uncount.push(place.row);
            }
        }
        for (_, place) in chosen.iter().flat_map(|chosen| &chosen.tags) {
            works.entry(place.file).or_default().take.push(place.row);
        }

        let Outcome { committed, done, refused } =
            self.chain.run(works, New { waiting: &new, archived: &archived });
        self.count();
        self.note_archived(&archived, refused.as_ref());
        for file in self.chain.take_set_aside() {
            self.queues.forget(file);
            self.sessions.forget(file);
        }
        self.reply_to_publishers(&new, publishers, done.inserted, refused.as_ref());
        for settle in settles {
            self.reply_to_settle(settle, &committed);
        }
        for give_back in give_backs {
            if let Some(session) = self.sessions.end(give_back.epoch) {
                self.queues.add(&session.target, session.held.into_values());
            }
            give_back.reply.send(()).ok();
        }
        let mut taken =
            done.taken.into_iter().map(|(place, message, count)| (place, (message, count))).collect();
        for chosen in chosen {
            self.reply_to_take(chosen, &mut taken);
        }
        self.report.waiting(&self.queues, &self.sessions);
        self.queues.wake();
        close
    }

    /// Says how much waits, before anybody hears of what was done.
    fn count(&self) {
        self.state.unsettled.store(self.chain.unsettled(), Ordering::Release);
    }

    fn note_archived(&self, archived: &[Message], refused: Option<&SpoolError>) {
        if archived.is_empty() {
            return;
        }
        self.note(refused);
        self.state.archived(archived);
        if refused.is_some() {
            metrics::counter!(ARCHIVE_MISSED).increment(archived.len() as u64);
        }
    }

    /// Chooses what the take gets; `None` when nobody waits for it any more, or nothing for it.
    fn choose(&mut self, take: Take) -> Option<Chosen> {
        // A session that has been given back must not begin again: its take is closed before.
        if take.reply.is_closed() {
            return None;
        }
        let handles = self.queues.pick(&take.target, &take.limits);
        if handles.is_empty() {
            take.reply.send(Ok(Vec::new())).ok();
            return None;
        }
        let tags = self.sessions.hold(take.epoch, &take.target, handles);
        Some(Chosen { take, tags })
    }

    fn reply_to_publishers(
        &mut self,
        new: &[Message],
        publishers: Vec<oneshot::Sender<Result<(), PublishError>>>,
        inserted: Vec<Handle>,
        refused: Option<&SpoolError>,
    ) {
        if new.is_empty() {
            return;
        }
        self.note(refused);
        let result = if refused.is_some() { Err(PublishError::Disk) } else { Ok(()) };
        for (message, handle) in new.iter().zip(inserted) {
            self.queues.add(&message.target, [handle]);
        }
        for publisher in publishers {
            publisher.send(result).ok();
        }
    }

    fn reply_to_settle(&mut self, settle: Settle, committed: &BTreeSet<u32>) {
        let mut result = Ok(());
        for tag in settle.tags {
            match self.sessions.release(settle.epoch, tag) {
                Some((_, handle)) if committed.contains(&handle.place.file) => {}
                Some((target, handle)) => {
                    self.queues.add(&target, [handle]);
                    result = Err(SettleError);
                }
                None => result = Err(SettleError),
            }
        }
        settle.reply.send(result).ok();
    }

    fn reply_to_take(&mut self, chosen: Chosen, taken: &mut HashMap<Place, (Message, u32)>) {
        let Chosen { take, tags } = chosen;
        let mut batch = Vec::with_capacity(tags.len());
        let mut refused = false;
        for (tag, place) in tags {
            if let Some((message, hand_outs)) = taken.remove(&place) {
                batch.push(Delivery { message, hand_outs, receipt: Receipt::new(tag, take.epoch) });
            } else if let Some((target, handle)) = self.sessions.release(take.epoch, tag) {
                self.queues.add(&target, [handle]);
                refused = true;
            }
        }
        let result = if batch.is_empty() && refused { Err(Refused) } else { Ok(batch) };
        if let Err(Ok(batch)) = take.reply.send(result) {
            // The session is about to be given back, and then these hand-outs are taken out of the count.
            let tags = batch.into_iter().map(|delivery| delivery.receipt.spend());
            self.sessions.not_seen(take.epoch, tags);
        }
    }

    /// Remembers whether the disk takes messages; one log line when that changes.
    fn note(&self, refused: Option<&SpoolError>) {
        let before = self.state.refusing.swap(refused.is_some(), Ordering::Relaxed);
        match refused {
            Some(error) if !before => {
                tracing::error!(error = %Causes(error),
                    "the spool refuses messages; deliveries that are durable nowhere else are answered 503"
                );
            }
            None if before => tracing::info!("the spool takes messages again"),
            _ => {}
        }
    }
}
