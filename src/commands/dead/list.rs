//! `jodo-sync dead list`.

use std::io::Write;

use anyhow::Context as _;
use clap::{Args, value_parser};
use jodo_shared::broker::amqp::{DeadLetter, DeadLetters};
use jodo_shared::config::{Broker, Config};
use jodo_shared::ids::TargetName;

use super::because;
use crate::commands::events::zone_of;
use crate::wording::{count, plain, table, when};
use crate::{Exit, targets};

/// Arguments of `dead list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only this ERP database's; those of all configured ones without it.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
    /// Most dead letters to list of each database.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
}

/// Lists them; they stay where they are.
///
/// # Errors
/// When RabbitMQ cannot be asked.
pub(super) async fn run(
    args: &ListArgs,
    config: &Config,
    broker: &Broker,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    for (target, _) in targets::some(config, args.target.as_ref())? {
        let Some(mut letters) = super::open(broker, target, out).await? else { continue };
        let most = args.limit.min(letters.waiting());
        let listed = rows(&mut letters, most, config).await;
        letters.close().await;
        let listed = listed?;
        if !listed.is_empty() {
            let mut shown = table(["received", "kind", "event_id", "why", "key"]);
            shown.add_rows(listed);
            writeln!(out, "{shown}")?;
        }
    }
    Ok(Exit::Well)
}

async fn rows(letters: &mut DeadLetters, most: u32, config: &Config) -> anyhow::Result<Vec<[String; 5]>> {
    let mut rows = Vec::new();
    for _ in 0..most {
        let Some(letter) = letters.next().await.context("RabbitMQ")? else { break };
        rows.push(cells(&letter, config));
    }
    Ok(rows)
}

fn cells(letter: &DeadLetter, config: &Config) -> [String; 5] {
    let Some(message) = &letter.message else {
        let size = count(letter.bytes as i64, "byte", "bytes");
        return ["", "", "", &because(letter), &format!("none: {size} that are no event of ours")]
            .map(str::to_owned);
    };
    let peeked = &message.peeked;
    [
        when(message.received_at, &zone_of(config, message.source.as_str())),
        peeked.code.as_ref().map(|code| plain(code.as_str())).unwrap_or_default(),
        peeked.event_id.as_ref().map(|id| plain(id.as_str())).unwrap_or_default(),
        because(letter),
        message.key.short(),
    ]
}
