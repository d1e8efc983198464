//! A server made of installed programs, in a temporary folder of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::binaries::path_for_servers;
use crate::child::{Child, User, guarded, lock};
use crate::janitor;
use crate::postgres::remove_shared_memory;
use crate::proc_table::{is_gone, is_still, wait_until, with_descendants};
use crate::ready::{Handshake, until_ready};

/// How long an orderly stop may take.
const STOP_DEADLINE: Duration = Duration::from_secs(60);

/// How long the kernel may take to end or suspend processes.
const KERNEL_DEADLINE: Duration = Duration::from_secs(10);

/// One of the programs that a server consists of.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) args: Vec<String>,
    /// All of its environment, but for PATH, HOME and LANG: what is set around the tests must not change the server.
    pub(crate) env: Vec<(&'static str, String)>,
    pub(crate) user: Option<User>,
    /// How and at which port it shows that it is ready.
    pub(crate) ready: (Handshake, u16),
}

impl Program {
    /// The command to run it in `folder`.
    pub(crate) fn command(&self, folder: &Path) -> Command {
        let mut command = guarded(&self.path, self.user);
        command.args(&self.args).current_dir(folder).stdin(Stdio::null());
        command.env_clear().env("PATH", path_for_servers()).env("HOME", folder).env("LANG", "C.UTF-8");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The folder of one server; its log is in it.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// Makes one for `server` that also goes away when this process is killed.
    pub(crate) fn new(server: &str) -> anyhow::Result<Self> {
        let parent = std::env::temp_dir().canonicalize().context("the folder for temporary files")?;
        let folder = tempfile::Builder::new().prefix(&format!("jodo-test-{server}-")).tempdir_in(parent)?;
        janitor::remove_folder_at_exit(folder.path())?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Starts `program` in it, with its output going to the log.
    pub(crate) fn spawn(&self, program: &Program) -> anyhow::Result<Child> {
        let log = File::options().create(true).append(true).open(self.path().join("log"))?;
        let mut command = program.command(self.path());
        command.stdout(log.try_clone()?).stderr(log);
        Child::spawn(command)
    }

    /// The end of the log.
    pub(crate) fn log_tail(&self) -> String {
        let log = std::fs::read(self.path().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        format!("The end of its log:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"))
    }
}

/// A server that runs, or could.
pub(crate) struct Local {
    /// In the order to start them; the last one is the server itself.
    programs: Vec<Program>,
    /// What tells the server itself to stop in good order.
    stop_with: Signal,
    running: Mutex<Vec<Child>>,
    /// Last, so that it goes after what runs in it.
    folder: Folder,
}

impl Local {
    pub(crate) fn new(folder: Folder, programs: Vec<Program>, stop_with: Signal) -> Self {
        Self { programs, stop_with, running: Mutex::new(Vec::new()), folder }
    }

    /// Starts the programs, each once the one before is ready.
    pub(crate) async fn start(&self) -> anyhow::Result<()> {
        ensure!(lock(&self.running).is_empty(), "it was not stopped before");
        for program in &self.programs {
            let child = self.folder.spawn(program)?;
            let (handshake, port) = program.ready;
            let ready = until_ready(handshake, port, || child.status().is_some()).await;
            lock(&self.running).push(child);
            ready.with_context(|| format!("{}. {}", program.path.display(), self.folder.log_tail()))?;
        }
        Ok(())
    }

    /// Stops it in good order; does nothing if it was stopped or killed before.
    pub(crate) async fn stop(&self) -> anyhow::Result<()> {
        let mut running = std::mem::take(&mut *lock(&self.running));
        let Some(server) = running.pop() else { return Ok(()) };
        ensure!(server.signal(self.stop_with), "it had ended by itself. {}", self.folder.log_tail());
        if timeout(STOP_DEADLINE, server.ended()).await.is_err() {
            bail!("it did not stop within {STOP_DEADLINE:?}. {}", self.folder.log_tail());
        }
        Ok(())
    }

    /// Kills every process of it at once, as a power cut would.
    pub(crate) fn kill(&self) -> anyhow::Result<()> {
        let mut running = lock(&self.running);
        // All stand still before any dies: else a part of PostgreSQL could go on without the others.
        let (processes, _) = freeze(&running);
        signal_all(&processes, Signal::KILL);
        running.clear();
        let gone = wait_until(KERNEL_DEADLINE, || processes.iter().all(|pid| is_gone(*pid)));
        ensure!(gone, "processes survived SIGKILL");
        Ok(())
    }

    /// Suspends every process of it: connections stay open, nothing answers.
    pub(crate) fn suspend(&self) -> anyhow::Result<()> {
        let running = lock(&self.running);
        ensure!(!running.is_empty(), "it does not run");
        ensure!(running.iter().all(|child| child.status().is_none()), "it ended. {}", self.folder.log_tail());
        let (_, still) = freeze(&running);
        ensure!(still, "processes go on after SIGSTOP");
        Ok(())
    }

    /// Lets a suspended one go on.
    pub(crate) fn resume(&self) -> anyhow::Result<()> {
        let running = lock(&self.running);
        ensure!(!running.is_empty(), "it does not run");
        signal_all(&with_descendants(&alive(&running)), Signal::CONT);
        Ok(())
    }

    /// A command that runs `path` as the server's user would, in its folder and environment.
    pub(crate) fn tool(&self, name: &str) -> anyhow::Result<Command> {
        let server = self.programs.last().context("no program")?;
        let path = server.path.with_file_name(name);
        let tool = Program { path, args: Vec::new(), env: server.env.clone(), ..*server };
        Ok(tool.command(self.folder.path()))
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            eprintln!("in {}: {error:#}", self.folder.path().display());
        }
        remove_shared_memory(self.folder.path());
    }
}

/// Suspends `children` and all their descendants. Returns these, and whether all stand still.
fn freeze(children: &[Child]) -> (Vec<Pid>, bool) {
    let roots = alive(children);
    let mut all = Vec::new();
    let still = wait_until(KERNEL_DEADLINE, || {
        let before = std::mem::replace(&mut all, with_descendants(&roots));
        let moving: Vec<_> = all.iter().copied().filter(|pid| !is_still(*pid)).collect();
        signal_all(&moving, Signal::STOP);
        // Looked at twice, for what was forked while we looked.
        moving.is_empty() && all.len() == before.len()
    });
    (all, still)
}

fn alive(children: &[Child]) -> Vec<Pid> {
    children.iter().filter(|child| child.status().is_none()).map(Child::pid).collect()
}

fn signal_all(processes: &[Pid], signal: Signal) {
    for pid in processes {
        // A process that is gone in the meantime needs no signal.
        rustix::process::kill_process(*pid, signal).ok();
    }
}
