//! `jodo-sync unverified retry`.

use std::io::Write;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use jiff::Timestamp;
use jodo_shared::clock::now;
use jodo_shared::config::Config;
use jodo_shared::contract::peek;
use jodo_shared::ids::{DeliveryKey, SourceName, TargetName};
use jodo_shared::message::Message;
use jodo_shared::outcome::Reason;
use jodo_worker::event::Event;
use jodo_worker::store::EventRow;
use jodo_worker::store::maintain::Maintain;
use jodo_worker::store::reads::StoredHeld;

use super::Pages;
use crate::commands::by_hand::{ByArgs, NOTHING_CHANGED};
use crate::signature::sign;
use crate::wording::{count, plain};
use crate::{Exit, targets};

/// Arguments of `unverified retry`.
#[derive(Debug, Args)]
pub struct RetryArgs {
    /// Only this ERP database; all configured ones without it.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
    /// Why, for the history.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
    /// Who.
    #[command(flatten)]
    pub by: ByArgs,
    /// Only say what would be let in.
    #[arg(long)]
    pub dry_run: bool,
}

/// What the check of held deliveries found.
#[derive(Default)]
struct Found {
    /// Their signatures are good now.
    proved: usize,
    /// They came without one.
    unsigned: usize,
    /// No secret of their source fits.
    wrong: usize,
    /// Nothing to check with: their source is not configured, or has no secret.
    no_secret: usize,
}

/// Checks every held delivery against the secrets that its source has today.
///
/// # Errors
/// Which ERP database could not be read or written, and why.
pub(super) async fn run(args: &RetryArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    for (name, erp) in targets::some(config, args.target.as_ref())? {
        let store = targets::open(name, erp)?;
        let checked = check(args, config, name, store.as_ref()).await;
        let found = checked.with_context(|| format!("erp.{name}"))?;
        let let_in = if args.dry_run { "would be let in" } else { "let in, for a worker to decide now" };
        let deliveries = |number: usize| count(number as i64, "delivery", "deliveries");
        writeln!(out, "{name}: {} {let_in}.", deliveries(found.proved))?;
        for (number, why) in [
            (found.wrong, "with a signature that no secret of the source fits"),
            (found.unsigned, "without a signature"),
            (found.no_secret, "whose source has no secret here"),
        ] {
            if number > 0 {
                writeln!(out, "  still held: {} {why}", deliveries(number))?;
            }
        }
    }
    if args.dry_run {
        writeln!(out, "{NOTHING_CHANGED}")?;
    }
    Ok(Exit::Well)
}

async fn check(
    args: &RetryArgs,
    config: &Config,
    target: &TargetName,
    store: &dyn Maintain,
) -> anyhow::Result<Found> {
    store.check_schema().await?;
    let deed = args.by.deed(args.reason.as_deref());
    let mut found = Found::default();
    let mut pages = Pages::of(store);
    loop {
        let page = pages.next().await?;
        if page.is_empty() {
            return Ok(found);
        }
        let mut proved = Vec::new();
        for held in page {
            if is_proved(&held, config, &mut found) {
                proved.push(row_of(held, target)?);
            }
        }
        found.proved += if args.dry_run { proved.len() } else { store.release(&proved, &deed).await? };
    }
}

/// Whether one of the source's secrets makes the signature; counts the others.
fn is_proved(held: &StoredHeld, config: &Config, found: &mut Found) -> bool {
    let source = held.source.parse::<SourceName>().ok().and_then(|name| config.sources.get(&name));
    let secrets = source.map(|source| &source.secrets[..]).unwrap_or_default();
    let not_proved = match &held.signature {
        None => &mut found.unsigned,
        Some(_) if secrets.is_empty() => &mut found.no_secret,
        Some(claimed) if secrets.iter().any(|secret| sign(secret, &held.body) == *claimed) => return true,
        Some(_) => &mut found.wrong,
    };
    *not_proved += 1;
    false
}

/// The event that the delivery becomes.
fn row_of(held: StoredHeld, target: &TargetName) -> anyhow::Result<EventRow> {
    let unreadable = || format!("jodo_unverified: the row {} cannot be read", plain(&held.delivery_key));
    let source: SourceName = held.source.parse().with_context(unreadable)?;
    let received_at: Timestamp = held.received_at.parse().with_context(unreadable)?;
    let message = Message {
        key: DeliveryKey::of(&source, &held.body),
        source,
        tenant: held.tenant.parse().with_context(unreadable)?,
        target: target.clone(),
        received_at,
        peeked: peek(&held.body),
        verified: true,
        signature: None,
        redrive: true,
        trace: None,
        body: Bytes::from(held.body),
    };
    Ok(Event::by_hand(&message, Reason::AskedAgain, now()).row)
}
