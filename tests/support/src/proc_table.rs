//! The processes of a server: those we started, and those that they started.
//!
//! Read from `/proc/*/stat`, which everybody may read. A process group would not do, because each of PostgreSQL's
//! processes makes one of its own; the folder they work in would not either, because in a container not even root
//! may see that of another user's process.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rustix::process::Pid;

/// `roots` and every process that descends from them.
pub(crate) fn with_descendants(roots: &[Pid]) -> Vec<Pid> {
    let mut children: HashMap<Pid, Vec<Pid>> = HashMap::new();
    for pid in std::fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let number: i32 = entry.file_name().to_str()?.parse().ok()?;
        Pid::from_raw(number)
    }) {
        if let Some((_, parent)) = state_and_parent(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = roots.to_vec();
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    found
}

/// Whether a process does not run now: it is suspended, a zombie, or gone.
pub(crate) fn is_still(pid: Pid) -> bool {
    !matches!(state_and_parent(pid), Some(('R' | 'S' | 'D' | 'I', _)))
}

/// Whether a process has ended, even if its parent has not taken note.
pub(crate) fn is_gone(pid: Pid) -> bool {
    matches!(state_and_parent(pid), None | Some(('Z' | 'X', _)))
}

fn state_and_parent(pid: Pid) -> Option<(char, Pid)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // They follow the name, which is in parentheses and may itself contain some.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    Some((state, Pid::from_raw(parent)?))
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
