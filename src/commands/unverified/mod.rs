//! `jodo-sync unverified`: deliveries whose sender was not proved, and what becomes of them.

use std::io::Write;

use clap::{Args, Subcommand};
use jodo_shared::config::Config;
use jodo_worker::store::maintain::Maintain;
use jodo_worker::store::reads::StoredHeld;

use crate::Exit;

mod discard;
mod list;
mod retry;

/// Rows that are read at once. Too many: memory, for their bodies come along.
const ROWS_AT_ONCE: i64 = 50;

/// Arguments of `unverified`.
#[derive(Debug, Args)]
pub struct UnverifiedArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: UnverifiedCommand,
}

/// A command on held deliveries.
#[derive(Debug, Subcommand)]
pub enum UnverifiedCommand {
    /// List the held deliveries, the oldest first.
    List(list::ListArgs),
    /// Check their signatures against today's secrets, and let those in that are good now.
    Retry(retry::RetryArgs),
    /// Throw held deliveries away.
    Discard(discard::DiscardArgs),
}

/// Runs the command.
///
/// # Errors
/// Which ERP database could not be read or written, and why.
pub async fn run(args: &UnverifiedArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match &args.command {
        UnverifiedCommand::List(args) => list::run(args, config, out).await,
        UnverifiedCommand::Retry(args) => retry::run(args, config, out).await,
        UnverifiedCommand::Discard(args) => discard::run(args, config, out).await,
    }
}

/// The held deliveries, page by page. Taking some of a page away does not move the next one.
struct Pages<'a> {
    store: &'a dyn Maintain,
    after: Option<String>,
}

impl<'a> Pages<'a> {
    fn of(store: &'a dyn Maintain) -> Self {
        Self { store, after: None }
    }

    /// The next page; empty at the end.
    async fn next(&mut self) -> anyhow::Result<Vec<StoredHeld>> {
        let page = self.store.held(self.after.as_deref(), ROWS_AT_ONCE).await?;
        self.after = page.last().map(|last| last.delivery_key.clone()).or(self.after.take());
        Ok(page)
    }
}
