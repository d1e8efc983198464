//! Disks that are full: a small one in memory, and a file that fills it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::database::{on_server, start_workers, stop_workers, when_let_go};
use super::last;
use super::process::start_again;
use crate::faults::{Void, Who};
use crate::run::Run;

/// A small disk. It is unmounted when dropped.
pub(crate) struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one of so many MiB, which needs the right to.
    ///
    /// # Errors
    /// [`Void`] without it.
    pub(crate) fn mount(mebibytes: u32) -> Result<Self, Void> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))
            .map_err(|error| error.to_string())?;
        let size = format!("size={mebibytes}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path());
        match mount.output() {
            Ok(output) if output.status.success() => Ok(Self { folder }),
            Ok(output) => Err(format!("no small disk: {}", String::from_utf8_lossy(&output.stderr).trim())),
            Err(error) => Err(format!("no small disk: {error}")),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it to the last byte, and returns the file that does.
    fn fill(&self) -> Result<PathBuf, Void> {
        let ballast = self.path().join("ballast");
        let mut file = fs::File::create(&ballast).map_err(|error| error.to_string())?;
        for size in [1 << 20, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        Ok(ballast)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.folder.path()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} stays mounted", self.folder.path().display());
        }
    }
}

fn disk<'r>(run: &'r Run<'_>) -> Result<&'r SmallDisk, Void> {
    run.disk.as_ref().ok_or_else(|| "there is no small disk".to_owned())
}

/// RabbitMQ is away, and the spool has no room.
pub(crate) async fn spool_full(run: &mut Run<'_>, lasting: Duration) -> Result<(), Void> {
    run.services.rabbitmq.kill();
    last(lasting).await;
    let ballast = disk(run).and_then(SmallDisk::fill);
    last(lasting).await;
    let emptied = ballast.and_then(|ballast| fs::remove_file(ballast).map_err(|error| error.to_string()));
    start_again(run, Who::RabbitMq).await;
    emptied
}

/// The one program has no room for anything.
pub(crate) async fn data_full(run: &mut Run<'_>, lasting: Duration) -> Result<(), Void> {
    let ballast = disk(run)?.fill()?;
    last(lasting).await;
    fs::remove_file(ballast).map_err(|error| error.to_string())
}

/// The database's files cannot grow.
pub(crate) async fn database_full(run: &mut Run<'_>, lasting: Duration) -> Result<(), Void> {
    let folder = disk(run)?.path().to_owned();
    let (server, name) = on_server(run).await?;
    let row = server.query_one("SELECT current_setting('data_directory')", &[]).await;
    let data: String = row.map_err(|error| error.to_string())?.get(0);
    let owner = fs::metadata(data).map_err(|error| error.to_string())?;
    chown(&folder, Some(owner.uid()), Some(owner.gid())).map_err(|error| error.to_string())?;
    let space = format!("{name}_small");
    let make = format!("CREATE TABLESPACE {space} LOCATION '{}'", folder.display());
    server.batch_execute(&make).await.map_err(|error| error.to_string())?;
    stop_workers(run);
    when_let_go(&server, &name, &format!("ALTER DATABASE {name} SET TABLESPACE {space}")).await?;
    start_workers(run);
    let ballast = disk(run)?.fill()?;
    last(lasting).await;
    run.tablespace = Some(space);
    fs::remove_file(ballast).map_err(|error| error.to_string())
}
