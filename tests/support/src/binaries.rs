//! Where the servers' programs are. `install-services.sh` looks in the same places: change both.

use std::path::{Path, PathBuf};

/// `rabbitmq-server` as the release ships it. Debian puts a wrapper on PATH that changes to the user `rabbitmq`,
/// who may not write into our folder; the program behind the wrapper has no such wish.
pub(crate) fn rabbitmq() -> Option<PathBuf> {
    let behind_wrapper = PathBuf::from("/usr/lib/rabbitmq/bin/rabbitmq-server");
    behind_wrapper.is_file().then_some(behind_wrapper).or_else(|| on_path("rabbitmq-server"))
}

/// Erlang's name server, which every RabbitMQ node needs.
pub(crate) fn epmd() -> Option<PathBuf> {
    let own_folder = PathBuf::from("/usr/lib/erlang/bin/epmd");
    on_path("epmd").or_else(|| own_folder.is_file().then_some(own_folder))
}

/// `redis-server`.
pub(crate) fn redis() -> Option<PathBuf> {
    on_path("redis-server")
}

/// The folder with `postgres` and `initdb`: the newest that Debian installed (it keeps them off PATH), else PATH's.
pub(crate) fn postgres() -> Option<PathBuf> {
    let newest = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let folder = entry.path().join("bin");
            is_postgres(&folder).then_some((version, folder))
        })
        .max();
    newest
        .map(|(_, folder)| folder)
        .or_else(|| folders_on_path().into_iter().find(|folder| is_postgres(folder)))
}

fn is_postgres(folder: &Path) -> bool {
    folder.join("postgres").is_file() && folder.join("initdb").is_file()
}

fn on_path(program: &str) -> Option<PathBuf> {
    folders_on_path().into_iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// PATH, and the folders for servers that an ordinary user's PATH lacks on Debian.
fn folders_on_path() -> Vec<PathBuf> {
    std::env::split_paths(&path_for_servers()).collect()
}

/// The PATH that servers are started with.
pub(crate) fn path_for_servers() -> String {
    let own = std::env::var("PATH").unwrap_or_default();
    let usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    if own.is_empty() { usual.to_owned() } else { format!("{own}:{usual}") }
}
