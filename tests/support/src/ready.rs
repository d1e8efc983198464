//! Waiting until a server really answers.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_postgres::NoTls;

use crate::kind::Kind;

/// How long a server may take to start, on a machine that compiles at the same time.
const START_DEADLINE: Duration = Duration::from_secs(120);

/// How long one attempt may take.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(5);

/// What a server must do to count as ready.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Handshake {
    /// Accept a connection: for programs that offer nothing else.
    Accepts,
    /// Open the conversation of its protocol.
    Speaks(Kind),
}

/// Waits until the server at `port` answers.
///
/// # Errors
///
/// If it does not in time, or `has_ended` says that it never will.
pub(crate) async fn until_ready(
    handshake: Handshake,
    port: u16,
    has_ended: impl Fn() -> bool,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + START_DEADLINE;
    let mut ticks = interval(Duration::from_millis(25));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Asked first: an answer from a server that has ended would be another's.
        if has_ended() {
            bail!("it ended while it started");
        }
        let error = match timeout(ATTEMPT_DEADLINE, attempt(handshake, port)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => anyhow!("no answer within {ATTEMPT_DEADLINE:?}"),
        };
        if Instant::now() > deadline {
            return Err(error.context(format!("not ready within {START_DEADLINE:?}")));
        }
    }
}

async fn attempt(handshake: Handshake, port: u16) -> anyhow::Result<()> {
    match handshake {
        Handshake::Accepts => connect(port).await.map(drop),
        Handshake::Speaks(Kind::RabbitMq) => speaks_amqp(connect(port).await?).await,
        Handshake::Speaks(Kind::Redis) => speaks_redis(connect(port).await?).await,
        Handshake::Speaks(Kind::Postgres) => speaks_postgres(port).await,
    }
}

async fn connect(port: u16) -> anyhow::Result<TcpStream> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.context("connect")
}

/// RabbitMQ opens its listener last of all, so `Connection.Start` means that queues are there too.
async fn speaks_amqp(mut stream: TcpStream) -> anyhow::Result<()> {
    stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
    // A frame's type, channel and size, then the class and the method.
    let mut frame = [0; 11];
    stream.read_exact(&mut frame).await.context("no AMQP greeting")?;
    ensure!(frame[..3] == [1, 0, 0] && frame[7..] == [0, 10, 0, 10], "not Connection.Start: {frame:?}");
    Ok(())
}

/// While it loads its data Redis answers `-LOADING`.
async fn speaks_redis(mut stream: TcpStream) -> anyhow::Result<()> {
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.context("no answer to PING")?;
    ensure!(&answer == b"+PONG", "answer to PING: {}", String::from_utf8_lossy(&answer));
    Ok(())
}

/// While it recovers PostgreSQL refuses to log anybody in.
async fn speaks_postgres(port: u16) -> anyhow::Result<()> {
    let (client, connection) = tokio_postgres::connect(&Kind::Postgres.url(port), NoTls).await?;
    tokio::select! {
        answer = client.simple_query("SELECT 1") => answer.map(drop)?,
        ended = connection => bail!("connection ended: {ended:?}"),
    }
    Ok(())
}
