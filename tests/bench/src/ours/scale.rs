//! (i) what more workers bring, each held to a small share of one processor, so that neither the database nor this
//! machine is the bound.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::deliveries::year;
use crate::ours::drain::fill;
use crate::plan::Plan;
use crate::program::Program;
use crate::report::{Line, Report};
use crate::samples::{Samples, grouped};
use crate::stage::{Services, Stage};

/// Of each period of 50 ms a worker gets this much.
const SHARE: f64 = 0.05;
const PERIOD: u64 = 50_000;
/// Pupils of the group of schools, since that is who scales out, and what has happened there before the events that are
/// measured: there is something of every kind in the middle of a year.
const PUPILS: u64 = 40_000;
const BEFORE: usize = 300_000;
const WORKERS: [usize; 3] = [1, 2, 4];

/// # Errors
/// When something is missing, or the queue is empty before the end of a measurement.
pub(crate) async fn measure(services: &Services, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    if !Held::is_possible() {
        report
            .note("(i) was not measured: only root may hold a process to a share of a processor.".to_owned());
        return Ok(());
    }
    let window = Duration::from_secs(if plan.night.is_some() { 15 } else { 6 });
    let mut rates = Vec::new();
    for workers in WORKERS {
        let mut rate = Samples::default();
        for round in 0..plan.rounds.min(3) {
            rate.add(one(services, workers, 70_000 + round as u64, plan.drain * 2, window).await?);
        }
        rates.push(rate);
    }
    let [one, two, four] = &rates[..] else { return Ok(()) };
    let ratio = four.median() / one.median();
    report.add(Line {
        figure: format!("(i) 4 workers, each with {:.0} % of one processor", SHARE * 100.0),
        ours: four.shown("/s"),
        beside: format!("1 worker {}, 2 workers {}", one.shown("/s"), two.shown("/s")),
        ratio: format!("{ratio:.1} ×"),
        target: Some(("3.5 ×".to_owned(), ratio >= 3.5)),
    });
    Ok(())
}

async fn one(
    services: &Services,
    count: usize,
    seed: u64,
    events: usize,
    window: Duration,
) -> anyhow::Result<f64> {
    let stage = Stage::new(services).await?;
    let mut workers = Vec::new();
    for _ in 0..count {
        let worker = stage.worker()?;
        worker.ready().await?;
        let held = Held::new(&worker)?;
        workers.push((worker, held));
    }
    fill(&stage, year(seed, PUPILS).skip(BEFORE).take(events)).await?;
    let before = committed(&workers).await?;
    let started = Instant::now();
    sleep_until(started + window).await;
    let after = committed(&workers).await?;
    let rate = (after - before) / started.elapsed().as_secs_f64();
    anyhow::ensure!(
        after < events as f64 * 0.99,
        "{} were too few events to measure with",
        grouped(events as f64)
    );
    for (worker, held) in workers {
        drop(held);
        drop(worker);
    }
    // The rest is for one that is held to nothing; what was under way comes again, and is found to be there.
    let _worker = stage.worker()?;
    stage.judge_in_time(events).await?;
    Ok(rate)
}

async fn committed(workers: &[(Program, Held)]) -> anyhow::Result<f64> {
    let mut sum = 0.0;
    for (worker, _) in workers {
        sum += worker.sum(jodo_shared::metrics::EVENTS).await?;
    }
    Ok(sum)
}

/// A control group that holds one process to its share (`cgroups(7)`, either version). Dropping it lets the process go.
struct Held {
    folder: PathBuf,
    parent: PathBuf,
}

impl Held {
    fn root() -> PathBuf {
        let first = Path::new("/sys/fs/cgroup/cpu");
        if first.is_dir() { first.to_owned() } else { PathBuf::from("/sys/fs/cgroup") }
    }

    fn is_possible() -> bool {
        let probe = Self::root().join(format!("jodo-bench-probe-{}", std::process::id()));
        let made = std::fs::create_dir(&probe).is_ok();
        let can_hold = probe.join("cpu.cfs_quota_us").exists() || probe.join("cpu.max").exists();
        made && std::fs::remove_dir(&probe).is_ok() && can_hold
    }

    fn new(program: &Program) -> anyhow::Result<Self> {
        let parent = Self::root();
        let folder = parent.join(format!("jodo-bench-{}", program.pid()));
        std::fs::create_dir(&folder)?;
        let held = Self { folder, parent };
        let quota = (SHARE * PERIOD as f64) as u64;
        if held.folder.join("cpu.max").exists() {
            std::fs::write(held.folder.join("cpu.max"), format!("{quota} {PERIOD}"))?;
        } else {
            std::fs::write(held.folder.join("cpu.cfs_period_us"), PERIOD.to_string())?;
            std::fs::write(held.folder.join("cpu.cfs_quota_us"), quota.to_string())?;
        }
        std::fs::write(held.folder.join("cgroup.procs"), program.pid().to_string())?;
        Ok(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A group with a process in it cannot be removed; so its processes go back to where they came from.
        let inside = std::fs::read_to_string(self.folder.join("cgroup.procs")).unwrap_or_default();
        for pid in inside.lines() {
            std::fs::write(self.parent.join("cgroup.procs"), pid).ok();
        }
        std::fs::remove_dir(&self.folder).ok();
    }
}
