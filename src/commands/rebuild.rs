//! `jodo-sync rebuild`: every row of the projections made anew from the stored events.

use std::io::Write;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jiff::SignedDuration;
use jodo_shared::clock::now;
use jodo_shared::config::{Config, Erp};
use jodo_shared::ids::TargetName;
use jodo_worker::decide::SourceRules;
use jodo_worker::store::StoreError;
use jodo_worker::store::maintain::{Maintain, OrderedPause, Rebuilt};
use jodo_worker::store::operate::Deed;

use crate::commands::by_hand::ByArgs;
use crate::wording::{count, grouped};
use crate::{Exit, targets};

/// The pause ends by itself should the command be killed; a rebuild that takes longer is still safe, since it keeps
/// everybody from writing.
const PAUSE: SignedDuration = SignedDuration::from_hours(2);
/// A worker that was seen within this time may be at work.
const RECENT: SignedDuration = SignedDuration::from_secs(60);
/// How often workers are looked at, and how many times, before the rebuild goes ahead: whoever commits then waits.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LOOKS: usize = 30;

/// Arguments of `rebuild`.
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// The ERP database; needed where there are several.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
    /// Who rebuilds it.
    #[command(flatten)]
    pub who: ByArgs,
    /// Only compare; workers go on meanwhile.
    #[arg(long)]
    pub dry_run: bool,
}

/// Compares the rows with what the events make of them and, unless it is a dry run, replaces them where they differ.
/// [`Exit::Wrong`] when that is not possible.
///
/// # Errors
/// When there is no such database, or it cannot be read or written; nothing was changed.
pub async fn run(args: &RebuildArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (name, erp) = targets::one(config, args.target.as_ref())?;
    let rebuilt = rebuild(args, config, (name, erp), out).await.with_context(|| format!("erp.{name}"))?;
    writeln!(out, "{name}: {}", count(rebuilt.events, "applied event", "applied events"))?;
    if refused(&rebuilt, out)? {
        return Ok(Exit::Wrong);
    }
    let differ: Vec<_> = rebuilt.tables.iter().filter(|table| table.is_some()).collect();
    for one in &differ {
        writeln!(
            out,
            "  {:<24} {} that no event makes, {} missing, {} different",
            one.table,
            count(one.surplus, "row", "rows"),
            grouped(one.missing),
            grouped(one.different)
        )?;
    }
    let said = match (differ.is_empty(), args.dry_run) {
        (true, _) => "Every row is as the events make it; nothing was changed.",
        (false, true) => "Nothing was changed; without --dry-run these tables are replaced.",
        (false, false) => "Replaced: every row is now as the events make it.",
    };
    writeln!(out, "{said}")?;
    Ok(Exit::Well)
}

async fn rebuild(
    args: &RebuildArgs,
    config: &Config,
    (name, erp): (&TargetName, &Erp),
    out: &mut dyn Write,
) -> anyhow::Result<Rebuilt> {
    let rules =
        config.sources.iter().map(|(name, source)| (name.clone(), SourceRules::from(source))).collect();
    let store = targets::open(name, erp)?;
    store.check_schema().await?;
    if args.dry_run {
        return Ok(store.rebuild(name, &rules, None).await?);
    }
    let by = args.who.deed(None);
    let pause = pause(store.as_ref(), name, &by).await?;
    if pause.is_some() {
        writeln!(out, "{name} is paused meanwhile; should this be interrupted: `jodo-sync resume {name}`")?;
        out.flush()?;
    }
    let rebuilt = async {
        until_workers_stopped(store.as_ref()).await?;
        store.rebuild(name, &rules, Some(&by)).await
    };
    let rebuilt = rebuilt.await;
    if let Some(pause) = pause {
        store.take_back(name, &pause).await?;
    }
    Ok(rebuilt?)
}

/// Says why nothing was changed, if an event stands in the way.
fn refused(rebuilt: &Rebuilt, out: &mut dyn Write) -> anyhow::Result<bool> {
    if rebuilt.without_body > 0 {
        let bodies =
            count(rebuilt.without_body, "of them has lost its body", "of them have lost their bodies");
        writeln!(out, "{bodies} to retention, and what it wrote cannot be made again: nothing was changed.")?;
        return Ok(true);
    }
    if !rebuilt.not_applied.is_empty() {
        writeln!(out, "Today's program and configuration would not apply all of them; nothing was changed:")?;
        for (word, events) in &rebuilt.not_applied {
            writeln!(out, "  {word:<24} {}", count(*events, "event", "events"))?;
        }
    }
    Ok(!rebuilt.not_applied.is_empty())
}

/// Pauses the target, unless somebody has already.
async fn pause(
    store: &dyn Maintain,
    target: &TargetName,
    by: &Deed,
) -> Result<Option<OrderedPause>, StoreError> {
    let pause = OrderedPause {
        paused_at: by.at,
        until: by.at + PAUSE,
        who: by.who.clone(),
        reason: "rebuild".to_owned(),
    };
    let before = store.resumable(target).await?.pause;
    if before.is_some_and(|before| before.until > pause.paused_at) {
        return Ok(None);
    }
    store.pause(target, &pause).await?;
    Ok(Some(pause))
}

/// Waits until no worker is at work, but not for ever: a worker that has died looks as if it were for a minute.
async fn until_workers_stopped(store: &dyn Maintain) -> Result<(), StoreError> {
    for _ in 0..LOOKS {
        let recently = now() - RECENT;
        let workers = store.summary().await?.workers;
        let at_work = workers.iter().filter(|worker| worker.paused_because.is_none());
        let mut seen = at_work.filter_map(|worker| worker.last_seen_at.parse().ok());
        if !seen.any(|seen: jiff::Timestamp| seen > recently) {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    tracing::warn!("a worker has not stopped; going on, and it waits when it commits");
    Ok(())
}
