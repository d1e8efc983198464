//! `jodo-sync dump --canonical`: the rows as text, to compare two databases by.

use std::io::Write;

use anyhow::Context as _;
use clap::Args;
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;

use crate::{Exit, targets};

/// Arguments of `dump`.
#[derive(Debug, Args)]
pub struct DumpArgs {
    /// In the canonical form, the only one there is: a line per row, sorted bytewise, the same on every database.
    /// Holds personal data.
    #[arg(long, required = true)]
    pub canonical: bool,
    /// The ERP database; needed where there are several.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
}

/// Prints the lines of the dump.
///
/// # Errors
/// When there is no such database, or it cannot be read.
pub async fn run(args: &DumpArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let (name, erp) = targets::one(config, args.target.as_ref())?;
    let lines = targets::open(name, erp)?.dump().await.with_context(|| format!("erp.{name}"))?;
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(Exit::Well)
}
