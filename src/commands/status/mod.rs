//! `jodo-sync status`: one screen that says whether all is well.

use std::io::Write;

use clap::Args;
use jodo_shared::clock::now;
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;

use crate::Exit;

mod gather;
mod report;
mod screen;
mod trouble;

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Only this ERP database; all configured ones without it.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
    /// As JSON, times in UTC.
    #[arg(long)]
    pub json: bool,
}

/// Looks everywhere and tells; `one_program` says that deliveries wait in a spool here and not in RabbitMQ. [`Exit::Wrong`] when something needs a person, [`Exit::CannotTell`] when something
/// could not be looked at.
///
/// # Errors
/// When the target is not configured.
pub async fn run(
    args: &StatusArgs,
    config: &Config,
    one_program: bool,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let now = now();
    let status = gather::status(config, args.target.as_ref(), one_program, now).await?;
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&status)?)?;
    } else {
        screen::print(&status, now, out)?;
    }
    Ok(status.verdict.into())
}
