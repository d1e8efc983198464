//! The sender: a client that costs as little as possible, so that what is measured is the other end.
//!
//! Requests are whole and in memory. Each connection sends one, reads the answer to its end, and sends the next. All of
//! it is on one thread, beside what is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bytes::{Buf as _, Bytes, BytesMut};
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until};

/// How a round of sending went.
pub(crate) struct Sent {
    pub(crate) took: Duration,
    /// Microseconds from the moment a request was due to the end of its answer.
    pub(crate) latencies: Histogram<u64>,
}

impl Sent {
    pub(crate) fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    pub(crate) fn milliseconds(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 1000.0
    }
}

/// Sends them all to a port of this machine, over so many connections: as fast as they are answered, or `rate` a second.
///
/// # Errors
/// When one is not answered 200.
pub(crate) async fn send(
    port: u16,
    requests: Arc<Vec<Bytes>>,
    connections: usize,
    rate: Option<f64>,
) -> anyhow::Result<Sent> {
    let sending = tokio::task::spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        LocalSet::new().block_on(&runtime, send_here(port, requests, connections, rate))
    });
    sending.await?
}

async fn send_here(
    port: u16,
    requests: Arc<Vec<Bytes>>,
    connections: usize,
    rate: Option<f64>,
) -> anyhow::Result<Sent> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut lines = Vec::new();
    for _ in 0..connections {
        lines.push(Line { stream: TcpStream::connect(("127.0.0.1", port)).await?, read: BytesMut::new() });
    }
    let started = Instant::now();
    let mut sending = Vec::new();
    for mut line in lines {
        line.stream.set_nodelay(true)?;
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        sending.push(tokio::task::spawn_local(async move {
            let mut latencies = Histogram::new(3)?;
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = requests.get(turn) else { return anyhow::Ok(latencies) };
                let mut due = Instant::now();
                if let Some(rate) = rate {
                    due = started + Duration::from_secs_f64(turn as f64 / rate);
                    sleep_until(due).await;
                }
                line.exchange(request).await?;
                latencies.record(u64::try_from(due.elapsed().as_micros())?)?;
            }
        }));
    }
    let mut latencies = Histogram::new(3)?;
    for one in sending {
        latencies.add(one.await??)?;
    }
    Ok(Sent { took: started.elapsed(), latencies })
}

/// One connection.
struct Line {
    stream: TcpStream,
    read: BytesMut,
}

impl Line {
    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(request).await?;
        loop {
            if let Some(length) = answered(&self.read)? {
                self.read.advance(length);
                return Ok(());
            }
            ensure!(self.stream.read_buf(&mut self.read).await? > 0, "the connection was closed");
        }
    }
}

/// The length of the answer at the start of what was read, once it is there to its end.
fn answered(read: &[u8]) -> anyhow::Result<Option<usize>> {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut answer = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = answer.parse(read)? else { return Ok(None) };
    if answer.code != Some(200) {
        bail!("answered {:?}", answer.code);
    }
    let length = answer.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = str::from_utf8(length.context("an answer without a length")?.value)?.parse::<usize>()?;
    Ok((read.len() >= head + length).then_some(head + length))
}
