//! Ports that stay ours.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::sync::Mutex;

use anyhow::Context as _;
use rustix::io::{FdFlags, fcntl_setfd};

use crate::child::lock;
use crate::names::random;

/// A free TCP port of the loopback address that no other call gets, in this process or in another, until this
/// process ends.
///
/// It lies below the range that the kernel takes ports for outgoing connections from. So a server that is down for
/// a while finds its port free again, and a client that tries again and again cannot connect to itself.
///
/// # Panics
///
/// If there is none.
pub fn free_port() -> u16 {
    reserve().unwrap_or_else(|error| panic!("no free port: {error:#}"))
}

/// A listening socket that every program which this process starts from now on has open, under the number that comes
/// with it, as a supervisor hands one over.
///
/// # Panics
///
/// If there is none.
pub fn inherited_socket() -> (TcpListener, i32) {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, free_port()));
    let socket = socket.unwrap_or_else(|error| panic!("no socket: {error}"));
    if let Err(error) = fcntl_setfd(&socket, FdFlags::empty()) {
        panic!("the socket stays this program's own: {error}");
    }
    let number = socket.as_raw_fd();
    (socket, number)
}

fn reserve() -> anyhow::Result<u16> {
    /// Each port's file, locked: the lock ends with the process, however it ends.
    static HELD: Mutex<Vec<File>> = Mutex::new(Vec::new());

    let folder = reservations()?;
    let (first, end) = range();
    for _ in 0..1000 {
        let port = first + u16::try_from(random() % u64::from(end - first))?;
        let path = folder.join(port.to_string());
        let file =
            File::options().create(true).truncate(false).write(true).open(&path).context("port's file")?;
        if file.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            lock(&HELD).push(file);
            return Ok(port);
        }
    }
    anyhow::bail!("1000 tries between {first} and {end} met taken ones only")
}

fn reservations() -> anyhow::Result<PathBuf> {
    let uid = rustix::process::geteuid().as_raw();
    let folder = std::env::temp_dir().join(format!("jodo-test-ports-{uid}"));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// The first port to try and the one after the last.
fn range() -> (u16, u16) {
    let ephemeral = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let lowest = ephemeral.split_whitespace().next().and_then(|port| port.parse().ok()).unwrap_or(32768);
    // A machine that gives nearly everything to outgoing connections leaves no better choice than to share.
    if lowest >= 15_000 { (10_000, lowest) } else { (20_000, 32_768) }
}
