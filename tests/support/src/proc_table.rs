//! The processes of a server, found by the folder they work in: PostgreSQL's are neither all children of one we
//! know for long nor in one process group.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Pid;

/// Every living process whose working directory is `folder` or below. `folder` must be canonical.
pub(crate) fn processes_in(folder: &Path) -> Vec<Pid> {
    let numbers = std::fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let number: i32 = entry.file_name().to_str()?.parse().ok()?;
        // Fails for a zombie, which is right: it does nothing any more.
        std::fs::read_link(entry.path().join("cwd")).ok()?.starts_with(folder).then_some(number)
    });
    numbers.filter_map(Pid::from_raw).collect()
}

/// Whether a process does not run now: it is suspended, a zombie, or gone.
pub(crate) fn is_still(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which is in parentheses and may itself contain some.
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    !matches!(state, Some('R' | 'S' | 'D' | 'I'))
}

/// Blocks until `done` says so or `within` is over, and returns what `done` said last. For what the kernel does
/// within a few milliseconds and announces to nobody.
pub(crate) fn wait_until(within: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if done() {
            return true;
        }
        if start.elapsed() > within {
            return false;
        }
        #[expect(clippy::disallowed_methods, reason = "also called in Drop, where nothing can be awaited")]
        std::thread::sleep(Duration::from_millis(1));
    }
}
