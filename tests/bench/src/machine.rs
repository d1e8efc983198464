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
