//! `jodo-sync dead`: what RabbitMQ has given up to hand out to workers.

use std::io::Write;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use jodo_shared::broker::amqp::{DeadLetter, DeadLetters};
use jodo_shared::config::{Broker, Config};
use jodo_shared::ids::TargetName;

use crate::Exit;
use crate::wording::{count, plain};

mod list;
mod put_back;

/// Arguments of `dead`.
#[derive(Debug, Args)]
pub struct DeadArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: DeadCommand,
}

/// A command on dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadCommand {
    /// List the dead letters, the oldest first.
    List(list::ListArgs),
    /// Put dead letters back into the queue that workers take from.
    Return(put_back::ReturnArgs),
}

/// Runs the command.
///
/// # Errors
/// When there is no RabbitMQ in this installation, or it cannot be asked.
pub async fn run(
    args: &DeadArgs,
    config: &Config,
    one_program: bool,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    if one_program {
        bail!(
            "there are no dead letters here: the one program keeps what waits in its own folder, not in RabbitMQ"
        );
    }
    let broker = config.broker.as_ref().context("broker.url: no RabbitMQ is configured")?;
    match &args.command {
        DeadCommand::List(args) => list::run(args, config, broker, out).await,
        DeadCommand::Return(args) => put_back::run(args, config, broker, out).await,
    }
}

/// Begins a look, and says how many there are.
async fn open(
    broker: &Broker,
    target: &TargetName,
    out: &mut dyn Write,
) -> anyhow::Result<Option<DeadLetters>> {
    let letters = DeadLetters::open(&broker.url, target).await.context("RabbitMQ")?;
    let waiting = letters.as_ref().map_or(0, DeadLetters::waiting);
    writeln!(out, "{target}: {}.", count(waiting, "dead letter", "dead letters"))?;
    Ok(letters)
}

/// Why the broker gave it up.
fn because(letter: &DeadLetter) -> String {
    match letter.because.as_deref() {
        Some("rejected") => "a worker could not read it".to_owned(),
        Some("delivery_limit") => "handed out too often without an end".to_owned(),
        Some(other) => plain(other),
        None => "RabbitMQ does not say".to_owned(),
    }
}
