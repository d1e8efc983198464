//! How to run Redis.

use anyhow::Context as _;
use rustix::process::Signal;

use crate::binaries;
use crate::kind::Kind;
use crate::local::{Folder, Local, Program};
use crate::ready::Handshake;

/// A Redis that keeps its data over a restart and over SIGKILL: it writes each change to its log before it answers.
pub(crate) fn prepare(port: u16) -> anyhow::Result<Local> {
    let folder = Folder::new("redis")?;
    let data = folder.path().display().to_string();
    let port_text = port.to_string();
    let mut args = vec!["--port", &port_text, "--bind", "127.0.0.1", "--dir", &data, "--save", ""];
    args.extend(["--appendonly", "yes", "--appendfsync", "no", "--daemonize", "no"]);
    let program = Program {
        path: binaries::redis().context("redis-server")?,
        args: args.into_iter().map(str::to_owned).collect(),
        env: Vec::new(),
        user: None,
        ready: (Handshake::Speaks(Kind::Redis), port),
    };
    Ok(Local::new(folder, vec![program], Signal::TERM))
}
