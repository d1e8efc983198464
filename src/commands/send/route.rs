//! Where a delivery goes, and what proves its sender.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use jodo_shared::config::{Config, CustomHeader, Environment};
use jodo_shared::ids::{SourceName, TargetName};
use reqwest::Url;
use secrecy::SecretString;

/// The source that there is when nobody configures one.
const DEFAULT_SOURCE: &str = "jodo";

/// Arguments that say where to, and in whose name.
#[derive(Debug, Clone, Default, Args)]
pub struct RouteArgs {
    /// The source in whose name it is sent. Without it `send` takes `jodo`, and `simulate` the one for tests.
    #[arg(long, value_name = "NAME")]
    pub source: Option<SourceName>,
    /// Where to, instead of the source's path at ingress.listen.
    #[arg(long)]
    pub url: Option<Url>,
    /// A file whose first line is the secret, instead of the source's first secret.
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
}

/// Where a delivery goes, and what proves its sender.
#[derive(Debug)]
pub(crate) struct Route {
    /// The source; the delivery key depends on it.
    pub(crate) source: SourceName,
    /// Address of the request.
    pub(crate) url: Url,
    /// The custom header that is registered with the source.
    pub(crate) header: Option<CustomHeader>,
    /// Signing secret.
    pub(crate) secret: Option<SecretString>,
    /// The source's environment, where it is known to be that source which the delivery reaches.
    pub(crate) environment: Option<Environment>,
    /// The ERP database that the source's events go to.
    pub(crate) target: Option<TargetName>,
}

impl Route {
    /// Finds the way.
    ///
    /// # Errors
    /// When the source is not configured and no URL is given, or the secret's file cannot be read.
    pub(crate) fn find(args: &RouteArgs, config: &Config) -> anyhow::Result<Self> {
        let name = args.source.clone().map_or_else(|| DEFAULT_SOURCE.parse(), Ok)?;
        let configured = config.sources.get(&name);
        let url = match (&args.url, configured) {
            (Some(url), _) => url.clone(),
            (None, Some(source)) => local_url(config.ingress.listen, &source.path)?,
            (None, None) => {
                let known: Vec<_> = config.sources.keys().map(SourceName::as_str).collect();
                bail!("sources.{name} is not configured; name one with --source: {}", known.join(", "));
            }
        };
        let secret = match &args.secret_file {
            Some(file) => Some(first_line(file)?),
            None => configured.and_then(|source| source.secrets.first().cloned()),
        };
        // A bare URL may lead anywhere: to which source, only the caller can say.
        let certain = args.url.is_none() || args.source.is_some();
        Ok(Self {
            source: name,
            url,
            header: configured.and_then(|source| source.header.clone()),
            secret,
            environment: configured.filter(|_| certain).map(|source| source.environment),
            target: configured.map(|source| source.target.clone()),
        })
    }

    /// The secret.
    ///
    /// # Errors
    /// When there is none, with what to do.
    pub(crate) fn needed_secret(&self) -> anyhow::Result<&SecretString> {
        let missing =
            || format!("sources.{}.secrets: there is no secret; name a file with --secret-file", self.source);
        self.secret.as_ref().with_context(missing)
    }

    /// Keeps our inventions out of real books.
    ///
    /// # Errors
    /// When a built-in sample would go to a source that is not for trials, or may not be, and nobody said that this
    /// is meant.
    pub(crate) fn guard(&self, built_in: bool, meant: bool) -> anyhow::Result<()> {
        let (source, trials) = (&self.source, [Some(Environment::Test), Some(Environment::Uat)]);
        if !built_in || meant || trials.contains(&self.environment) {
            return Ok(());
        }
        match self.environment {
            Some(_) => bail!(
                "sources.{source}.environment is production: the sample would become an entry in real books; \
                 --i-mean-it sends it all the same"
            ),
            None => bail!(
                "it is not known whether this URL leads to real books: name the source with --source, or send it \
                 all the same with --i-mean-it"
            ),
        }
    }
}

/// An address that listens on every interface is reached over the loopback.
fn local_url(listen: SocketAddr, path: &str) -> anyhow::Result<Url> {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    Url::parse(&format!("http://{}{path}", SocketAddr::new(ip, listen.port()))).context("ingress.listen")
}

fn first_line(file: &Path) -> anyhow::Result<SecretString> {
    let name = || format!("--secret-file {}", file.display());
    let text = std::fs::read_to_string(file).with_context(name)?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.into()),
        _ => bail!("{}: its first line is empty", name()),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use jodo_shared::config::Needs;

    use super::*;

    const FILE: &str = r#"
        [ingress]
        listen = "0.0.0.0:8080"
        [sources.jodo]
        secrets = ["today", "yesterday"]
        [sources.trial]
        environment = "uat"
        target = "trial"
        header = { name = "X-School", value = "hush" }
    "#;

    fn config() -> Config {
        Config::from_parts(Needs::Nothing, Some(FILE), Vec::<(String, String)>::new()).unwrap()
    }

    fn args(source: Option<&str>, url: Option<&str>) -> RouteArgs {
        RouteArgs {
            source: source.map(|name| name.parse().unwrap()),
            url: url.map(|url| url.parse().unwrap()),
            secret_file: None,
        }
    }

    #[test]
    fn the_way_is_the_sources_path_at_the_loopback_with_its_first_secret() {
        let route = Route::find(&args(None, None), &config()).unwrap();
        assert_eq!(route.url.as_str(), "http://127.0.0.1:8080/webhooks/jodo");
        assert_eq!(route.needed_secret().unwrap().expose_secret(), "today");
        let route = Route::find(&args(Some("trial"), None), &config()).unwrap();
        assert_eq!(route.url.as_str(), "http://127.0.0.1:8080/webhooks/trial");
        assert_eq!(route.header.as_ref().unwrap().name, "x-school");
        assert!(route.needed_secret().unwrap_err().to_string().contains("sources.trial.secrets"));
        assert_eq!(local_url("[::]:80".parse().unwrap(), "/x").unwrap().as_str(), "http://[::1]/x");
    }

    #[test]
    fn an_unknown_source_needs_a_url() {
        let error = Route::find(&args(Some("other"), None), &config()).unwrap_err().to_string();
        assert!(error.contains("sources.other") && error.contains("jodo, trial"), "{error}");
        let route = Route::find(&args(Some("other"), Some("http://x/y")), &config()).unwrap();
        assert_eq!((route.environment, route.target), (None, None));
    }

    #[test]
    fn a_sample_goes_to_trials_only_unless_that_is_meant() {
        let url = Some("http://somewhere/hook");
        let cases = [
            (args(None, None), false),
            (args(Some("jodo"), None), false),
            (args(Some("trial"), None), true),
            (args(Some("trial"), url), true),
            (args(None, url), false),
            (args(Some("other"), url), false),
        ];
        for (args, allowed) in cases {
            let route = Route::find(&args, &config()).unwrap();
            assert_eq!(route.guard(true, false).is_ok(), allowed, "{args:?}");
            assert!(route.guard(true, true).is_ok());
            assert!(route.guard(false, false).is_ok(), "a file of one's own goes anywhere");
        }
    }

    #[test]
    fn a_secret_file_gives_its_first_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let with_file = RouteArgs { secret_file: Some(file.path().to_owned()), ..args(None, None) };
        std::fs::write(file.path(), "one\r\ntwo\n").unwrap();
        let route = Route::find(&with_file, &config()).unwrap();
        assert_eq!(route.secret.unwrap().expose_secret(), "one");
        std::fs::write(file.path(), "\n").unwrap();
        assert!(Route::find(&with_file, &config()).unwrap_err().to_string().contains("--secret-file"));
    }
}
