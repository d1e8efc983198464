//! `jodo-sync simulate`: the deliveries of a school that does not exist, and whether the views show what happened in
//! it.

use std::io::Write;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use jodo_school::{Run, Scenario};
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

pub use verify::VerifyArgs;

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
    /// What happens in the school.
    #[arg(long, value_enum, value_name = "NAME", default_value_t = Story::Office)]
    pub scenario: Story,
    /// How many events happen in the office [default: 5000]; a school year has about 20 for each pupil.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=Run::MOST))]
    pub events: Option<u64>,
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

/// What happens in the school.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Story {
    /// Its office: pupils who come and go, and manual payments.
    Office,
    /// A whole year, with events of every code, sent as the sender would: some of them hours or days late.
    SchoolYear,
}

impl SendingArgs {
    fn run(&self) -> anyhow::Result<Run> {
        let scenario = match (self.scenario, self.events) {
            (Story::Office, events) => Scenario::Office { events: events.unwrap_or(5_000) },
            (Story::SchoolYear, None) if self.students <= Run::MOST_IN_A_YEAR => Scenario::SchoolYear,
            (Story::SchoolYear, None) => {
                bail!("--students: a school year has at most {} pupils", Run::MOST_IN_A_YEAR)
            }
            (Story::SchoolYear, Some(_)) => {
                bail!("--events: how many events a school year has follows from --students and --seed")
            }
        };
        Ok(Run { seed: self.seed, students: self.students, scenario })
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
