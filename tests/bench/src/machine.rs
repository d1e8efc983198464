//! What the figures were measured on.

use std::process::Command;

use anyhow::Context as _;
use jodo_shared::clock::now;

use crate::stage::Services;

/// A line each: the machine, the services, when and how.
///
/// # Errors
/// When PostgreSQL does not say its version.
pub(crate) async fn describe(services: &Services, mode: &str) -> anyhow::Result<Vec<String>> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = value_of(&cpu, "model name").unwrap_or("unknown processor").to_owned();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = value_of(&memory, "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (client, _connection) = services.admin().await?;
    let postgres: String = client.query_one("SHOW server_version", &[]).await?.get(0);
    let rabbitmq = services.rabbitmq.ctl(&["version"]).await;
    Ok(vec![
        format!("{}, `BENCH={mode}`, jodo-sync {}", now().strftime("%Y-%m-%d"), env!("CARGO_PKG_VERSION")),
        format!(
            "{cores} cores ({model}), {} GiB of memory, {}",
            kib.div_ceil(1 << 20),
            said_by("uname", &["-sr"])?
        ),
        format!(
            "RabbitMQ {}, PostgreSQL {postgres}, {}, {}; all of it, the sender too, on this machine",
            rabbitmq.trim(),
            said_by("redis-server", &["--version"])?.split(" sha=").next().unwrap_or_default(),
            said_by("rustc", &["--version"])?
        ),
    ])
}

fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(key))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

fn said_by(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(arguments).output().with_context(|| program.to_owned())?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// How busy all processors are, from its start on: their kernel ticks until then.
pub(crate) struct Busy {
    idle: u64,
    all: u64,
}

impl Busy {
    /// The first line of `/proc/stat`: `proc_stat(5)`. Guests are counted in the first two, too.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let stat = std::fs::read_to_string("/proc/stat")?;
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Result<Vec<u64>, _> = line.split_whitespace().skip(1).take(8).map(str::parse).collect();
        let ticks = ticks.context("/proc/stat")?;
        let [_, _, _, idle, waiting, ..] = ticks[..] else { anyhow::bail!("/proc/stat begins with {line}") };
        Ok(Self { idle: idle + waiting, all: ticks.iter().sum() })
    }

    /// Per cent of the time.
    pub(crate) fn end(self) -> anyhow::Result<f64> {
        let now = Self::start()?;
        let (idle, all) = (now.idle - self.idle, now.all - self.all);
        Ok(100.0 * (1.0 - idle as f64 / all.max(1) as f64))
    }
}
