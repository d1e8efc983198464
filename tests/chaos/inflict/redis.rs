//! What can be wrong with what Redis remembers.

use std::time::Duration;

use jodo_shared::ids::DeliveryKey;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::last;
use crate::faults::Void;
use crate::run::Run;

/// Sends commands without arguments in quotes, a line each, and returns the first answer.
async fn command(run: &Run<'_>, lines: &str) -> Result<String, Void> {
    let mut stream =
        TcpStream::connect(run.services.redis.addr()).await.map_err(|error| error.to_string())?;
    stream.write_all(lines.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}

async fn must(run: &Run<'_>, line: &str) -> Result<(), Void> {
    let answer = command(run, &format!("{line}\r\n")).await?;
    if answer.starts_with("+OK") { Ok(()) } else { Err(format!("{line}: {answer}")) }
}

/// It forgets everything.
pub(crate) async fn flush(run: &mut Run<'_>) -> Result<(), Void> {
    must(run, "FLUSHALL").await
}

/// It has no room for anything.
pub(crate) async fn evict(run: &mut Run<'_>, lasting: Duration) -> Result<(), Void> {
    must(run, "CONFIG SET maxmemory-policy allkeys-lru").await?;
    must(run, "CONFIG SET maxmemory 1mb").await?;
    last(lasting).await;
    must(run, "CONFIG SET maxmemory 0").await?;
    must(run, "CONFIG SET maxmemory-policy noeviction").await
}

/// It says of every delivery that is still to come that it has been seen.
pub(crate) async fn stale(run: &mut Run<'_>) -> Result<(), Void> {
    let source = "jodo".parse().map_err(|_| "a name".to_owned())?;
    let mut lines = String::new();
    for sent in run.history.iter() {
        let key = DeliveryKey::of(&source, sent.bytes.as_bytes());
        lines.push_str(&format!("SET {}{key} 1\r\n", run.stage.target));
    }
    let answer = command(run, &lines).await?;
    if answer.starts_with("+OK") { Ok(()) } else { Err(answer) }
}
