//! The life of a process: tasks run until a signal, then drain against a deadline, and the exit code says how it went.
//!
//! | code | meaning |
//! | --- | --- |
//! | 0 | asked to stop, or nothing left to do; everything under way was finished |
//! | 1 | it did not start, or a task died |
//! | 3 | the drain was cut short by its deadline or a second signal; what was cut comes again |
//!
//! (2 is left to wrong command lines, as usual.)

use std::fmt::Display;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything under way was finished: exit code 0.
    Drained,
    /// It did not start, or a task died: exit code 1.
    Failed,
    /// The drain was cut short: exit code 3.
    CutShort,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Drained => 0,
            Exit::Failed => 1,
            Exit::CutShort => 3,
        })
    }
}

/// The tasks of a process and the word to stop; clones share both.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    draining: CancellationToken,
    tasks: TaskTracker,
    died: Arc<AtomicBool>,
}

impl Shutdown {
    /// A process that has just begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when the drain begins: take nothing new, finish what is under way.
    pub fn token(&self) -> CancellationToken {
        self.draining.clone()
    }

    /// Runs a task that the drain waits for. `Ok` is a normal end at any time; an error or a panic begins the drain
    /// and makes the exit code 1.
    pub fn spawn<F, E>(&self, name: &'static str, task: F) -> JoinHandle<()>
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        let shutdown = self.clone();
        self.tasks.spawn(async move {
            // What a panicking task shared is not used again: the process drains and ends.
            match std::panic::AssertUnwindSafe(task).catch_unwind().await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => {
                    // The long form of an `anyhow` error tells its causes, too.
                    tracing::error!(
                        task.name = name,
                        error = format!("{error:#}"),
                        "a task failed; shutting down"
                    );
                }
                Err(_) => tracing::error!(task.name = name, "a task panicked; shutting down"),
            }
            shutdown.died.store(true, Ordering::Release);
            shutdown.draining.cancel();
        })
    }

    /// Waits for a signal, a dead task, a cancelled [`token`](Self::token) or the end of all tasks; then drains for
    /// at most `deadline`.
    ///
    /// Call it after the tasks were spawned. Tasks still running afterwards end with the runtime.
    pub async fn run(self, mut signals: Signals, deadline: Duration) -> Exit {
        self.drive(async || signals.next().await, deadline).await
    }

    async fn drive(self, mut signal: impl AsyncFnMut(), deadline: Duration) -> Exit {
        self.tasks.close();
        tokio::select! {
            () = signal() => tracing::info!(drain.deadline_s = deadline.as_secs(), "asked to stop; draining"),
            () = self.draining.cancelled() => tracing::info!(drain.deadline_s = deadline.as_secs(), "draining"),
            () = self.tasks.wait() => {}
        }
        self.draining.cancel();
        let drained = tokio::select! {
            biased;
            () = self.tasks.wait() => true,
            () = signal() => false,
            () = tokio::time::sleep(deadline) => false,
        };
        if self.died.load(Ordering::Acquire) {
            return Exit::Failed;
        }
        if drained {
            tracing::info!("drained");
            return Exit::Drained;
        }
        tracing::warn!(
            tasks.unfinished = self.tasks.len(),
            "the drain was cut short; what was under way comes again"
        );
        Exit::CutShort
    }
}

/// SIGTERM and SIGINT (elsewhere than on Unix, Ctrl-C).
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// Takes the signals over from the system. Call it first thing: until then a signal kills the process, or, where
    /// it is process 1 of a container, does nothing.
    ///
    /// # Errors
    /// When the system does not allow it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn install() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        #[cfg(not(unix))]
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(error = %error, "Ctrl-C cannot be waited for");
            std::future::pending().await
        }
    }
}

/// Runs a program on a runtime of its own and returns its exit code. An error is one line, in the log or, before there is
/// one, on standard error; and code 1.
///
/// Threads that block are not waited for: whatever the drain did not finish must not keep the process alive.
pub fn run_program(program: impl Future<Output = anyhow::Result<Exit>>) -> ExitCode {
    // TLS to broker, Redis and database is rustls over ring; an error means that a caller has chosen already.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was installed before");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(error = %error, "the runtime cannot be started");
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(program).unwrap_or_else(|error| {
        if tracing::dispatcher::has_been_set() {
            tracing::error!(error = format!("{error:#}"), "stopped by an error");
        } else {
            eprintln!("{error:#}");
        }
        Exit::Failed
    });
    runtime.shutdown_background();
    exit.into()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tokio::sync::{mpsc, oneshot};

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(30);

    /// Drives `shutdown` with signals that the test sends.
    fn drive(shutdown: Shutdown) -> (mpsc::UnboundedSender<()>, JoinHandle<Exit>) {
        let (send, mut receive) = mpsc::unbounded_channel();
        let signal = async move || {
            if receive.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        };
        (send, tokio::spawn(shutdown.drive(signal, DEADLINE)))
    }

    fn spawn_endless(shutdown: &Shutdown) {
        shutdown.spawn("endless", std::future::pending::<Result<(), Infallible>>());
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_signal_begins_the_drain_and_finished_tasks_end_it() {
        let shutdown = Shutdown::new();
        let (token, (finish, finished)) = (shutdown.token(), oneshot::channel::<()>());
        shutdown.spawn("one", {
            let token = token.clone();
            async move {
                token.cancelled().await;
                finished.await
            }
        });
        let (signals, exit) = drive(shutdown);
        signals.send(()).unwrap();
        token.cancelled().await;
        assert!(!exit.is_finished());
        finish.send(()).unwrap();
        assert_eq!(exit.await.unwrap(), Exit::Drained);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_cuts_the_drain_short() {
        let shutdown = Shutdown::new();
        spawn_endless(&shutdown);
        let (signals, exit) = drive(shutdown);
        let before = tokio::time::Instant::now();
        signals.send(()).unwrap();
        signals.send(()).unwrap();
        assert_eq!(exit.await.unwrap(), Exit::CutShort);
        assert_eq!(before.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_cuts_the_drain_short() {
        let shutdown = Shutdown::new();
        spawn_endless(&shutdown);
        let (signals, exit) = drive(shutdown);
        let before = tokio::time::Instant::now();
        signals.send(()).unwrap();
        assert_eq!(exit.await.unwrap(), Exit::CutShort);
        assert_eq!(before.elapsed().as_secs(), DEADLINE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_fails_or_panics_drains_the_others_and_is_told_by_the_exit_code() {
        for panics in [false, true] {
            let shutdown = Shutdown::new();
            let token = shutdown.token();
            shutdown.spawn("other", async move {
                token.cancelled().await;
                Ok::<(), Infallible>(())
            });
            shutdown
                .spawn("dying", async move { if panics { panic!("as planned") } else { Err("as planned") } });
            let (_signals, exit) = drive(shutdown);
            assert_eq!(exit.await.unwrap(), Exit::Failed);
        }
    }

    #[tokio::test]
    async fn a_process_without_tasks_ends_by_itself() {
        let (_signals, exit) = drive(Shutdown::new());
        assert_eq!(exit.await.unwrap(), Exit::Drained);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn sigterm_is_a_signal() {
        let mut signals = Signals::install().unwrap();
        let us = std::process::id().to_string();
        let kill = tokio::process::Command::new("kill").args(["-TERM", &us]).status().await.unwrap();
        assert!(kill.success());
        tokio::time::timeout(DEADLINE, signals.next()).await.unwrap();
    }

    #[test]
    fn an_error_of_the_program_is_exit_code_1() {
        let code = run_program(async { anyhow::bail!("no") });
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(1)));
        assert_eq!(
            format!("{:?}", run_program(async { Ok(Exit::CutShort) })),
            format!("{:?}", ExitCode::from(3))
        );
    }
}
