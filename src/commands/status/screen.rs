//! The screen, for somebody who looks after a school and not after computers.

use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};
use jodo_shared::outcome::Outcome;

use super::report::{Database, Program, Queues, Source, Spool, Status, Target, Verdict, Worker};
use crate::commands::events::reason_in_words;
use crate::wording::{ago, count, grouped, plain, when};

/// How long a worker that is gone is worth a word: it may have been stopped, or have died.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

/// Prints the screen.
pub(super) fn print(status: &Status, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    for target in &status.targets {
        print_target(target, now, out)?;
        writeln!(out)?;
    }
    let verdict = match status.verdict {
        Verdict::Well => "All is well.",
        Verdict::NeedsAPerson => "Somebody has to look at this; see the lines with a ✗.",
        Verdict::CannotTell => "It cannot be told whether all is well; see the lines with a ?.",
    };
    writeln!(out, "{verdict}")
}

fn print_target(target: &Target, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "ERP database {}", target.target)?;
    if let Some(database) = &target.database {
        for source in &database.sources {
            line(out, &format!("from {}", source.source), &source_in_words(source, now))?;
            if let Some(strikes) = strikes_in_words(source) {
                line(out, "", &strikes)?;
            }
        }
    }
    if let Some(queues) = &target.queues {
        line(out, "waiting", &queues_in_words(queues))?;
    }
    if let Some(spool) = target.ingress_spool.filter(|spool| spool.spooling || spool.waiting > 0) {
        line(out, "in the spool", &count(spool.waiting, "event", "events"))?;
    }
    if let Some(spool) = &target.spool {
        line(out, "waiting", &spool_in_words(spool, now))?;
    }
    if let Some(database) = &target.database {
        print_database(database, now, out)?;
        match &target.spool {
            Some(spool) => line(out, "program", &program_in_words(&spool.program))?,
            None => line(out, "workers", &workers_in_words(&database.workers, now))?,
        }
    }
    if let Some(sentence) = accounts_in_words(target) {
        line(out, "altogether", &sentence)?;
    }
    for unknown in &target.unknown {
        writeln!(out, "? {}", plain(unknown))?;
    }
    for trouble in &target.trouble {
        writeln!(out, "✗ {}", plain(trouble))?;
    }
    Ok(())
}

fn print_database(database: &Database, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    if let Some(pause) = &database.pause {
        let until = pause.until.map_or_else(String::new, |until| when(until, &pause.zone));
        let (by, reason) = (plain(&pause.by), plain(&pause.reason));
        line(out, "paused", &format!("until {until} by {by}: {reason}"))?;
    }
    line(out, "needs a person", &count(database.number(Outcome::Quarantined), "event", "events"))?;
    let quarantined = database.unsettled.iter().filter(|one| one.outcome == Outcome::Quarantined.as_str());
    for one in quarantined {
        let reason = reason_in_words(one.reason.as_deref(), None);
        line(out, "", &format!("{}: {}", one.events, reason.as_deref().unwrap_or("no reason is recorded")))?;
    }
    line(out, "tries again", &count(database.number(Outcome::Retrying), "event", "events"))?;
    line(out, "held aside", &count(database.held, "delivery", "deliveries"))?;
    if let Some(oldest) = database.oldest_unsettled {
        line(out, "oldest of these", &format!("came {}", ago(oldest, now)))?;
    }
    Ok(())
}

fn program_in_words(program: &Program) -> String {
    match program.answers {
        true => format!("runs, and answers at {}", program.address),
        false => "does not run".to_owned(),
    }
}

fn workers_in_words(workers: &[Worker], now: Timestamp) -> String {
    let at_work = workers.iter().filter(|worker| worker.at_work).count();
    let latest = workers.first().and_then(|worker| worker.last_seen);
    let seen = latest.map_or_else(String::new, |seen| format!(", last seen {}", ago(seen, now)));
    let recently = |at: Timestamp| now.duration_since(at) < RECENT;
    let gone = workers.iter().filter(|worker| !worker.at_work && worker.last_seen.is_some_and(recently));
    let gone = match gone.count() {
        0 => String::new(),
        gone => format!("; {gone} that worked within a day, stopped or silent"),
    };
    format!("{at_work} at work{seen}{gone}")
}

fn line(out: &mut dyn Write, what: &str, value: &str) -> io::Result<()> {
    writeln!(out, "  {what:<20} {value}")
}

fn source_in_words(source: &Source, now: Timestamp) -> String {
    let last = source.last_delivery.map_or_else(
        || "nothing has come yet".to_owned(),
        |at| format!("last delivery {} ({})", ago(at, now), when(at, &source.zone)),
    );
    let today = count(source.accepted_today, "event", "events");
    format!("{last}; {today} accepted today; {}", source.environment)
}

/// Only what is out of the ordinary.
fn strikes_in_words(source: &Source) -> Option<String> {
    match &source.strikes {
        None => Some(
            "how many deliveries failed in a row is unknown: the ingress does not answer here".to_owned(),
        ),
        Some(strikes) if strikes.in_a_row == 0 => None,
        Some(strikes) => Some(format!(
            "{} failed in a row ({})",
            count(strikes.in_a_row, "delivery", "deliveries"),
            plain(&strikes.code)
        )),
    }
}

/// Where everything is that was ever accepted.
fn accounts_in_words(target: &Target) -> Option<String> {
    let accepted = target.accepted()?;
    let database = target.database.as_ref()?;
    let missing = target.spool.as_ref().and_then(|spool| spool.balance.as_ref()).map_or(0, |b| b.missing);
    if missing > 0 {
        let (accepted, missing) = (grouped(accepted), grouped(missing));
        return Some(format!("{accepted} events are accounted for, {missing} are not"));
    }
    let unreadable = target.spool.as_ref().map_or(0, |spool| spool.unreadable_files);
    if unreadable > 0 {
        let (accepted, unreadable) =
            (grouped(accepted), count(unreadable, "unreadable file", "unreadable files"));
        return Some(format!(
            "{accepted} events are accounted for; what is in {unreadable} cannot be counted"
        ));
    }
    let open = database.unsettled.iter().map(|one| one.events).sum::<i64>();
    let finished = database.events - open;
    Some(match accepted {
        0 => "nothing has been accepted yet".to_owned(),
        1 => format!("the one accepted event is accounted for: {finished} finished"),
        _ => {
            let (accepted, finished) = (grouped(accepted), grouped(finished));
            format!("all {accepted} accepted events are accounted for: {finished} finished")
        }
    })
}

fn spool_in_words(spool: &Spool, now: Timestamp) -> String {
    let oldest =
        spool.oldest_waiting.map_or_else(String::new, |at| format!(", the oldest came {}", ago(at, now)));
    format!("{}{oldest}", count(spool.waiting, "event", "events"))
}

fn queues_in_words(queues: &Queues) -> String {
    let Some(waiting) = queues.waiting else { return "no queue in RabbitMQ yet".to_owned() };
    let dead = queues.dead_letters.unwrap_or_default();
    format!("{}, {}", count(waiting, "event", "events"), count(dead, "dead letter", "dead letters"))
}
