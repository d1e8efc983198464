//! `jodo-sync simulate verify`: what the views show, and what they should.

use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jodo_school::Run;
use jodo_school::model::{Setting, replay};
use jodo_shared::config::Config;
use jodo_shared::ids::SourceName;
use tokio::time::{Instant, sleep};

use super::arrivals::{Arrivals, Lengths};
use super::compare::Differences;
use super::database::{Database, Unsettled};
use super::guard;
use crate::Exit;
use crate::wording::grouped;

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

    let bodies: Vec<String> = arrivals.runs.keys().copied().flat_map(Run::bodies).collect();
    let setting = Setting {
        source: name.to_string(),
        tenant: source.tenant.to_string(),
        time_zone: source.time_zone.clone(),
    };
    let truth = replay(&setting, &bodies);
    let (views, rows) = (truth.len(), truth.values().map(|rows| rows.len() as u64).sum::<u64>());
    let mut differences = Differences::default();
    differences.events(&arrivals);
    if arrivals.real == 0 {
        differences.outcomes(&unsettled);
    }
    for (view, expected) in truth {
        let found = database.rows(view).await?;
        differences.view(view, &source.tenant, expected, found, arrivals.real > 0);
    }
    differences.print(out)?;
    if arrivals.real > 0 {
        real_events(arrivals.real, differences.real_rows, &unsettled, out)?;
    }
    writeln!(
        out,
        "{} events, {} rows in {views} views: {} differences",
        grouped(arrivals.expected()),
        grouped(rows),
        grouped(differences.count)
    )?;
    Ok(if differences.count == 0 { Exit::Well } else { Exit::Wrong })
}

/// Says what was left out of the comparison because it may be the real events'.
fn real_events(events: u64, rows: u64, unsettled: &[Unsettled], out: &mut dyn Write) -> io::Result<()> {
    let (events, rows) = (grouped(events), grouped(rows));
    writeln!(out, "The database also holds real events ({events}); their rows ({rows}) are not compared.")?;
    let unsettled: u64 = unsettled.iter().map(|one| one.events.unsigned_abs()).sum();
    if unsettled > 0 {
        writeln!(
            out,
            "Not settled, whether real or simulated: {}; `jodo-sync events list --outcome quarantined --outcome \
             retrying` tells which.",
            grouped(unsettled)
        )?;
    }
    Ok(())
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
    let mut lengths = Lengths::new();
    loop {
        let arrivals = Arrivals::of(database.event_ids().await?, &mut lengths);
        let unsettled = database.unsettled().await?;
        let done = arrivals.complete() && !unsettled.iter().any(|one| one.outcome == "retrying");
        if last_seen != Some(arrivals.arrived()) {
            (last_seen, last_change) = (Some(arrivals.arrived()), Instant::now());
        }
        let over = started.elapsed() >= wait || last_change.elapsed() >= PATIENCE;
        if !arrivals.complete() && !arrivals.runs.is_empty() && (over || !said) {
            let (arrived, expected) = (grouped(arrivals.arrived()), grouped(arrivals.expected()));
            writeln!(out, "{arrived} of {expected} events are in the database so far.")?;
            out.flush()?;
            said = true;
        }
        if done || over {
            return Ok((arrivals, unsettled));
        }
        sleep(PAUSE).await;
    }
}
