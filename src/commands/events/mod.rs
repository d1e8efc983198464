//! `jodo-sync events`: what came in, and what became of it.

use std::io::Write;

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use jodo_shared::config::Config;
use jodo_shared::outcome::{Outcome, Reason};

use crate::Exit;
use crate::wording::plain;

pub(crate) mod effect;
pub(crate) mod history;
pub mod list;
pub mod show;

/// Arguments of `events`.
#[derive(Debug, Args)]
pub struct EventsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: EventsCommand,
}

/// A command on events.
#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// List the newest events.
    List(list::ListArgs),
    /// Show all that is known of one event, and which of its values are still the current ones.
    Show(show::ShowArgs),
}

/// Runs the command.
///
/// # Errors
/// Which ERP database could not be read, and why.
pub async fn run(args: &EventsArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match &args.command {
        EventsCommand::List(args) => list::run(args, config, out).await,
        EventsCommand::Show(args) => show::run(args, config, out).await,
    }
}

/// The time zone of a source; UTC for one that is no longer configured.
pub(crate) fn zone_of(config: &Config, source: &str) -> TimeZone {
    let source = config.sources.iter().find(|(name, _)| name.as_str() == source);
    source.map_or(TimeZone::UTC, |(_, source)| source.time_zone.clone())
}

/// `applied – recorded`; a word of another version stands alone.
pub(crate) fn outcome_in_words(word: &str) -> String {
    match word.parse::<Outcome>() {
        Ok(outcome) => format!("{outcome} – {}", outcome.sentence()),
        Err(_) => plain(word),
    }
}

/// The reason's sentence, and the member or database object that it is about.
pub(crate) fn reason_in_words(word: Option<&str>, detail: Option<&str>) -> Option<String> {
    let word = word?;
    let sentence = word.parse::<Reason>().map_or_else(|_| plain(word), |reason| reason.sentence().to_owned());
    Some(match detail {
        Some(detail) => format!("{sentence} ({})", plain(detail)),
        None => sentence,
    })
}
