//! `jodo-sync recover`: what a database that was restored from a back-up has lost, from the archive beside the spool.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::Timestamp;
use jodo_shared::broker::spool::archive::{Kept, KeptFile, kept_since};
use jodo_shared::broker::spool::numbered::numbered;
use jodo_shared::config::Config;
use jodo_shared::ids::{DeliveryKey, TargetName};
use jodo_worker::store::maintain::Maintain;

use crate::commands::by_hand::ByArgs;
use crate::one_program::DataDir;
use crate::wording::count;
use crate::{Exit, targets};

mod way;

use way::Way;

/// Deliveries that are looked up in one query, and brought back together.
const AT_ONCE: usize = 500;

/// Arguments of `recover`.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// Instant from which on deliveries may be missing: when the back-up was begun, or earlier. Such as
    /// 2026-11-24T22:00:00+05:30.
    #[arg(long, value_name = "INSTANT")]
    pub since: Timestamp,
    /// Another spool folder to bring back from, such as that of the data folder before it was replaced.
    #[arg(long, value_name = "PATH")]
    pub from: Option<PathBuf>,
    /// Only for this ERP database.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
    /// Who.
    #[command(flatten)]
    pub by: ByArgs,
    /// Say what is missing, and bring nothing back.
    #[arg(long)]
    pub dry_run: bool,
}

/// What was found for one ERP database.
#[derive(Debug, Default)]
struct Tally {
    /// Each counts once, however often it was delivered.
    kept: HashSet<DeliveryKey>,
    missing: usize,
    brought_back: usize,
}

/// Compares the archive with the databases, and brings back what they do not know: into RabbitMQ, or, in the one program,
/// into the spool for its next start. Doing it twice does no harm.
///
/// # Errors
/// When there is no archive here, a database cannot be asked, RabbitMQ cannot be reached, or the one program runs.
pub async fn run(
    args: &RecoverArgs,
    config: &Config,
    data: Option<&DataDir>,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let mut stores = BTreeMap::new();
    for (name, erp) in targets::some(config, args.target.as_ref())? {
        stores.insert(name.clone(), targets::open(name, erp)?);
    }
    let folders = folders(args, config, data)?;
    let way = if args.dry_run { None } else { Some(Way::open(config, data)?) };
    let mut tallies: BTreeMap<TargetName, Tally> = BTreeMap::new();
    let mut unreadable = 0;
    for folder in folders {
        let files = kept_since(&folder, args.since, args.from.is_some())
            .with_context(|| folder.display().to_string())?;
        for file in files {
            match file {
                Ok(file) => one_file(&file, &stores, way.as_ref(), &mut tallies).await?,
                Err(error) => {
                    unreadable += 1;
                    writeln!(out, "{}: a file is left out: {error}", folder.display())?;
                }
            }
        }
    }
    if let Some(way) = way {
        way.close().await;
        for (target, tally) in &tallies {
            let what =
                format!("{} of {} brought back, from {}", tally.brought_back, tally.missing, args.since);
            let noted = stores[target].note_of_target(&args.by.deed(None), "recover", &what).await;
            noted.with_context(|| format!("erp.{target}"))?;
        }
    }
    report(args, &stores, &tallies, data.is_some(), out)?;
    let failed = tallies.values().any(|tally| !args.dry_run && tally.brought_back < tally.missing);
    Ok(if failed || unreadable > 0 { Exit::Wrong } else { Exit::Well })
}

/// Where the archive is: one folder, or the numbered ones of the ingresses.
fn folders(args: &RecoverArgs, config: &Config, data: Option<&DataDir>) -> anyhow::Result<Vec<PathBuf>> {
    let dir = args.from.as_ref().unwrap_or(&config.ingress.spool_dir);
    if !dir.is_dir() {
        bail!("{} is no folder: run this where the spool is (ingress.spool_dir)", dir.display());
    }
    let numbered = numbered(dir).with_context(|| dir.display().to_string())?;
    Ok(if data.is_some() || numbered.is_empty() { vec![dir.clone()] } else { numbered })
}

async fn one_file(
    file: &KeptFile,
    stores: &BTreeMap<TargetName, Arc<dyn Maintain>>,
    way: Option<&Way>,
    tallies: &mut BTreeMap<TargetName, Tally>,
) -> anyhow::Result<()> {
    for (target, store) in stores {
        let tally = tallies.entry(target.clone()).or_default();
        let of_target = file.kept.iter().filter(|kept| kept.target == *target);
        let kept: Vec<Kept> = of_target.filter(|kept| tally.kept.insert(kept.key)).cloned().collect();
        for slice in kept.chunks(AT_ONCE) {
            let keys: Vec<_> = slice.iter().map(|kept| kept.key).collect();
            let known = store.known(&keys).await.with_context(|| format!("erp.{target}"))?;
            let missing: Vec<Kept> =
                slice.iter().filter(|kept| !known.contains(&kept.key)).cloned().collect();
            tally.missing += missing.len();
            if let Some(way) = way.filter(|_| !missing.is_empty()) {
                tally.brought_back += way.bring_back(file.read(&missing).context("a spool file")?).await?;
            }
        }
    }
    Ok(())
}

fn report(
    args: &RecoverArgs,
    stores: &BTreeMap<TargetName, Arc<dyn Maintain>>,
    tallies: &BTreeMap<TargetName, Tally>,
    one_program: bool,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let none = Tally::default();
    for target in stores.keys() {
        let tally = tallies.get(target).unwrap_or(&none);
        let kept = count(tally.kept.len(), "delivery", "deliveries");
        write!(out, "{target}: {kept} in the archive since {}, {} missing", args.since, tally.missing)?;
        match (args.dry_run, tally.missing) {
            (true, _) | (_, 0) => writeln!(out)?,
            _ => writeln!(out, ", {} brought back", tally.brought_back)?,
        }
        if !args.dry_run && tally.brought_back < tally.missing {
            writeln!(out, "Not all of them were taken: run the command again")?;
        }
    }
    if one_program && tallies.values().any(|tally| tally.brought_back > 0) {
        writeln!(out, "They are applied when jodo-sync is started.")?;
    }
    Ok(())
}
