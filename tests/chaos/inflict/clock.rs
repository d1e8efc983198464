//! Clocks that jump, for our programs alone: libfaketime answers when they ask for the time of day.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use jodo_shared::clock::now;
use jodo_worker::store::inspect::AnyRow;
use tempfile::TempDir;

use super::last;
use crate::faults::Void;
use crate::run::Run;

/// Where Debian has it, by architecture.
const LIBRARIES: &str = "/usr/lib";

/// A clock for the programs that are started with it.
pub(crate) struct Clock {
    library: PathBuf,
    folder: TempDir,
}

impl Clock {
    /// A clock that is right as yet.
    ///
    /// # Errors
    /// [`Void`] when libfaketime is not installed.
    pub(crate) fn new() -> Result<Self, Void> {
        let architectures = fs::read_dir(LIBRARIES).map_err(|error| error.to_string())?;
        let library = |entry: fs::DirEntry| entry.path().join("faketime/libfaketimeMT.so.1");
        let library = architectures.flatten().map(library).find(|library| library.exists());
        let clock = Self {
            library: library.ok_or("libfaketime is not installed: apt-get install libfaketime")?,
            folder: tempfile::tempdir().map_err(|error| error.to_string())?,
        };
        clock.set("+0")?;
        Ok(clock)
    }

    /// What a program that is to have this clock is started with.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let pairs = [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            // Time that passes, as deadlines have it, goes on at its own pace.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }

    fn set(&self, offset: &str) -> Result<(), Void> {
        // Renamed into place: a program may be reading it.
        let new = self.folder.path().join("new");
        fs::write(&new, offset)
            .and_then(|()| fs::rename(&new, self.file()))
            .map_err(|error| error.to_string())
    }
}

/// Hours ahead, then a day behind, then right again.
pub(crate) async fn jump(run: &mut Run<'_>, lasting: Duration) -> Result<(), Void> {
    let clock = run.clock.as_ref().ok_or("there is no clock of ours")?;
    for offset in ["+5h", "-1d", "+0"] {
        clock.set(offset)?;
        last(lasting / 2).await;
    }
    // The rows tell that the programs saw it.
    let yesterday = (now() - SignedDuration::from_hours(24)).strftime("%Y-%m-%dT").to_string();
    let rows = run.stage.store().rows_where("jodo_events", "source", &["jodo".to_owned()]).await;
    let received = |row: &AnyRow| row.get("received_at").cloned().flatten().unwrap_or_default();
    let rows = rows.map_err(|error| error.to_string())?;
    if rows.iter().any(|row| received(row).starts_with(&yesterday)) {
        Ok(())
    } else {
        Err("no program saw another day".to_owned())
    }
}
