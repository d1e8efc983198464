//! A child process that cannot outlive this one, and that may be signalled without hitting a stranger.

use std::ffi::OsStr;
use std::io;
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context as _, anyhow};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use tokio::sync::watch;

/// The user that a server runs as.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// A command that runs `program` and has the kernel kill it when the **thread** that spawned it ends.
///
/// So spawn it from a thread that lives as long as the process, such as the main one.
pub fn die_with_parent(program: impl AsRef<OsStr>) -> Command {
    guarded(program, None)
}

/// [`die_with_parent`], as another user if one is given (only root may).
pub(crate) fn guarded(program: impl AsRef<OsStr>, user: Option<User>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let Some(User { uid, gid }) = user {
        command.args([format!("--reuid={uid}"), format!("--regid={gid}"), "--clear-groups".to_owned()]);
    }
    command.arg("--").arg(program);
    command
}

/// A running child. Dropping it kills it and waits for its end.
pub(crate) struct Child {
    pid: Pid,
    handle: Arc<Mutex<std::process::Child>>,
    ended: watch::Receiver<Option<ExitStatus>>,
    reaper: Option<JoinHandle<()>>,
    /// Its output, if the command asked for pipes.
    pub(crate) stdout: Option<ChildStdout>,
    /// Its errors, if the command asked for pipes.
    pub(crate) stderr: Option<ChildStderr>,
}

impl Child {
    /// Starts a command made by [`guarded`].
    pub(crate) fn spawn(command: Command) -> anyhow::Result<Self> {
        let mut child = spawn_for_life(command)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let pid = Pid::from_child(&child);
        let handle = Arc::new(Mutex::new(child));
        let (tell, ended) = watch::channel(None);
        let reaped = Arc::clone(&handle);
        let reaper = std::thread::Builder::new().name("reaper".to_owned()).spawn(move || {
            // Waits without reaping: until the child is reaped under the lock its number cannot be given to another.
            while waits_for_end(pid) == Err(rustix::io::Errno::INTR) {}
            let mut child = lock(&reaped);
            tell.send_replace(child.wait().ok());
        })?;
        Ok(Self { pid, handle, ended, reaper: Some(reaper), stdout, stderr })
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// The exit status, if the child has ended.
    pub(crate) fn status(&self) -> Option<ExitStatus> {
        *self.ended.borrow()
    }

    /// Waits for the end of the child.
    pub(crate) async fn ended(&self) -> anyhow::Result<ExitStatus> {
        let status = *self.ended.clone().wait_for(Option::is_some).await?;
        status.ok_or_else(|| anyhow!("process {} ended, with what status is unknown", self.pid))
    }

    /// Sends a signal; false if the child has ended already.
    pub(crate) fn signal(&self, signal: Signal) -> bool {
        let _not_reaped_meanwhile = lock(&self.handle);
        self.status().is_none() && rustix::process::kill_process(self.pid, signal).is_ok()
    }

    /// Kills the child with SIGKILL and waits for its end, which a suspended one meets too.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        if let Some(reaper) = self.reaper.take() {
            // The reaper cannot panic; and if it did, Drop is no place to say so.
            reaper.join().ok();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

fn waits_for_end(pid: Pid) -> rustix::io::Result<()> {
    rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).map(drop)
}

type Request = (Command, Sender<io::Result<std::process::Child>>);

/// Spawns from a thread that lives as long as this process. The kernel's "parent is dead" signal comes when the
/// spawning thread ends, and a test's thread ends long before the servers it shares with other tests.
fn spawn_for_life(command: Command) -> anyhow::Result<std::process::Child> {
    static SPAWNER: OnceLock<Sender<Request>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (requests, inbox) = channel::<Request>();
        let run = move || {
            for (mut command, reply) in inbox {
                reply.send(command.spawn()).ok();
            }
        };
        if let Err(error) = std::thread::Builder::new().name("spawner".to_owned()).spawn(run) {
            panic!("cannot start the thread that starts servers: {error}");
        }
        requests
    });
    let (reply, answer) = channel();
    spawner.send((command, reply)).context("the thread that starts servers has ended")?;
    let spawned = answer.recv().context("the thread that starts servers has ended")?;
    spawned.context("cannot run setpriv: apt-get install util-linux (or: out of processes)")
}

/// Locks, whether or not another test panicked while it held the lock.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
