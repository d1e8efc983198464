//! One of our programs under measurement: its processor time, its memory, and what it counts.

use std::fs::File;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use jodo_shared::metrics::EVENTS;
use jodo_test_support::die_with_parent;
use tempfile::NamedTempFile;
use tokio::time::{Instant, interval, timeout};

use crate::stage::built;

/// Kernel ticks of processor time a second (`getconf CLK_TCK`): 100 on every Linux.
const TICKS: f64 = 100.0;
const PATIENCE: Duration = Duration::from_secs(600);

/// A running program. Dropping it kills it.
pub(crate) struct Program {
    name: String,
    child: Child,
    log: NamedTempFile,
    /// Where deliveries go, for those that take any.
    pub(crate) public: u16,
    private: u16,
    client: reqwest::Client,
}

impl Program {
    /// Starts it. Its log goes into a file, as a container's does.
    pub(crate) fn start(
        name: &str,
        settings: &[(String, String)],
        arguments: &[String],
        public: u16,
        private: u16,
    ) -> anyhow::Result<Self> {
        let log = NamedTempFile::new()?;
        let mut command = die_with_parent(built(name)?);
        command.args(arguments).stdin(Stdio::null());
        command.envs(settings.iter().map(|(key, value)| (format!("JODO_SYNC__{key}"), value)));
        command.stdout(log.reopen()?).stderr(File::options().append(true).open(log.path())?);
        let child = command.spawn().with_context(|| name.to_owned())?;
        Ok(Self { name: name.to_owned(), child, log, public, private, client: reqwest::Client::new() })
    }

    /// Runs it to its end, which must be a good one, and returns what it said.
    pub(crate) async fn run(
        name: &str,
        settings: &[(String, String)],
        arguments: &[&str],
    ) -> anyhow::Result<String> {
        let mut command = tokio::process::Command::new(built(name)?);
        command
            .args(arguments)
            .envs(settings.iter().map(|(key, value)| (format!("JODO_SYNC__{key}"), value)));
        let output = command.output().await?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{name} {arguments:?}: {said}{complained}");
        Ok(said)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it answers that it is ready.
    pub(crate) async fn ready(&self) -> anyhow::Result<()> {
        let asking = async {
            let mut ticks = interval(Duration::from_millis(10));
            while !self.ask("readyz").await.is_ok_and(|answer| answer.status() == 200) {
                self.still_runs()?;
                ticks.tick().await;
            }
            Ok(())
        };
        timeout(Duration::from_secs(60), asking).await.with_context(|| self.in_trouble("is not ready"))?
    }

    /// A process that has ended is there until its parent asks: `Z` in `proc_pid_stat(5)`.
    fn still_runs(&self) -> anyhow::Result<()> {
        let ended = self.stat()?.starts_with('Z');
        ensure!(!ended, self.in_trouble("has ended"));
        Ok(())
    }

    /// What the kernel says of it, after its name.
    fn stat(&self) -> anyhow::Result<String> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()))?;
        let (_, after_name) = stat.rsplit_once(") ").context("no name in stat")?;
        Ok(after_name.to_owned())
    }

    async fn ask(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        self.client.get(format!("http://127.0.0.1:{}/{path}", self.private)).send().await
    }

    /// The sum of a metric over all its labels.
    ///
    /// # Errors
    /// When the program does not answer.
    pub(crate) async fn sum(&self, metric: &str) -> anyhow::Result<f64> {
        let text = self.ask("metrics").await?.text().await?;
        let series = text
            .lines()
            .filter(|line| line.strip_prefix(metric).is_some_and(|rest| rest.starts_with(['{', ' '])));
        Ok(series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    /// Waits until it has committed so many events in all. Returns when that was.
    pub(crate) async fn committed(&self, events: usize) -> anyhow::Result<Instant> {
        let asking = async {
            let mut ticks = interval(Duration::from_millis(20));
            // It does not answer before it has begun.
            while self.sum(EVENTS).await.unwrap_or_default() < events as f64 {
                self.still_runs()?;
                ticks.tick().await;
            }
            Ok(Instant::now())
        };
        timeout(PATIENCE, asking).await.with_context(|| self.in_trouble("did not commit all"))?
    }

    /// Processor time that it has used so far, in seconds, in its own code and in the kernel for it (`proc_pid_stat(5)`,
    /// fields 14 and 15).
    pub(crate) fn cpu(&self) -> anyhow::Result<f64> {
        let stat = self.stat()?;
        let fields: Vec<_> = stat.split_whitespace().collect();
        let ticks = |place: usize| -> anyhow::Result<f64> { Ok(fields.get(place).context("stat")?.parse()?) };
        Ok((ticks(11)? + ticks(12)?) / TICKS)
    }

    /// Resident memory in MiB: now, and the most there ever was.
    pub(crate) fn memory(&self) -> anyhow::Result<(f64, f64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let mib = |key: &str| -> anyhow::Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).context("status")?;
            let kib: f64 = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse()?;
            Ok(kib / 1024.0)
        };
        Ok((mib("VmRSS")?, mib("VmHWM")?))
    }

    fn in_trouble(&self, what: &str) -> String {
        let log = std::fs::read_to_string(self.log.path()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(20)..].join("\n");
        format!("{} {what}. The end of its log:\n{tail}", self.name)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
