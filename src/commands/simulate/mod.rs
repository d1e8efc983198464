//! `jodo-sync simulate`: the deliveries of a school that does not exist, and whether the views show what happened in
//! it.

use std::io::Write;

use clap::{Args, Subcommand};
use jodo_shared::config::Config;

use crate::Exit;
use crate::commands::send::RouteArgs;

mod arrivals;
mod compare;
mod database;
mod deliveries;
mod guard;
mod posting;
mod report;
mod verify;
mod world;

pub use verify::VerifyArgs;
use world::Run;

/// Arguments of `simulate`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SimulateArgs {
    /// What to send, and how.
    #[command(flatten)]
    pub sending: SendingArgs,
    /// What to do instead.
    #[command(subcommand)]
    pub instead: Option<Instead>,
}

/// What `simulate` does instead of sending.
#[derive(Debug, Subcommand)]
pub enum Instead {
    /// Compare what the ERP database shows with what was simulated.
    Verify(VerifyArgs),
}

/// What to send, and how.
#[derive(Debug, Args)]
pub struct SendingArgs {
    /// How many events happen.
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=Run::MOST))]
    pub events: u64,
    /// How many pupils the school has.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=Run::MOST))]
    pub students: u64,
    /// Share of the events that are sent twice, from 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share)]
    pub duplicates: f64,
    /// Send them in any order, not in the order in which they happened.
    #[arg(long)]
    pub shuffle: bool,
    /// Deliveries a second; as fast as they are answered without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// Deliveries under way at once.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: u16,
    /// The same seed, with as many events and pupils, gives the same deliveries.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Where to.
    #[command(flatten)]
    pub route: RouteArgs,
    /// Send even where real books could be: to a source that is not for tests, or into a database with real events.
    #[arg(long)]
    pub i_mean_it: bool,
}

impl SendingArgs {
    fn run(&self) -> Run {
        Run { seed: self.seed, events: self.events, students: self.students }
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "not a number from 0 to 1".to_owned())
}

/// Sends the deliveries, or verifies what became of them. [`Exit::Well`] when every answer was 200, or nothing
/// differs.
///
/// # Errors
/// When nothing was sent, or nothing could be compared, with what to do about it.
pub async fn run(args: &SimulateArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match &args.instead {
        Some(Instead::Verify(args)) => verify::run(args, config, out).await,
        None => posting::run(&args.sending, config, out).await,
    }
}
