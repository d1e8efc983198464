//! How to run PostgreSQL.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use rustix::process::Signal;

use crate::binaries;
use crate::child::User;
use crate::kind::Kind;
use crate::local::{Folder, Local, Program};
use crate::ready::Handshake;

/// Whether a server forces its data to disk: nothing short of a power cut of the machine would tell, but a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    /// It does, as in production, and remembers when each transaction was committed.
    ToDisk,
    /// It does not, and leaves every other promise as it is.
    Never,
}

/// A PostgreSQL with an empty cluster.
pub(crate) async fn prepare(port: u16, sync: Sync) -> anyhow::Result<Local> {
    let binaries = binaries::postgres().context("postgres")?;
    let folder = Folder::new("postgres")?;
    let user = unprivileged_user()?;
    if let Some(User { uid, gid }) = user {
        std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).context("chown")?;
    }
    let program = |name, args: Vec<String>| Program {
        path: binaries.join(name),
        args,
        env: Vec::new(),
        user,
        ready: (Handshake::Speaks(Kind::Postgres), port),
    };
    let data = folder.path().join("data").display().to_string();
    make_cluster(&folder, &data, |args| program("initdb", args)).await?;
    let name = folder.path().file_name().context("the folder's name")?.display();
    let settings = [
        format!("port={port}"),
        // Shown in the title of every process, where the janitor looks for it.
        format!("cluster_name={name}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        "max_connections=300".to_owned(),
        match sync {
            Sync::ToDisk => "track_commit_timestamp=on".to_owned(),
            Sync::Never => "fsync=off".to_owned(),
        },
        // In the data folder instead of /dev/shm, where a kill would leave them for ever.
        "dynamic_shared_memory_type=mmap".to_owned(),
    ];
    let settings = settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]);
    let server = program("postgres", ["-D".to_owned(), data].into_iter().chain(settings).collect());
    Ok(Local::new(folder, vec![server], Signal::INT))
}

/// Runs `initdb`. The database sorts text as people do, like most ERP databases in the field and unlike bytes: a
/// query that relies on the order of bytes must say so, and tests should notice when it does not.
async fn make_cluster(
    folder: &Folder,
    data: &str,
    initdb: impl Fn(Vec<String>) -> Program,
) -> anyhow::Result<()> {
    let common = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"];
    let like_people = ["--locale-provider=icu", "--icu-locale=en-US"];
    // PostgreSQL before 15, and one built without ICU, do not know the latter.
    for more in [like_people.as_slice(), &[]] {
        let args = common.iter().chain(more).map(|arg| (*arg).to_owned()).collect();
        if folder.spawn(&initdb(args))?.ended().await?.success() {
            return Ok(());
        }
    }
    anyhow::bail!("initdb failed. {}", folder.log_tail())
}

/// PostgreSQL refuses to run as root; then it is to run as the user that its package makes.
fn unprivileged_user() -> anyhow::Result<Option<User>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    if let Ok(user) = postgres_user() {
        return Ok(Some(user));
    }
    let mut useradd = Command::new("useradd");
    // Fails if another process was faster, which is as good.
    useradd.args([
        "--system",
        "--user-group",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        "postgres",
    ]);
    useradd.output().context("cannot run useradd")?;
    postgres_user().map(Some).context("PostgreSQL does not run as root, and there is no user postgres")
}

fn postgres_user() -> anyhow::Result<User> {
    let id = |flag| -> anyhow::Result<u32> {
        let output = Command::new("id").args([flag, "postgres"]).output()?;
        ensure!(output.status.success(), "no user postgres");
        Ok(String::from_utf8(output.stdout)?.trim().parse()?)
    };
    Ok(User { uid: id("-u")?, gid: id("-g")? })
}

/// Removes the System V segment that a killed PostgreSQL leaves behind; the kernel has room for 4096 of them.
/// Does nothing in the folder of another server, or after an orderly stop.
pub(crate) fn remove_shared_memory(folder: &Path) {
    let Ok(pid_file) = std::fs::read_to_string(folder.join("data/postmaster.pid")) else { return };
    let Some(segment) = pid_file.lines().nth(6).and_then(|line| line.split_whitespace().nth(1)) else {
        return;
    };
    // It is 56 bytes: not worth a failed test.
    Command::new("ipcrm").args(["-m", segment]).output().ok();
}
