//! One of our programs, run as it would be in production.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Signal, WaitId, WaitIdOptions};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::child::{Child, guarded};
use crate::proc_table::wait_until;

/// How long a program may take to stop when asked to.
const STOP_DEADLINE: Duration = Duration::from_secs(60);

/// How many lines of output a panic shows.
const TAIL: usize = 60;

/// A running program whose output is captured. Dropping it kills it, and shows the output if the test panicked.
pub struct Process {
    name: String,
    child: Child,
    output: watch::Receiver<Output>,
}

#[derive(Default)]
struct Output {
    lines: Vec<String>,
    /// How many pipes may still bring more.
    open: u8,
}

impl Process {
    /// Starts `command`, with standard output and error captured and standard input empty.
    ///
    /// It inherits our environment but for variables that start with `JODO_SYNC`, which would change its
    /// configuration behind the test's back.
    ///
    /// # Panics
    ///
    /// If the program is not there.
    #[expect(clippy::needless_pass_by_value, reason = "a caller builds the command for this call")]
    pub fn start(command: Command) -> Self {
        let program = Path::new(command.get_program());
        let name = program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
        let started = Self::try_start(name, &command);
        started.unwrap_or_else(|error| panic!("cannot start {}: {error:#}", program.display()))
    }

    fn try_start(name: String, command: &Command) -> anyhow::Result<Self> {
        let mut child = Child::spawn(guarded_copy(command)?)?;
        let (sender, output) = watch::channel(Output { lines: Vec::new(), open: 2 });
        let (stdout, stderr) =
            (child.stdout.take().context("stdout")?, child.stderr.take().context("stderr")?);
        let for_stderr = sender.clone();
        std::thread::Builder::new().name("stdout".to_owned()).spawn(move || capture(stdout, &sender))?;
        std::thread::Builder::new().name("stderr".to_owned()).spawn(move || capture(stderr, &for_stderr))?;
        Ok(Self { name, child, output })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.pid().as_raw_nonzero().get().unsigned_abs()
    }

    /// All lines of output so far, of both streams as they came.
    pub fn lines(&self) -> Vec<String> {
        self.output.borrow().lines.clone()
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        self.child.status().is_none()
    }

    /// Waits for a line of output that contains `pattern`, from the start of the program on, and returns it.
    ///
    /// # Panics
    ///
    /// If there is none within the time, or the program ends without one.
    pub async fn wait_for_line(&self, pattern: &str, within: Duration) -> String {
        self.wait_for_line_after(0, pattern, within).await
    }

    /// [`Process::wait_for_line`] without the first `skip` lines, so that a line which comes again and again can be
    /// awaited anew: take `lines().len()` before what should cause it.
    ///
    /// # Panics
    ///
    /// If there is none within the time, or the program ends without one.
    pub async fn wait_for_line_after(&self, skip: usize, pattern: &str, within: Duration) -> String {
        let mut seen = skip;
        let mut found = None;
        let mut output = self.output.clone();
        let look = output.wait_for(|output| {
            found = output.lines.iter().skip(seen).find(|line| line.contains(pattern)).cloned();
            seen = seen.max(output.lines.len());
            found.is_some() || output.open == 0
        });
        let waited = timeout(within, look).await.is_ok();
        match found {
            Some(line) => line,
            None if waited => panic!("{} ended without a line {pattern:?}. {}", self.name, self.tail()),
            None => panic!("{} printed no line {pattern:?} within {within:?}. {}", self.name, self.tail()),
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// If it still runs after that time.
    pub async fn ended(&self, within: Duration) -> ExitStatus {
        match timeout(within, self.child.ended()).await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => panic!("{}: {error:#}", self.name),
            Err(_) => panic!("{} still runs after {within:?}. {}", self.name, self.tail()),
        }
    }

    /// Asks it to stop with SIGTERM and waits for its end.
    ///
    /// # Panics
    ///
    /// If it needs more than a minute.
    pub async fn terminate(&self) -> ExitStatus {
        self.child.signal(Signal::TERM);
        self.ended(STOP_DEADLINE).await
    }

    /// Kills it with SIGKILL and waits for its end.
    pub fn kill9(&mut self) {
        self.child.kill();
    }

    /// Suspends it with SIGSTOP, and returns when it stands still (or has ended).
    pub fn suspend(&self) {
        if self.child.signal(Signal::STOP) {
            let stopped = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            rustix::process::waitid(WaitId::Pid(self.child.pid()), stopped).ok();
        }
    }

    /// Lets it go on after [`Process::suspend`].
    pub fn resume(&self) {
        self.child.signal(Signal::CONT);
    }

    fn tail(&self) -> String {
        let output = self.output.borrow();
        let lines = &output.lines[output.lines.len().saturating_sub(TAIL)..];
        format!("The end of its output:\n{}", lines.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill();
        if std::thread::panicking() {
            // Its last words may still be in the pipe; a grandchild that holds the pipe is not waited for.
            wait_until(Duration::from_millis(500), || self.output.borrow().open == 0);
            eprintln!("{} ({:?}). {}", self.name, self.child.status(), self.tail());
        }
    }
}

/// The same command, made to die with us.
fn guarded_copy(command: &Command) -> anyhow::Result<Command> {
    let program = command.get_program();
    // Otherwise it would be setpriv that reports it, and only as an exit code.
    anyhow::ensure!(!is_path(program) || Path::new(program).is_file(), "there is no such file");
    let mut copy = guarded(program, None);
    copy.args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        copy.current_dir(folder);
    }
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"JODO_SYNC") {
            copy.env_remove(name);
        }
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => copy.env(name, value),
            None => copy.env_remove(name),
        };
    }
    copy.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(copy)
}

fn is_path(program: &OsStr) -> bool {
    program.as_encoded_bytes().contains(&b'/')
}

fn capture(pipe: impl Read, output: &watch::Sender<Output>) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    // An error is an end too: the pipe brings no more.
    while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
        output.send_modify(|output| output.lines.push(text));
        line.clear();
    }
    output.send_modify(|output| output.open -= 1);
}
