//! `jodo-sync migrate`: brings the ERP databases to this version. Workers only check.

use std::io::Write;

use anyhow::Context as _;
use clap::Args;
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;
use jodo_worker::store;

use crate::{Exit, targets};

/// Arguments of `migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Only this ERP database; all configured ones without it.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
}

/// Migrates each database, and stops at the first that cannot be.
///
/// # Errors
/// Which target, and why; its tables are as the last migration that succeeded left them.
pub async fn run(args: &MigrateArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    for (name, erp) in targets::some(config, args.target.as_ref())? {
        let migrated = store::migrate(&erp.url).await.with_context(|| format!("erp.{name}"))?;
        let version = migrated.version;
        if migrated.applied.is_empty() {
            writeln!(out, "{name}: nothing to do, it is at version {version}")?;
        } else {
            writeln!(out, "{name}: applied {}, now at version {version}", migrated.applied.join(", "))?;
        }
    }
    Ok(Exit::Well)
}
