//! What happens after our own end.
//!
//! Statics are never dropped and a killed process drops nothing, so a small shell process waits for the end of this
//! one (the end of its standard input) and then removes folders, containers and whatever still runs in a folder.
//! That last part matters for what the kernel's "parent is dead" signal does not reach: the children of a suspended
//! PostgreSQL. They are known by the folder they work in, or by their title where that cannot be seen.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock};

use crate::child::lock;

const SCRIPT: &str = r#"
trap '' HUP INT TERM
containers=
while read -r kind what; do
  case $kind in
    folder) set -- "$@" "$what" ;;
    container) containers="$containers $what" ;;
  esac
done
for folder; do
  tries=0
  while [ -e "$folder" ] && [ $tries -lt 100 ]; do
    for process in /proc/[0-9]*; do
      case $(readlink "$process/cwd"):$(tr '\0' ' ' <"$process/cmdline") in
        "$folder":* | "$folder"/*:* | "$folder (deleted)":*) kill -KILL "${process#/proc/}" ;;
        *:"postgres: ${folder##*/}: "*) kill -KILL "${process#/proc/}" ;;
      esac
    done
    segment=$(sed -n '7s/.* //p' "$folder/data/postmaster.pid")
    [ -z "$segment" ] || ipcrm -m "$segment"
    rm -rf "$folder" || sleep 0.1
    tries=$((tries + 1))
  done
done
[ -z "$containers" ] || docker rm --force --volumes $containers
"#;

/// Has `folder` removed, and everything killed whose working directory is in it, once this process has ended.
pub(crate) fn remove_folder_at_exit(folder: &Path) -> anyhow::Result<()> {
    tell(&format!("folder {}", folder.display()))
}

/// Has a container removed once this process has ended.
pub(crate) fn remove_container_at_exit(name: &str) -> anyhow::Result<()> {
    tell(&format!("container {name}"))
}

fn tell(line: &str) -> anyhow::Result<()> {
    static JANITOR: OnceLock<Mutex<Option<std::process::ChildStdin>>> = OnceLock::new();
    let janitor = JANITOR.get_or_init(|| Mutex::new(None));
    let mut stdin = lock(janitor);
    if stdin.is_none() {
        // Not the group of the terminal, so that Ctrl-C leaves it alive; and none of our pipes, whose readers would
        // otherwise wait for it.
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "jodo-test-janitor"]).process_group(0).current_dir("/");
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        *stdin = spawned.stdin;
    }
    if let Some(pipe) = stdin.as_mut() {
        writeln!(pipe, "{line}")?;
    }
    Ok(())
}
