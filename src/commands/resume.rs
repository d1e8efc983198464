//! `jodo-sync resume`: ends a pause, and lifts the brake.

use std::io::Write;

use anyhow::Context as _;
use clap::Args;
use jodo_shared::clock::now;
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;

use crate::commands::by_hand::ByArgs;
use crate::wording::{count, plain, when};
use crate::{Exit, targets};

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The ERP database.
    pub target: TargetName,
    /// Who resumes it.
    #[command(flatten)]
    pub who: ByArgs,
}

/// Lets the workers go on.
///
/// # Errors
/// When there is no such database, or it cannot be written.
pub async fn run(args: &ResumeArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (name, erp) = targets::one(config, Some(&args.target))?;
    let store = targets::open(name, erp)?;
    let resuming = async {
        store.check_schema().await?;
        store.resume(name, &args.who.deed(None)).await
    };
    let resumed = resuming.await.with_context(|| format!("erp.{name}"))?;
    match resumed.pause.filter(|pause| pause.until > now()) {
        Some(pause) => {
            let until = when(pause.until, &targets::zone(config, name));
            let (who, reason) = (plain(&pause.who), plain(&pause.reason));
            writeln!(out, "{name} goes on; it was paused until {until} by {who}: {reason}")?;
        }
        None => writeln!(out, "{name} was not paused by anybody.")?,
    }
    if resumed.braked > 0 {
        writeln!(
            out,
            "The brake is lifted. {} because of it: tried again within a minute, and quarantined if the database \
             still refuses.",
            count(resumed.braked, "event waits", "events wait")
        )?;
    }
    Ok(Exit::Well)
}
