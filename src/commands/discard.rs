//! `jodo-sync discard`: throws events away that nothing can be done about.

use std::io::Write;

use anyhow::{Context as _, bail};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use jodo_shared::config::Config;
use jodo_shared::outcome::Outcome;

use super::by_hand::preview;
use super::by_hand::select::{Chosen, SelectionArgs};
use super::by_hand::{ByArgs, NOTHING_CHANGED};
use crate::Exit;
use crate::wording::count;

/// Arguments of `discard`.
#[derive(Debug, Args)]
pub struct DiscardArgs {
    /// Which events.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Why, for the history; only `--dry-run` does without.
    #[arg(long, required_unless_present = "dry_run", value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
    /// Who.
    #[command(flatten)]
    pub by: ByArgs,
    /// Only say what would be thrown away.
    #[arg(long)]
    pub dry_run: bool,
}

/// Throws the chosen events away. They stay stored, and `retry --outcome discarded` takes them back.
///
/// # Errors
/// When settled events are asked for; which ERP database could not be read or written, and why.
pub async fn run(args: &DiscardArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if let Some(settled) = args.selection.outcome.iter().find(|outcome| outcome.is_settled()) {
        let open = [Outcome::Quarantined, Outcome::Retrying].map(Outcome::as_str).join(" or ");
        bail!("--outcome {settled}: only events that are {open} can be thrown away");
    }
    let (chosen, complete) = args.selection.choose(config, out).await?;
    for chosen in &chosen {
        let done = in_one_database(args, chosen, out).await;
        done.with_context(|| format!("erp.{}", chosen.target))?;
    }
    if args.dry_run {
        writeln!(out, "{NOTHING_CHANGED}")?;
    }
    Ok(if complete { Exit::Well } else { Exit::Wrong })
}

async fn in_one_database(args: &DiscardArgs, chosen: &Chosen<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    if args.dry_run {
        return preview::print(chosen, "thrown away", out).await;
    }
    let deed = args.by.deed(args.reason.as_deref());
    let (mut discarded, mut overtaken) = (0, 0);
    let mut pages = chosen.pages();
    while let Some(page) = pages.next().await? {
        let events: Vec<_> = page.into_iter().map(|selected| selected.event).collect();
        let written = chosen.store.discard(&events, &deed).await?;
        discarded += written;
        overtaken += events.len() - written;
    }
    writeln!(out, "{}: {} thrown away.", chosen.target, count(discarded as i64, "event was", "events were"))?;
    if overtaken > 0 {
        let events = count(overtaken as i64, "event was", "events were");
        writeln!(out, "{events} decided by a worker meanwhile, and left alone.")?;
    }
    Ok(())
}
