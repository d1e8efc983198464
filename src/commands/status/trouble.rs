//! What needs a person, and what that person should do.

use jiff::Timestamp;
use jodo_shared::outcome::Outcome;

use super::report::{Database, Queues, Source, Spool};
use crate::ingress_says::IngressSpool;
use crate::wording::{ago, count};

impl Database {
    /// `program` is the one that should be running; `None` where it is known that it does not.
    pub(super) fn trouble(&self, program: Option<&str>, now: Timestamp) -> Vec<String> {
        let mut trouble = Vec::new();
        let quarantined = self.number(Outcome::Quarantined);
        if quarantined > 0 {
            let events = count(quarantined, "event needs", "events need");
            trouble.push(format!("{events} a person: `jodo-sync events list --outcome quarantined`"));
        }
        if self.held > 0 {
            let held = count(self.held, "delivery is", "deliveries are");
            trouble.push(format!(
                "{held} held because the sender was not proved: do the signing secrets match? `jodo-sync unverified list`"
            ));
        }
        trouble.extend(self.sources.iter().filter_map(Source::trouble));
        let Some(program) = program else { return trouble };
        match self.workers.first() {
            None => {
                trouble.push(format!("no worker has ever worked for this database: is {program} running?"));
            }
            Some(latest) if !latest.at_work => {
                let ago = latest.last_seen.map_or_else(|| "long ago".to_owned(), |seen| ago(seen, now));
                trouble
                    .push(format!("no worker is at work, the last was seen {ago}: is {program} running, and does its log say what it waits for?"));
            }
            Some(_) => (),
        }
        let paused = self.workers.iter().filter(|worker| worker.at_work);
        trouble.extend(paused.filter_map(|worker| {
            let because = worker.paused_because.as_ref()?;
            // What somebody has ordered needs nobody.
            if self.pause.as_ref().is_some_and(|pause| pause.said == *because) {
                return None;
            }
            Some(format!("worker {} is paused: {because}", worker.worker))
        }));
        trouble
    }
}

impl IngressSpool {
    pub(super) fn trouble(self) -> Option<String> {
        let room = self.full_in_seconds.map_or_else(String::new, |seconds| {
            format!("; there is room for another {:.1} hours at this pace", seconds / 3_600.0)
        });
        let trouble = "RabbitMQ does not take deliveries, so they go to the spool of jodo-ingress";
        self.spooling.then(|| format!("{trouble}; Jodo gets its 200{room}"))
    }
}

impl Source {
    fn trouble(&self) -> Option<String> {
        let strikes = self.strikes.as_ref().filter(|strikes| strikes.in_a_row >= self.first_warning)?;
        Some(format!(
            "{} of {} from source {} were answered with an error, one after the other: after too many Jodo switches \
             the subscription off; the log of jodo-ingress says why",
            count(strikes.in_a_row, "delivery", "deliveries"),
            strikes.code,
            self.source
        ))
    }
}

impl Queues {
    pub(super) fn trouble(&self) -> Vec<String> {
        let mut trouble = Vec::new();
        if self.waiting.is_none() {
            trouble.push(
                "RabbitMQ has no queue for this database: ingress and worker make it when they start"
                    .to_owned(),
            );
        }
        let dead = self.dead_letters.unwrap_or_default();
        if dead > 0 {
            trouble.push(format!(
                "{} in RabbitMQ that no worker could take: `jodo-sync dead list`",
                count(dead, "dead letter", "dead letters")
            ));
        }
        trouble
    }
}

impl Spool {
    pub(super) fn trouble(&self) -> Vec<String> {
        let mut trouble = Vec::new();
        if !self.program.answers {
            trouble.push(format!(
                "jodo-sync does not answer at {}: start it. Until then nothing is taken in or applied",
                self.program.address
            ));
        }
        trouble.extend(self.program.reasons.iter().map(|reason| format!("jodo-sync: {reason}")));
        for (target, waiting) in &self.stranded {
            let waiting = count(*waiting, "delivery waits", "deliveries wait");
            trouble.push(format!("{waiting} for target {target}, which is not configured any more"));
        }
        if self.unreadable_files > 0 {
            trouble.push(format!(
                "{} in the spool folder cannot be read and was set aside: docs/SMALL-SCHOOL.md says what to do",
                count(self.unreadable_files, "file", "files")
            ));
        }
        if let Some(missing) =
            self.balance.as_ref().map(|balance| balance.missing).filter(|missing| *missing > 0)
        {
            trouble.push(format!(
                "{} accepted and finished, but not in the database: was it restored from an older copy? Then \
                 `jodo-sync recover` brings them back",
                count(missing, "event was", "events were")
            ));
        }
        trouble
    }
}
