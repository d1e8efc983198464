//! `jodo-sync pause`: the workers of a target take nothing for a while.

use std::io::Write;

use anyhow::Context as _;
use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use jodo_shared::clock::now;
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;
use jodo_worker::store::maintain::OrderedPause;

use crate::commands::by_hand::ByArgs;
use crate::wording::{plain, when};
use crate::{Exit, targets, waiting};

/// A pause that somebody has forgotten must end.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Arguments of `pause`.
#[derive(Debug, Args)]
pub struct PauseArgs {
    /// The ERP database.
    pub target: TargetName,
    /// For how long: `45m`, `2h`, `1d 12h`; at most 30 days.
    #[arg(long = "for", value_name = "TIME", value_parser = length)]
    pub length: SignedDuration,
    /// Why; workers, `status` and the log say it.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub reason: String,
    /// Who pauses it.
    #[command(flatten)]
    pub who: ByArgs,
    /// Only say what would be done.
    #[arg(long)]
    pub dry_run: bool,
}

fn length(text: &str) -> Result<SignedDuration, String> {
    let span: Span = text.parse().map_err(|_| "a time such as 45m, 2h or 1d".to_owned())?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours());
    let length = length.map_err(|_| "a time in weeks, days, hours, minutes and seconds".to_owned())?;
    if length <= SignedDuration::ZERO || length > LONGEST {
        return Err("more than nothing and at most 30 days".to_owned());
    }
    Ok(length)
}

/// Orders the pause; one that is there already is replaced.
///
/// # Errors
/// When there is no such database, or it cannot be written.
pub async fn run(
    args: &PauseArgs,
    config: &Config,
    one_program: bool,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let (name, erp) = targets::one(config, Some(&args.target))?;
    let (store, paused_at) = (targets::open(name, erp)?, now());
    let pause = OrderedPause {
        paused_at,
        until: paused_at + args.length,
        who: args.who.who(),
        reason: args.reason.clone(),
    };
    let ordering = async {
        store.check_schema().await?;
        if args.dry_run {
            return Ok(store.resumable(name).await?.pause);
        }
        store.pause(name, &pause).await
    };
    let before = ordering.await.with_context(|| format!("erp.{name}"))?;
    let is = if args.dry_run { "would be" } else { "is" };
    let zone = targets::zone(config, name);
    writeln!(out, "{name} {is} paused until {}: {}", when(pause.until, &zone), plain(&pause.reason))?;
    if let Some(before) = before.filter(|before| before.until > paused_at) {
        let until = when(before.until, &zone);
        writeln!(out, "instead of until {until} by {}: {}", plain(&before.who), plain(&before.reason))?;
    }
    writeln!(out, "{}", waiting::in_words(config, one_program, name).await)?;
    writeln!(out, "{}", waiting::room_in_words(config, one_program).await)?;
    if !args.dry_run {
        writeln!(
            out,
            "Its workers stop within seconds, after the batch at hand. Deliveries are accepted as before, and wait. \
             `jodo-sync resume {name}` ends the pause earlier."
        )?;
    }
    Ok(Exit::Well)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_has_a_length_and_an_end() {
        for (text, hours) in [("2h", 2), ("1d 12h", 36), ("4 weeks", 4 * 7 * 24)] {
            assert_eq!(length(text), Ok(SignedDuration::from_hours(hours)), "{text}");
        }
        for text in ["", "2", "0s", "-2h", "31d", "1 month", "soon"] {
            assert!(length(text).is_err(), "{text}");
        }
    }
}
