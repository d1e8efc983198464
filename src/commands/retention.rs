//! `jodo-sync retention`: removes what has been kept long enough.

use std::io::Write;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use jodo_shared::clock::stored;
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;
use jodo_worker::store::StoreError;
use jodo_worker::store::maintain::{Expired, Maintain};
use jodo_worker::store::operate::Deed;

use crate::commands::by_hand::ByArgs;
use crate::wording::{count, when};
use crate::{Exit, targets};

/// Rows that one transaction changes: few enough that nobody waits for it.
const AT_ONCE: usize = 1_000;

/// Arguments of `retention`.
#[derive(Debug, Args)]
pub struct RetentionArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: RetentionCommand,
}

/// A command on what is kept.
#[derive(Debug, Subcommand)]
pub enum RetentionCommand {
    /// Remove the bodies of finished events older than `retention.bodies_days`, and held deliveries whose 30 days are
    /// over. The events, their outcome and what they wrote stay.
    Run(RunArgs),
}

/// Arguments of `retention run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Only this ERP database; all configured ones without it.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
    /// Who runs it.
    #[command(flatten)]
    pub who: ByArgs,
    /// Only say what would be removed.
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// Which ERP database could not be written, and why. What was removed until then stays removed.
pub async fn run(args: &RetentionArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let RetentionCommand::Run(args) = &args.command;
    let by = args.who.deed(None);
    let kept = SignedDuration::from_hours(24 * i64::from(config.retention.bodies_days));
    // Only a clock near the beginning of time has no such instant.
    let before = by.at.checked_sub(kept).unwrap_or(Timestamp::MIN);
    for (name, erp) in targets::some(config, args.target.as_ref())? {
        let store = targets::open(name, erp)?;
        let removing = async {
            store.check_schema().await?;
            if args.dry_run {
                return store.expired(before, by.at).await;
            }
            remove(store.as_ref(), before, &by).await
        };
        let Expired { bodies, held } = removing.await.with_context(|| format!("erp.{name}"))?;
        writeln!(
            out,
            "{name}: {} of finished events that came before {} and {} whose time is over {}",
            count(bodies, "body", "bodies"),
            when(before, &targets::zone(config, name)),
            count(held, "held delivery", "held deliveries"),
            if args.dry_run { "would be removed" } else { "removed" }
        )?;
    }
    Ok(Exit::Well)
}

/// Removes slice by slice, and writes down how much it was.
async fn remove(store: &dyn Maintain, before: Timestamp, by: &Deed) -> Result<Expired, StoreError> {
    let most = AT_ONCE as i64;
    let (mut bodies, mut held, mut from) = (0, 0, String::new());
    while let Some(slice) = store.remove_bodies(&from, before, by.at, most).await? {
        bodies += slice.removed as i64;
        from = slice.reached;
    }
    loop {
        let forgotten = store.forget_held(by.at, most).await?;
        held += forgotten as i64;
        if forgotten < AT_ONCE {
            break;
        }
    }
    let what = format!("{bodies} bodies from before {}, {held} held deliveries", stored(before));
    store.note_of_target(by, "retention", &what).await?;
    Ok(Expired { bodies, held })
}
