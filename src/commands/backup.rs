//! `jodo-sync backup`: a consistent copy of the one program's data while it runs.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use jodo_shared::broker::spool;
use jodo_shared::config::Config;
use jodo_worker::store::{is_file, sqlite};

use crate::Exit;
use crate::one_program::{CONFIG_FILE, DataDir};
use crate::wording::count;

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write, a tar archive; it must not be there yet. It holds personal data and the signing secrets.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Writes the copy: first the spool, then the databases. In this order everything that the copied spool calls settled is
/// in the copied databases; what came in between is in both, and is applied again without a trace.
///
/// # Errors
/// When there is no such installation, or something cannot be copied; there is no file then.
pub async fn run(
    args: &BackupArgs,
    config: &Config,
    data: Option<&DataDir>,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let Some(data) = data else {
        bail!(
            "there is no data folder here to back up; name it with --data-dir. \
             A database server is backed up with its own tools, such as pg_dump"
        );
    };
    if args.file.exists() {
        bail!("{} is there already", args.file.display());
    }
    let folder = args.file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let copy = tempfile::Builder::new().prefix(".jodo-sync-backup").tempdir_in(folder);
    let copy = copy.with_context(|| folder.display().to_string())?;

    let spooled =
        spool::backup(&config.ingress.spool_dir, &copy.path().join("spool")).context("the spool")?;
    let (files, servers): (Vec<_>, Vec<_>) = config.erp.iter().partition(|(_, erp)| is_file(&erp.url));
    for (name, erp) in &files {
        let file =
            sqlite::path_of(&erp.url).file_name().with_context(|| format!("erp.{name}.url names no file"))?;
        sqlite::backup(&erp.url, &copy.path().join(file)).await.with_context(|| format!("erp.{name}"))?;
    }
    for source in config.sources.keys() {
        let secret = data.secret_file(source);
        if let Some(name) = secret.file_name().filter(|_| secret.exists()) {
            fs::copy(&secret, copy.path().join(name)).with_context(|| secret.display().to_string())?;
        }
    }
    let file = data.path().join(CONFIG_FILE);
    if file.exists() {
        fs::copy(&file, copy.path().join(CONFIG_FILE)).with_context(|| file.display().to_string())?;
    }
    pack(copy.path(), &args.file).with_context(|| args.file.display().to_string())?;

    let databases = count(files.len(), "database", "databases");
    let set_aside = spooled.set_aside;
    let spooled = count(spooled.files, "spool file", "spool files");
    writeln!(out, "{}: {databases}, {spooled}, secrets and settings", args.file.display())?;
    if set_aside > 0 {
        writeln!(
            out,
            "Beside them {} that cannot be read: docs/SMALL-SCHOOL.md says what to do",
            count(set_aside, "file of the spool", "files of the spool")
        )?;
    }
    for (name, _) in servers {
        writeln!(out, "erp.{name} is on a database server: back it up now, with its own tools")?;
    }
    writeln!(out, "To restore: stop jodo-sync, and unpack it into an empty data folder:")?;
    writeln!(out, "  mkdir -m 700 data && tar -xf {} -C data", args.file.display())?;
    Ok(Exit::Well)
}

/// Packs the folder into a tar file that only its owner can read; it has its name only when it is whole and on the disk.
fn pack(folder: &Path, file: &Path) -> std::io::Result<()> {
    let mut partial = file.as_os_str().to_owned();
    partial.push(".partial");
    let packed = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&partial)?;
    let mut archive = tar::Builder::new(packed);
    archive.append_dir_all(".", folder)?;
    let packed: File = archive.into_inner()?;
    packed.sync_all()?;
    fs::rename(&partial, file)
}
