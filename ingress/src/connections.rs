//! How many connections may be open at once.
//!
//! Every connection is an open file of the process. When the operating system's bound on those (`ulimit -n`, systemd's
//! `LimitNOFILE`, Docker's `nofile`) is reached, idle strangers would also keep the program from connecting to its
//! broker; so connections stop short of it.

use tracing::info;

/// Open files that are kept free for everything but deliveries: broker, private listener, spool, logs.
const SPARE_FILES: usize = 64;

/// The bound on connections: `configured`, or what the limit on open files leaves.
pub fn bound(configured: usize) -> usize {
    let Some(files) = open_files_limit() else { return configured };
    let bound = within(configured, files);
    if bound < configured {
        info!(
            connections.max = bound,
            connections.configured = configured,
            files.limit = files,
            "fewer connections than configured: the limit on open files (ulimit -n) allows no more"
        );
    }
    bound
}

fn within(configured: usize, files: usize) -> usize {
    configured.min(files.saturating_sub(SPARE_FILES)).max(1)
}

/// The soft limit on open files, where the system tells it as Linux does
/// (<https://man7.org/linux/man-pages/man5/proc_pid_limits.5.html>); absent when there is none.
fn open_files_limit() -> Option<usize> {
    parse_limits(&std::fs::read_to_string("/proc/self/limits").ok()?)
}

fn parse_limits(text: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_on_open_files_is_read() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max processes             31337                31337                processes \n\
                    Max open files            1024                 524288               files     \n";
        assert_eq!(parse_limits(text), Some(1024));
        assert_eq!(
            parse_limits("Max open files            unlimited            unlimited            files\n"),
            None
        );
        assert_eq!(parse_limits(""), None);
    }

    #[test]
    fn connections_stop_short_of_the_limit_on_open_files() {
        assert_eq!(within(10_000, 20_000), 10_000);
        assert_eq!(within(10_000, 1024), 960);
        assert_eq!(within(10_000, 10), 1);
    }
}
