//! `jodo-sync unverified discard`.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::Context as _;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;
use jodo_worker::store::maintain::Maintain;

use super::Pages;
use crate::commands::by_hand::{ByArgs, NOTHING_CHANGED};
use crate::wording::{count, plain};
use crate::{Exit, targets};

/// Fewest digits of a key that may stand for it.
const FEWEST_DIGITS: usize = 8;

/// Arguments of `unverified discard`.
#[derive(Debug, Args)]
pub struct DiscardArgs {
    /// Delivery keys, or their first 8 digits or more.
    #[arg(required = true)]
    pub id: Vec<String>,
    /// Only this ERP database; all configured ones without it.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
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

/// Throws the named deliveries away.
///
/// # Errors
/// Which ERP database could not be read or written, and why.
pub(super) async fn run(args: &DiscardArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut unknown: BTreeSet<&str> = args.id.iter().map(String::as_str).collect();
    for (name, erp) in targets::some(config, args.target.as_ref())? {
        let store = targets::open(name, erp)?;
        let discarding = async {
            store.check_schema().await?;
            let keys = keys(store.as_ref(), &args.id, &mut unknown).await?;
            match args.dry_run {
                true => Ok(keys.len()),
                false => anyhow::Ok(store.discard_held(&keys, &args.by.deed(args.reason.as_deref())).await?),
            }
        };
        let number = discarding.await.with_context(|| format!("erp.{name}"))?;
        let deliveries = count(number as i64, "delivery", "deliveries");
        let done = if args.dry_run { "would be thrown away" } else { "thrown away" };
        writeln!(out, "{name}: {deliveries} {done}.")?;
    }
    for id in &unknown {
        writeln!(out, "{}: no held delivery has this key, or these first digits (8 or more).", plain(id))?;
    }
    if args.dry_run {
        writeln!(out, "{NOTHING_CHANGED}")?;
    }
    Ok(if unknown.is_empty() { Exit::Well } else { Exit::Wrong })
}

/// The keys of held deliveries that the ids mean.
async fn keys(
    store: &dyn Maintain,
    ids: &[String],
    unknown: &mut BTreeSet<&str>,
) -> anyhow::Result<Vec<String>> {
    let (mut pages, mut keys) = (Pages::of(store), Vec::new());
    loop {
        let page = pages.next().await?;
        if page.is_empty() {
            return Ok(keys);
        }
        for held in page {
            let fits = |id: &&String| {
                id.len() >= FEWEST_DIGITS && held.delivery_key.starts_with(&id.to_ascii_lowercase())
            };
            let fitting: Vec<_> = ids.iter().filter(fits).collect();
            for id in &fitting {
                unknown.remove(id.as_str());
            }
            if !fitting.is_empty() {
                keys.push(held.delivery_key);
            }
        }
    }
}
