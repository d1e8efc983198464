//! `jodo-sync dead return`.

use std::io::Write;
use std::time::Duration;

use anyhow::Context as _;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, value_parser};
use jodo_shared::broker::Publisher as _;
use jodo_shared::broker::amqp::{AmqpPublisher, DeadLetters};
use jodo_shared::config::{Broker, Config, Erp};
use jodo_shared::ids::TargetName;
use jodo_shared::message::Message;
use jodo_worker::store::operate::{Deed, ROWS_AT_ONCE};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::commands::by_hand::{ByArgs, NOTHING_CHANGED};
use crate::wording::count;
use crate::{Exit, targets};

/// How long RabbitMQ may take until it can be published to.
const CONNECT: Duration = Duration::from_secs(10);

/// Arguments of `dead return`.
#[derive(Debug, Args)]
pub struct ReturnArgs {
    /// Only this ERP database's; those of all configured ones without it.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
    /// Most dead letters to put back of each database, the oldest first; all of them without it.
    #[arg(long, value_parser = value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Why, for the history.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
    /// Who.
    #[command(flatten)]
    pub by: ByArgs,
    /// Only say what would be put back.
    #[arg(long)]
    pub dry_run: bool,
}

/// Puts them back one by one: each is removed only when RabbitMQ has confirmed the one that takes its place.
///
/// # Errors
/// When RabbitMQ cannot be asked or does not confirm; what was put back before that stays so.
pub(super) async fn run(
    args: &ReturnArgs,
    config: &Config,
    broker: &Broker,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let mut complete = true;
    for (target, erp) in targets::some(config, args.target.as_ref())? {
        let Some(mut letters) = super::open(broker, target, out).await? else { continue };
        // Those that die again meanwhile are for another time.
        let most = args.limit.unwrap_or(u32::MAX).min(letters.waiting());
        let mut returned = Returned::default();
        let ended = put_back(args, broker, target, &mut letters, most, &mut returned).await;
        letters.close().await;
        let letters = count(returned.keys.len() as i64, "letter", "letters");
        writeln!(out, "  {letters} {}", if args.dry_run { "would be put back" } else { "put back" })?;
        if returned.foreign > 0 {
            let foreign = count(returned.foreign, "letter is", "letters are");
            writeln!(out, "  {foreign} no event of ours, and left there")?;
        }
        if !args.dry_run {
            complete &= note(target, erp, &returned.keys, &args.by.deed(args.reason.as_deref()), out).await?;
        }
        ended.with_context(|| format!("RabbitMQ, target {target}"))?;
        complete &= returned.foreign == 0;
    }
    if args.dry_run {
        writeln!(out, "{NOTHING_CHANGED}")?;
    }
    Ok(if complete { Exit::Well } else { Exit::Wrong })
}

#[derive(Default)]
struct Returned {
    keys: Vec<String>,
    /// Not ours, so that no worker could ever take them.
    foreign: u32,
}

async fn put_back(
    args: &ReturnArgs,
    broker: &Broker,
    target: &TargetName,
    letters: &mut DeadLetters,
    most: u32,
    returned: &mut Returned,
) -> anyhow::Result<()> {
    let end = CancellationToken::new();
    let _at_the_end = end.clone().drop_guard();
    let publisher = match args.dry_run || most == 0 {
        true => None,
        false => Some(connected(broker, target, end).await?),
    };
    for _ in 0..most {
        let Some(letter) = letters.next().await? else { break };
        let Some(message) = &letter.message else {
            returned.foreign += 1;
            continue;
        };
        if let Some(publisher) = &publisher {
            // To this target's queue, whatever it says: that is where it came from.
            let again = Message { target: target.clone(), redrive: true, ..message.clone() };
            publisher.publish(&again).await?;
            letters.remove(&letter).await?;
        }
        returned.keys.push(message.key.to_string());
    }
    Ok(())
}

async fn connected(
    broker: &Broker,
    target: &TargetName,
    end: CancellationToken,
) -> anyhow::Result<AmqpPublisher> {
    let targets = vec![target.clone()];
    let publisher = AmqpPublisher::start(broker.url.clone(), targets, broker.confirm_timeout, end);
    timeout(CONNECT, publisher.until_connected()).await.context("it cannot be published to")?;
    Ok(publisher)
}

/// Writes the history. The letters are back even where that fails, for the database may be why they died.
async fn note(
    target: &TargetName,
    erp: &Erp,
    keys: &[String],
    deed: &Deed,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let store = targets::open(target, erp)?;
    for keys in keys.chunks(ROWS_AT_ONCE as usize) {
        if let Err(error) = store.note("dead return", keys, "dead letter", deed).await {
            writeln!(out, "  the history could not be written: {error}")?;
            return Ok(false);
        }
    }
    Ok(true)
}
