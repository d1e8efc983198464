//! Logs to standard error, metrics to a Prometheus registry, panics to both.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};
use crate::metrics;

/// Upper bounds in seconds: a commit or a confirm takes milliseconds, and 10 s is the end of a body's time.
const SECONDS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds in events, up to the largest batch that can be configured.
const EVENTS: [f64; 11] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 10_000.0];
/// How often histograms are folded when nobody scrapes them; their raw values wait in memory until then.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why telemetry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `log.filter` is no filter. Its text is in no message.
    #[error("log.filter: must be a log filter such as info,lapin=warn")]
    Filter,
    /// Something in this process logs already.
    #[error("logging is already set up")]
    Logging(#[source] tracing_subscriber::util::TryInitError),
    /// The metrics registry cannot be made, or there is one already.
    #[error("metrics cannot be set up")]
    Metrics(#[source] BuildError),
}

/// Sends logs to standard error, and from now on every panic to the log.
///
/// Of other crates nothing finer than `info` is logged, whatever the filter says: at finer levels database and broker
/// clients print what they send, and so bodies and phone numbers.
///
/// # Errors
/// [`TelemetryError`] when the filter cannot be read or the process has a logger.
pub fn init(log: &Log) -> Result<(), TelemetryError> {
    let filter = EnvFilter::builder().parse(&log.filter).map_err(|_| TelemetryError::Filter)?;
    let quiet = filter_fn(|line| line.target().starts_with("jodo_") || *line.level() <= Level::INFO);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter).with(quiet);
    match log.format {
        LogFormat::Readable => registry.with(lines.with_ansi(std::io::stderr().is_terminal())).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    }
    .map_err(TelemetryError::Logging)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs where a panic happened.
fn log_panic(panic: &PanicHookInfo<'_>) {
    ::metrics::counter!(metrics::PANICS).increment(1);
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let backtrace = Backtrace::capture();
    // Frames name functions and lines, never values.
    let frames =
        (backtrace.status() == BacktraceStatus::Captured).then(|| tracing::field::display(&backtrace));
    tracing::error!(
        panic.message = literal(panic.payload()),
        panic.location = location,
        panic.backtrace = frames,
        thread.name = thread.name(),
        "a thread panicked; this is a mistake in the program"
    );
}

/// A panic's message, only where it is a literal: a formatted one may quote a body.
fn literal(payload: &dyn Any) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("(not shown)")
}

/// Makes the process's metrics registry and describes every metric. Call once, within a tokio runtime: a task of it
/// keeps the histograms small.
///
/// # Errors
/// [`TelemetryError::Metrics`] when the process has a registry.
///
/// # Panics
/// Outside a tokio runtime.
pub fn install_metrics() -> Result<PrometheusHandle, TelemetryError> {
    let handle =
        with_buckets().and_then(PrometheusBuilder::install_recorder).map_err(TelemetryError::Metrics)?;
    metrics::describe();
    metrics::start_at_zero();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

fn with_buckets() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_duration_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full(metrics::BATCH_EVENTS.to_owned()), &EVENTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panics_message_is_shown_only_where_it_is_a_literal() {
        let body = std::hint::black_box("canary");
        let formatted = std::panic::catch_unwind(|| panic!("cannot read {body}")).unwrap_err();
        assert_eq!(literal(formatted.as_ref()), "(not shown)");
        let plain = std::panic::catch_unwind(|| panic!("out of luck")).unwrap_err();
        assert_eq!(literal(plain.as_ref()), "out of luck");
    }

    /// Logger and panic hook belong to the whole process, so the test runs itself again in a child process.
    #[test]
    fn log_lines_and_panics_go_to_standard_error_in_the_configured_form() {
        const CHILD: &str = "LOG_FORMAT_OF_CHILD";
        if let Ok(word) = std::env::var(CHILD) {
            let format = if word == "json" { LogFormat::Json } else { LogFormat::Readable };
            let log = Log { filter: "info,tokio_postgres=trace".to_owned(), format };
            init(&log).unwrap();
            assert!(matches!(init(&log), Err(TelemetryError::Logging(_))));
            tracing::info!(event.code = "direct.payment.added", "a line");
            tracing::debug!("filtered away");
            tracing::debug!(target: "tokio_postgres::query", "filtered away: the binds of a statement");
            tracing::info!(target: "tokio_postgres", "still told");
            panic!("cannot read {}", std::hint::black_box("canary"));
        }
        for word in ["json", "readable"] {
            let mut child = std::process::Command::new(std::env::current_exe().unwrap());
            let name = "telemetry::tests::log_lines_and_panics_go_to_standard_error_in_the_configured_form";
            let output = child.args([name, "--exact", "--nocapture"]).env(CHILD, word).output().unwrap();
            assert!(!output.status.success());
            let text = String::from_utf8(output.stderr).unwrap();
            assert!(text.contains("a line") && text.contains("direct.payment.added"), "{text}");
            assert!(text.contains("still told"), "{text}");
            assert!(text.contains("a thread panicked") && text.contains("telemetry.rs:"), "{text}");
            assert!(!text.contains("canary") && !text.contains("filtered away"), "{text}");
            let is_json = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
            assert_eq!(text.lines().next().is_some_and(is_json), word == "json", "{text}");
        }
    }

    #[tokio::test]
    async fn metrics_are_described_bucketed_and_those_that_stay_0_are_there_from_the_start() {
        let handle = install_metrics().unwrap();
        ::metrics::histogram!(metrics::COMMIT_SECONDS, "target" => "main", "result" => "committed")
            .record(0.02);
        ::metrics::histogram!(metrics::BATCH_EVENTS, "target" => "main").record(300.0);
        let page = handle.render();
        for line in [
            "# HELP jodo_sync_panics_total Counter: panics. Always 0 in a correct program.",
            "jodo_sync_deliveries_dropped_total 0",
            r#"jodo_sync_commit_duration_seconds_bucket{target="main",result="committed",le="0.025"} 1"#,
            r#"jodo_sync_batch_events_bucket{target="main",le="250"} 0"#,
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
        assert!(matches!(install_metrics(), Err(TelemetryError::Metrics(_))));
    }
}
