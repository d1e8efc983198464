//! Listens for traces and prints each span as one line of JSON: `otlp-receiver 0.0.0.0:4318`.
//!
//! Takes OTLP over HTTP in protobuf. A line has `trace_id`, `span_id`, `parent_span_id`, `name`, `service.name`, `start`,
//! `end`, `attributes` and `error`. Says on standard error where it listens, and ends with SIGTERM or SIGINT.

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::Context as _;
use jodo_test_support::{ReceivedSpan, serve_otlp};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).context("usage: otlp-receiver <address>:<port>")?;
    let address: SocketAddr = address.parse().context("no address and port")?;
    let (bound, server) = serve_otlp(address, |_, spans| print(&spans)).context("cannot listen")?;
    eprintln!("otlp-receiver: listening at {bound}");
    // As process 1 of a container it would not hear them otherwise.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        ended = server => ended?,
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

fn print(spans: &[ReceivedSpan]) {
    let mut out = std::io::stdout().lock();
    for span in spans {
        // Nobody reads any more: there is nobody to tell.
        writeln!(out, "{}", span.to_json()).ok();
    }
    out.flush().ok();
}
