//! Runs a command with RabbitMQ, Redis and PostgreSQL at hand: `with-services cargo test --workspace`.
//!
//! Starts throwaway servers for those of `JODO_TEST_AMQP_URL`, `JODO_TEST_REDIS_URL` and `JODO_TEST_POSTGRES_URL`
//! that are not set, sets them for the command, and stops the servers when it has ended. Exits as the command did:
//! with its code, or 128 and the number of the signal that ended it.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::Instant;

use anyhow::Context as _;
use jodo_test_support::{Kind, Postgres, RabbitMq, Redis, die_with_parent};
use tokio::signal::unix::{SignalKind, signal};

// One thread, the main one, because what it spawns is killed with the thread.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let mut args = std::env::args_os().skip(1).peekable();
    args.next_if(|first| first == "--");
    let Some(program) = args.next() else {
        eprintln!("usage: with-services [--] COMMAND [ARGUMENT…]");
        return Ok(ExitCode::from(2));
    };
    let mut command = die_with_parent(program);
    command.args(args);
    // What `cargo run` says of this package would make cargo, as the command, build the world anew.
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|own| name.starts_with(own)))
        {
            command.env_remove(name);
        }
    }
    let start = Instant::now();
    let (rabbitmq, redis, postgres) = tokio::join!(
        unless_named(Kind::RabbitMq, RabbitMq::start),
        unless_named(Kind::Redis, Redis::start),
        unless_named(Kind::Postgres, Postgres::start),
    );
    let started = [rabbitmq.as_deref(), redis.as_deref(), postgres.as_deref()];
    for (kind, server) in Kind::ALL.into_iter().zip(started) {
        if let Some(server) = server {
            eprintln!("with-services: {}={}", kind.variable(), server.url());
            command.env(kind.variable(), server.url());
        }
    }
    eprintln!("with-services: ready after {:.1} s", start.elapsed().as_secs_f64());
    let status = run(command).await?;
    Ok(ExitCode::from(code(status)))
}

/// A server, unless the environment names one of its kind.
async fn unless_named<S>(kind: Kind, start: impl AsyncFnOnce() -> S) -> Option<S> {
    if kind.url_from_env().is_some() { None } else { Some(start().await) }
}

/// Runs the command to its end, whoever wants us to stop meanwhile: the services must outlive it.
async fn run(command: Command) -> anyhow::Result<ExitStatus> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut child =
        tokio::process::Command::from(command).spawn().context("cannot run setpriv (util-linux)")?;
    let pid = child.id().and_then(|pid| rustix::process::Pid::from_raw(pid.try_into().ok()?));
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status?),
            // The terminal sent it to the command as well.
            _ = interrupt.recv() => {}
            _ = terminate.recv() => forward(pid),
            _ = hang_up.recv() => forward(pid),
        }
    }
}

fn forward(pid: Option<rustix::process::Pid>) {
    if let Some(pid) = pid {
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).ok();
    }
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| code.try_into().ok()).unwrap_or(1)
}
