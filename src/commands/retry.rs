//! `jodo-sync retry`: has stored events tried again.

use std::io::Write;

use anyhow::Context as _;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, value_parser};
use jodo_shared::clock::now;
use jodo_shared::config::Config;
use jodo_worker::store::operate::Pace;

use super::by_hand::preview::{self, name_keys};
use super::by_hand::select::{Chosen, SelectionArgs};
use super::by_hand::{ByArgs, NOTHING_CHANGED};
use crate::Exit;
use crate::wording::{count, when};

/// Arguments of `retry`.
#[derive(Debug, Args)]
pub struct RetryArgs {
    /// Which events.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// How many are tried in each second; what comes in meanwhile does not wait for them.
    #[arg(long, value_name = "PER_SECOND", default_value_t = 50, value_parser = value_parser!(u32).range(1..=10_000))]
    pub rate: u32,
    /// Why, for the history.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
    /// Who.
    #[command(flatten)]
    pub by: ByArgs,
    /// Only say what would be tried again.
    #[arg(long)]
    pub dry_run: bool,
}

/// Has the chosen events tried again, by the workers and bit by bit.
///
/// # Errors
/// Which ERP database could not be read or written, and why; what was asked for before that is done.
pub async fn run(args: &RetryArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (chosen, mut complete) = args.selection.choose(config, out).await?;
    for chosen in &chosen {
        let done = in_one_database(args, chosen, out).await;
        complete &= done.with_context(|| format!("erp.{}", chosen.target))?;
    }
    if args.dry_run {
        writeln!(out, "{NOTHING_CHANGED}")?;
    }
    Ok(if complete { Exit::Well } else { Exit::Wrong })
}

/// False when some of the events cannot be tried again.
async fn in_one_database(args: &RetryArgs, chosen: &Chosen<'_>, out: &mut dyn Write) -> anyhow::Result<bool> {
    if args.dry_run {
        preview::print(chosen, "tried again", out).await?;
    }
    let deed = args.by.deed(args.reason.as_deref());
    let mut pace = Pace { first: now(), per_second: args.rate, before: 0 };
    let (mut without_body, mut overtaken) = (Vec::new(), 0);
    let mut pages = chosen.pages();
    while let Some(page) = pages.next().await? {
        let (page, lacking): (Vec<_>, Vec<_>) = page.into_iter().partition(|selected| selected.has_body);
        without_body.extend(lacking.into_iter().map(|selected| selected.event.delivery_key));
        if !args.dry_run {
            let events: Vec<_> = page.into_iter().map(|selected| selected.event).collect();
            let written = chosen.store.retry(&events, &pace, &deed).await?;
            overtaken += events.len() - written;
            pace.before += written;
        }
    }
    if !args.dry_run {
        report(chosen, &pace, overtaken, out)?;
    }
    name_keys("Their bodies were removed, so they cannot be tried again", &without_body, out)?;
    Ok(without_body.is_empty())
}

fn report(chosen: &Chosen<'_>, pace: &Pace, overtaken: usize, out: &mut dyn Write) -> anyhow::Result<()> {
    let target = chosen.target;
    match pace.before {
        0 => writeln!(out, "{target}: no event to try again.")?,
        some => {
            let last = Pace { before: some - 1, ..*pace }.due(0);
            let events = count(some as i64, "event is", "events are");
            writeln!(
                out,
                "{target}: {events} tried again from now on, the last at {}.",
                when(last, &chosen.zone)
            )?;
        }
    }
    if overtaken > 0 {
        let events = count(overtaken as i64, "event was", "events were");
        writeln!(out, "{events} decided by a worker meanwhile, and left alone.")?;
    }
    Ok(())
}
