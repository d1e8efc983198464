//! The data folder: what is in it, who may use it, and the configuration that follows from it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use jodo_shared::config::{Config, Erp, Needs};
use jodo_shared::ids::{SourceName, TargetName};
use secrecy::SecretString;
use uuid::Uuid;

/// The name of the configuration file in a data folder.
pub const CONFIG_FILE: &str = "jodo-sync.toml";

/// The folder of one installation that runs in one process.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

/// The folder belongs to this process for as long as this lives.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Leaves the address that deliveries are taken at, and the private one, for the other commands to find.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn announce(&mut self, listen: SocketAddr, private: SocketAddr) -> io::Result<()> {
        writeln!(self.0, "{listen}\n{private}")
    }
}

impl DataDir {
    /// The folder at `path`; nothing is made yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of the spool.
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    /// Whether there is an installation in it: one was started here, or a copy of one was unpacked here.
    pub fn is_in_use(&self) -> bool {
        self.lock_file().exists() || self.spool().exists()
    }

    /// The configuration file of this installation, where the caller names none: `jodo-sync.toml` in the folder, unless
    /// the environment names another.
    pub fn config_file(&self, named: Option<&Path>) -> Option<PathBuf> {
        let elsewhere = || std::env::var_os("JODO_SYNC_CONFIG").is_some();
        let own = || Some(self.0.join(CONFIG_FILE)).filter(|file| !elsewhere() && file.exists());
        named.map(Path::to_owned).or_else(own)
    }

    /// Makes the folder, for its owner alone, and takes it over.
    ///
    /// # Errors
    /// When it cannot be made, or another process has it.
    pub fn take(&self) -> anyhow::Result<Lock> {
        let name = || format!("the data folder {}", self.0.display());
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0).with_context(name)?;
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(self.lock_file());
        let file = open.with_context(name)?;
        match file.try_lock() {
            // An earlier run's addresses are no word on this one's.
            Ok(()) => file.set_len(0).map(|()| Lock(file)).with_context(name),
            Err(TryLockError::WouldBlock) => {
                bail!("{} is in use: another jodo-sync is running with it", name())
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(name),
        }
    }

    /// The configuration of the one program: `file` and the environment over what this folder offers.
    ///
    /// Every target that has no database of its own gets a SQLite file here, every source without a secret and header the
    /// secret that was made here, and there is a source `test` with a target of its own, for trials.
    ///
    /// # Errors
    /// When the configuration, or a secret of this folder, cannot be read.
    pub fn config(&self, file: Option<&Path>) -> anyhow::Result<Config> {
        let file = self.config_file(file);
        let mut config = Config::load_over(&self.defaults(), file.as_deref(), Needs::Nothing)?;
        for source in config.sources.values() {
            let url = || format!("sqlite:{}", self.database(&source.target).display()).into();
            let database = || Erp { url: url(), max_events_per_second: 0 };
            config.erp.entry(source.target.clone()).or_insert_with(database);
        }
        for (name, source) in &mut config.sources {
            if source.secrets.is_empty() && source.header.is_none() {
                source.secrets = self.secret(name)?.into_iter().collect();
            }
        }
        if let Some((listen, private)) = self.announced() {
            (config.ingress.listen, config.ingress.private_listen) = (listen, private);
        }
        Ok(config)
    }

    /// Makes a secret for every source that has neither secret nor header; false when there was none to make.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn make_secrets(&self, config: &mut Config) -> anyhow::Result<()> {
        for (name, source) in &mut config.sources {
            if source.secrets.is_empty() && source.header.is_none() {
                source.secrets = vec![self.make_secret(name)?];
            }
        }
        Ok(())
    }

    /// The file with the secret of `source`.
    pub fn secret_file(&self, source: &SourceName) -> PathBuf {
        match source.as_str() {
            "jodo" => self.0.join("signing-secret"),
            other => self.0.join(format!("signing-secret-{other}")),
        }
    }

    fn database(&self, target: &TargetName) -> PathBuf {
        match target.as_str() {
            "main" => self.0.join("jodo.db"),
            other => self.0.join(format!("{other}.db")),
        }
    }

    fn lock_file(&self) -> PathBuf {
        self.0.join("lock")
    }

    fn announced(&self) -> Option<(SocketAddr, SocketAddr)> {
        let mut text = String::new();
        File::open(self.lock_file()).ok()?.read_to_string(&mut text).ok()?;
        let (listen, private) = text.trim().split_once('\n')?;
        Some((listen.parse().ok()?, private.parse().ok()?))
    }

    /// What a program that needs nothing beside it assumes, as TOML.
    fn defaults(&self) -> String {
        // A TOML string is written like a JSON one.
        let spool = serde_json::Value::from(self.spool().to_string_lossy());
        format!(
            "[ingress]\nlisten = \"127.0.0.1:8080\"\nspool_dir = {spool}\n\
             [log]\nfilter = \"warn,jodo_sync=info,jodo_shared=info,jodo_worker=info,lapin=off,actix_server=warn\"\n\
             [sources.test]\ntarget = \"test\"\nenvironment = \"test\"\n"
        )
    }

    /// The secret that was made here for `source`.
    ///
    /// # Errors
    /// When its file cannot be read, or is empty.
    pub fn secret(&self, source: &SourceName) -> anyhow::Result<Option<SecretString>> {
        let file = self.secret_file(source);
        match fs::read_to_string(&file) {
            Ok(text) => match text.lines().next() {
                Some(secret) if !secret.is_empty() => Ok(Some(secret.into())),
                _ => bail!("{}: its first line is empty", file.display()),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| file.display().to_string()),
        }
    }

    /// 64 hexadecimal digits, 244 of their bits by chance, on the disk before anybody is told of them.
    fn make_secret(&self, source: &SourceName) -> anyhow::Result<SecretString> {
        let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let path = self.secret_file(source);
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?;
            writeln!(file, "{secret}")?;
            file.sync_all()?;
            File::open(&self.0)?.sync_all()
        };
        write().with_context(|| path.display().to_string())?;
        Ok(secret.into())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_folder_is_made_for_its_owner_alone_and_has_one_user_at_a_time() {
        let around = tempfile::tempdir().unwrap();
        let data = DataDir::at(around.path().join("a/data"));
        assert!(!data.is_in_use());
        let lock = data.take().unwrap();
        assert!(data.is_in_use());
        assert_eq!(mode(data.path()), 0o700);
        assert!(data.take().unwrap_err().to_string().contains("another jodo-sync is running"));
        drop(lock);
        data.take().unwrap();
    }

    #[test]
    fn a_source_without_proof_gets_a_secret_that_stays_and_nobody_else_can_read() {
        let around = tempfile::tempdir().unwrap();
        let data = DataDir::at(around.path());
        let mut config = data.config(None).unwrap();
        data.make_secrets(&mut config).unwrap();
        let jodo: SourceName = "jodo".parse().unwrap();
        let made = config.sources[&jodo].secrets[0].expose_secret().to_owned();
        assert_eq!(made.len(), 64);
        assert_eq!(mode(&data.secret_file(&jodo)), 0o600);
        let again = data.config(None).unwrap();
        assert_eq!(again.sources[&jodo].secrets[0].expose_secret(), made);
        let test: SourceName = "test".parse().unwrap();
        assert_ne!(again.sources[&test].secrets[0].expose_secret(), made);
    }

    #[test]
    fn a_configuration_file_in_the_folder_is_found_and_one_that_is_named_goes_first() {
        let around = tempfile::tempdir().unwrap();
        let data = DataDir::at(around.path());
        assert_eq!(data.config_file(None), None);
        let own = around.path().join("jodo-sync.toml");
        fs::write(&own, "[ingress]\nprivate_listen = \"127.0.0.1:4712\"").unwrap();
        assert_eq!(data.config_file(None), Some(own));
        let named = Path::new("named.toml");
        assert_eq!(data.config_file(Some(named)).as_deref(), Some(named));
        assert_eq!(data.config(None).unwrap().ingress.private_listen.port(), 4712);
    }

    #[test]
    fn every_target_has_a_file_and_trials_have_their_own() {
        let data = DataDir::at("/somewhere");
        let config = data.config(None).unwrap();
        let urls: Vec<_> =
            config.erp.iter().map(|(name, erp)| format!("{name} {}", erp.url.expose_secret())).collect();
        assert_eq!(urls, ["main sqlite:/somewhere/jodo.db", "test sqlite:/somewhere/test.db"]);
        assert_eq!(config.ingress.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.ingress.spool_dir, Path::new("/somewhere/spool"));
        let paths: Vec<_> = config.sources.values().map(|source| source.path.as_str()).collect();
        assert_eq!(paths, ["/webhooks/jodo", "/webhooks/test"]);
    }

    #[test]
    fn the_running_program_leaves_its_address() {
        let around = tempfile::tempdir().unwrap();
        let data = DataDir::at(around.path());
        let listen = "127.0.0.1:4711".parse().unwrap();
        let private = "127.0.0.1:4712".parse().unwrap();
        data.take().unwrap().announce(listen, private).unwrap();
        let config = data.config(None).unwrap();
        assert_eq!((config.ingress.listen, config.ingress.private_listen), (listen, private));
        let _next = data.take().unwrap();
        assert_eq!(data.config(None).unwrap().ingress.listen.port(), 8080, "it decides anew");
    }
}
