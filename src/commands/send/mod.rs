//! `jodo-sync send`: one signed delivery, as the sender would make it.

use std::io::Write;

use anyhow::Context as _;
use clap::Args;
use jodo_shared::clock::now;
use jodo_shared::config::Config;
use jodo_shared::ids::DeliveryKey;

use crate::{Exit, targets};

mod follow;
pub(crate) mod input;
pub(crate) mod request;
pub(crate) mod route;

use follow::Follower;
pub use input::Assignment;
use input::Input;
use route::Route;
pub use route::RouteArgs;

/// Arguments of `send`.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// The code of a built-in sample, such as direct.payment.added; else a file, or `-` for standard input.
    #[arg(value_name = "FILE|CODE")]
    pub what: String,
    /// Sets a member, such as payload.student.identifier=A-17; the value is JSON, or else text. A file is then written
    /// anew, so that blanks, order of members and spelling of numbers change.
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<Assignment>,
    /// Where to.
    #[command(flatten)]
    pub route: RouteArgs,
    /// Wait up to 30 s for the event in the ERP database, and show what became of it.
    #[arg(long)]
    pub follow: bool,
    /// Send a built-in sample even to a source that is not for trials.
    #[arg(long)]
    pub i_mean_it: bool,
}

/// Sends the delivery. [`Exit::Well`] when it was accepted and, with `--follow`, is settled.
///
/// # Errors
/// When it was not sent, or nobody answered.
pub async fn run(args: &SendArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let route = Route::find(&args.route, config)?;
    let input = Input::make(&args.what, &args.set, now())?;
    route.guard(input.built_in, args.i_mean_it)?;
    if route.header.is_none() {
        route.needed_secret()?;
    }
    // Before anything is sent: what cannot be followed is not begun.
    let follower = if args.follow { Some(follower(&route, config)?) } else { None };

    let key = DeliveryKey::of(&route.source, &input.bytes);
    let answer = request::post(&route, input.bytes, out).await?;
    if !answer.status.is_success() {
        writeln!(out, "It was not accepted.")?;
        return Ok(Exit::Wrong);
    }
    if answer.key.is_some_and(|theirs| theirs != key) {
        writeln!(
            out,
            "The answer names another key: the source behind this URL is not named {}.",
            route.source
        )?;
    }
    match follower {
        Some(follower) => follower.follow(answer.key.unwrap_or(key), config, out).await,
        None => Ok(Exit::Well),
    }
}

fn follower<'a>(route: &'a Route, config: &Config) -> anyhow::Result<Follower<'a>> {
    let unknown =
        || format!("--follow: sources.{} is not configured, so its ERP database is unknown", route.source);
    let target = route.target.as_ref().with_context(unknown)?;
    let (name, erp) = targets::one(config, Some(target))?;
    Ok(Follower { target, store: targets::open(name, erp)? })
}
