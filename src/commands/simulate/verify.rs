//! `jodo-sync simulate verify`: what the views show, and what they should.

use std::io::Write;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jodo_shared::config::Config;
use jodo_shared::ids::SourceName;
use tokio::time::{Instant, sleep};

use super::arrivals::Arrivals;
use super::compare::Differences;
use super::database::{Database, Unsettled};
use super::guard;
use super::world::{Views, World};
use crate::Exit;
use crate::wording::{count, grouped};

/// How often to look.
const PAUSE: Duration = Duration::from_secs(1);
/// When nothing more has come for so long, nothing more will.
const PATIENCE: Duration = Duration::from_secs(15);

/// Arguments of `simulate verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The source that the deliveries were sent for; found as `simulate` finds it without this.
    #[arg(long, value_name = "NAME")]
    pub source: Option<SourceName>,
    /// How many seconds to wait for events that have not arrived.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub wait: u64,
    /// Compare at once, whether all have arrived or not.
    #[arg(long)]
    pub no_wait: bool,
}

/// Compares, and prints what differs. [`Exit::Well`] when nothing does.
///
/// # Errors
/// When the source is not configured, or its database cannot be read.
pub(super) async fn run(args: &VerifyArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let name = guard::source(args.source.as_ref(), config)?;
    let source = config.sources.get(&name).with_context(|| format!("sources.{name} is not configured"))?;
    let database = Database::open(config, &source.target)?;
    let wait = if args.no_wait { Duration::ZERO } else { Duration::from_secs(args.wait) };
    let (arrivals, unsettled) = wait_for_events(&database, wait, out).await?;
    if arrivals.runs.is_empty() && arrivals.strange.is_empty() {
        writeln!(
            out,
            "The ERP database {} holds no simulated event; `jodo-sync simulate` sends some.",
            database.name
        )?;
        return Ok(Exit::Wrong);
    }

    let mut truth = Views::new();
    for run in arrivals.runs.keys() {
        for (view, rows) in World::at_the_end(*run).truth(&source.time_zone) {
            truth.entry(view).or_default().extend(rows);
        }
    }
    let rows_of = |view: &str| truth.get(view).map_or(0, |rows| rows.len() as i64);
    let (pupils, payments) = (rows_of("jodo_students"), rows_of("jodo_manual_payments"));
    let mut differences = Differences::default();
    differences.events(&arrivals, &unsettled);
    for (view, expected) in truth {
        let found = database.rows(view).await?;
        differences.view(view, &source.tenant, expected, &found, arrivals.real > 0);
    }

    differences.print(out)?;
    if arrivals.real > 0 {
        writeln!(
            out,
            "The database also holds {} that were not simulated; their rows ({}) are not compared.",
            count(arrivals.real as i64, "event", "events"),
            grouped(differences.real_rows)
        )?;
    }
    writeln!(
        out,
        "{} events, {pupils} pupils, {payments} manual payments: {}",
        grouped(arrivals.expected()),
        count(differences.count as i64, "difference", "differences")
    )?;
    Ok(if differences.count == 0 { Exit::Well } else { Exit::Wrong })
}

/// Looks until every event of the runs is there and none is to be tried again, until nothing more comes, or until
/// `wait` is over; says how many are there where some are missing.
async fn wait_for_events(
    database: &Database,
    wait: Duration,
    out: &mut dyn Write,
) -> anyhow::Result<(Arrivals, Vec<Unsettled>)> {
    let started = Instant::now();
    let (mut last_seen, mut last_change, mut said) = (None, started, false);
    loop {
        let arrivals = Arrivals::of(database.event_ids().await?);
        let unsettled = database.unsettled().await?;
        let done = arrivals.complete() && !unsettled.iter().any(|one| one.outcome == "retrying");
        if last_seen != Some(arrivals.arrived()) {
            (last_seen, last_change) = (Some(arrivals.arrived()), Instant::now());
        }
        let over = started.elapsed() >= wait || last_change.elapsed() >= PATIENCE;
        if !arrivals.complete() && !arrivals.runs.is_empty() && (over || !said) {
            let (arrived, expected) = (grouped(arrivals.arrived()), grouped(arrivals.expected()));
            writeln!(out, "{arrived} of {expected} events are in the database yet.")?;
            out.flush()?;
            said = true;
        }
        if done || over {
            return Ok((arrivals, unsettled));
        }
        sleep(PAUSE).await;
    }
}
