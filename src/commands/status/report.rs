//! What `status` found out, and what follows from it.

use std::net::SocketAddr;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use jodo_shared::clock::stored;
use jodo_shared::outcome::Outcome;
use serde::{Serialize, Serializer};

use crate::Exit;
use crate::ingress_says::{IngressSpool, Strikes};

/// Workers report themselves every 10 s; six missed reports are no accident.
const STALE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The end of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Well,
    NeedsAPerson,
    CannotTell,
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Well => Self::Well,
            Verdict::NeedsAPerson => Self::Wrong,
            Verdict::CannotTell => Self::CannotTell,
        }
    }
}

/// Everything.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    pub(super) verdict: Verdict,
    pub(super) targets: Vec<Target>,
}

/// One ERP database, what comes to it and what waits for it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Target {
    pub(super) target: String,
    /// `None` where the database could not be read.
    pub(super) database: Option<Database>,
    /// `None` where RabbitMQ could not be asked, or there is none.
    pub(super) queues: Option<Queues>,
    /// `None` where RabbitMQ takes its place.
    pub(super) spool: Option<Spool>,
    /// What an ingress of a cluster keeps; `None` where it does not say.
    pub(super) ingress_spool: Option<IngressSpool>,
    /// What needs a person, each with what to do.
    pub(super) trouble: Vec<String>,
    /// What could not be looked at.
    pub(super) unknown: Vec<String>,
}

/// Messages in RabbitMQ; null where there is no such queue.
#[derive(Debug, Serialize)]
pub(super) struct Queues {
    pub(super) waiting: Option<u32>,
    pub(super) dead_letters: Option<u32>,
}

/// The one program.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Program {
    /// Where it takes deliveries.
    pub(super) address: SocketAddr,
    /// Whether it runs.
    pub(super) answers: bool,
    /// Why it cannot do its work at the moment, in its own words.
    pub(super) reasons: Vec<String>,
}

/// Deliveries on the disk of the one program.
#[derive(Debug, Serialize)]
pub(super) struct Spool {
    pub(super) program: Program,
    /// Targets that are not configured, and how many deliveries wait for each.
    pub(super) stranded: Vec<(String, u64)>,
    pub(super) waiting: u64,
    #[serde(serialize_with = "as_stored")]
    pub(super) oldest_waiting: Option<Timestamp>,
    pub(super) unreadable_files: usize,
    /// `None` where the database could not be asked.
    pub(super) balance: Option<Balance>,
}

/// What a comparison of spool and database found.
#[derive(Debug, Serialize)]
pub(super) struct Balance {
    /// Deliveries that the spool says are finished and the database does not know.
    pub(super) missing: usize,
    /// Deliveries that wait and that the database does not know yet.
    pub(super) waiting_new: usize,
}

/// What the database says.
#[derive(Debug, Default, Serialize)]
pub(super) struct Database {
    pub(super) sources: Vec<Source>,
    /// Events, however they ended.
    pub(super) events: i64,
    pub(super) unsettled: Vec<Unsettled>,
    pub(super) held: i64,
    /// That a person has ordered, and that is not over.
    pub(super) pause: Option<Pause>,
    /// When the oldest unsettled event was accepted.
    #[serde(serialize_with = "as_stored")]
    pub(super) oldest_unsettled: Option<Timestamp>,
    pub(super) workers: Vec<Worker>,
}

/// A source that feeds the target.
#[derive(Debug, Serialize)]
pub(super) struct Source {
    pub(super) source: String,
    pub(super) environment: &'static str,
    #[serde(serialize_with = "as_stored")]
    pub(super) last_delivery: Option<Timestamp>,
    pub(super) accepted_today: i64,
    /// `None` where the ingress does not say.
    pub(super) strikes: Option<Strikes>,
    /// From how many failed answers in a row on somebody has to look.
    #[serde(skip)]
    pub(super) first_warning: u32,
    #[serde(skip)]
    pub(super) zone: TimeZone,
}

/// A pause that a person has ordered.
#[derive(Debug, Serialize)]
pub(super) struct Pause {
    #[serde(serialize_with = "as_stored")]
    pub(super) until: Option<Timestamp>,
    pub(super) by: String,
    pub(super) reason: String,
    /// What workers that follow it say of themselves.
    #[serde(skip)]
    pub(super) said: String,
    #[serde(skip)]
    pub(super) zone: TimeZone,
}

/// Events of one kind of ending.
#[derive(Debug, Serialize)]
pub(super) struct Unsettled {
    pub(super) outcome: String,
    pub(super) reason: Option<String>,
    pub(super) events: i64,
}

/// A process that worked for this target.
#[derive(Debug, Serialize)]
pub(super) struct Worker {
    pub(super) worker: String,
    #[serde(serialize_with = "as_stored")]
    pub(super) last_seen: Option<Timestamp>,
    pub(super) paused_because: Option<String>,
    pub(super) at_work: bool,
}

/// In the one form that all stored instants have.
fn as_stored<S: Serializer>(instant: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    instant.map(stored).serialize(serializer)
}

impl Worker {
    /// Whether a worker that was last seen then still counts as running.
    pub(super) fn is_at_work(last_seen: Option<Timestamp>, now: Timestamp) -> bool {
        last_seen.is_some_and(|seen| now.duration_since(seen) <= STALE_AFTER)
    }
}

impl Database {
    /// Events with this outcome.
    pub(super) fn number(&self, outcome: Outcome) -> i64 {
        self.unsettled.iter().filter(|one| one.outcome == outcome.as_str()).map(|one| one.events).sum()
    }
}

impl Target {
    /// Every event that was accepted, and whether each is in a place that is known: with a spool this is compared,
    /// with RabbitMQ it is added up. `None` where something could not be looked at.
    pub(super) fn accepted(&self) -> Option<i64> {
        let database = self.database.as_ref()?;
        let waiting = match (&self.spool, &self.queues) {
            (Some(spool), _) => i64::try_from(spool.balance.as_ref()?.waiting_new).unwrap_or(i64::MAX),
            (None, Some(queues)) => {
                let spooled = self.ingress_spool.map_or(0, |spool| spool.waiting);
                i64::from(queues.waiting.unwrap_or_default())
                    + i64::from(queues.dead_letters.unwrap_or_default())
                    + i64::try_from(spooled).unwrap_or(i64::MAX)
            }
            (None, None) => return None,
        };
        Some(database.events + database.held + waiting)
    }

    /// Draws the conclusions; `unknown` is there already.
    pub(super) fn concluded(mut self, now: Timestamp) -> Self {
        self.trouble = self.queues.as_ref().map(Queues::trouble).unwrap_or_default();
        self.trouble.extend(self.ingress_spool.and_then(IngressSpool::trouble));
        self.trouble.extend(self.spool.iter().flat_map(Spool::trouble));
        let program = match &self.spool {
            Some(spool) => spool.program.answers.then_some("jodo-sync"),
            None => Some("jodo-worker"),
        };
        self.trouble.extend(self.database.iter().flat_map(|database| database.trouble(program, now)));
        self
    }

    /// What could not be looked at may be worse than what was seen.
    pub(super) fn verdict(&self) -> Verdict {
        match (self.unknown.is_empty(), self.trouble.is_empty()) {
            (false, _) => Verdict::CannotTell,
            (true, false) => Verdict::NeedsAPerson,
            (true, true) => Verdict::Well,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well(now: Timestamp) -> Target {
        let worker = Worker {
            worker: "host-1".into(),
            last_seen: Some(now),
            paused_because: None,
            at_work: Worker::is_at_work(Some(now), now),
        };
        Target {
            target: "main".into(),
            database: Some(Database { workers: vec![worker], ..Database::default() }),
            queues: Some(Queues { waiting: Some(7), dead_letters: Some(0) }),
            ..Target::default()
        }
    }

    fn verdict_after(change: impl FnOnce(&mut Target, &mut Database, &mut Queues)) -> Verdict {
        let now = Timestamp::UNIX_EPOCH;
        let mut target = well(now);
        let (mut database, mut queues) = (target.database.take().unwrap(), target.queues.take().unwrap());
        change(&mut target, &mut database, &mut queues);
        (target.database, target.queues) = (Some(database), Some(queues));
        target.concluded(now).verdict()
    }

    #[test]
    fn a_waiting_queue_and_an_event_that_tries_again_need_nobody() {
        let retrying = Unsettled { outcome: "retrying".into(), reason: None, events: 3 };
        assert_eq!(verdict_after(|_, database, _| database.unsettled.push(retrying)), Verdict::Well);
    }

    #[test]
    fn what_nobody_mends_by_itself_needs_a_person() {
        let quarantined = Unsettled { outcome: "quarantined".into(), reason: None, events: 1 };
        let verdicts = [
            verdict_after(|_, database, _| database.unsettled.push(quarantined)),
            verdict_after(|_, database, _| database.held = 1),
            verdict_after(|_, database, _| database.workers.clear()),
            verdict_after(|_, database, _| database.workers[0].at_work = false),
            verdict_after(|_, database, _| database.workers[0].paused_because = Some("brake".into())),
            verdict_after(|_, _, queues| queues.waiting = None),
            verdict_after(|_, _, queues| queues.dead_letters = Some(1)),
        ];
        assert_eq!(verdicts, [Verdict::NeedsAPerson; 7]);
    }

    #[test]
    fn what_could_not_be_looked_at_outweighs_what_was_seen() {
        let verdict = verdict_after(|target, database, _| {
            target.unknown.push("RabbitMQ".into());
            database.held = 1;
        });
        assert_eq!(verdict, Verdict::CannotTell);
    }

    #[test]
    fn a_worker_is_at_work_for_a_minute_after_it_was_seen() {
        let now = Timestamp::from_second(100).unwrap();
        let at = |second| Timestamp::from_second(second).ok();
        assert!(Worker::is_at_work(at(40), now));
        assert!(Worker::is_at_work(at(130), now), "its clock may be ahead");
        assert!(!Worker::is_at_work(at(39), now));
        assert!(!Worker::is_at_work(None, now));
    }
}
