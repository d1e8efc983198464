//! Reads the layers as a whole, and the rules between sections.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::error::{ConfigErrors, Mistakes, Problem};
use super::layers::{self, DEFAULTS, FILE_VARIABLE};
use super::section::Section;
use super::{Config, Erp, Needs, Source, Worker, read};
use crate::ids::{SourceName, TargetName};

/// The source that there is when nobody configures one.
const DEFAULT_SOURCE: &str = "jodo";

impl Config {
    /// Reads the configuration: embedded defaults, then the file that `JODO_SYNC_CONFIG` names, then the environment.
    ///
    /// # Errors
    /// [`ConfigErrors`] with every mistake that was found. A source with a mistake of its own takes no part in the
    /// rules between sources until that is mended.
    pub fn load(needs: Needs) -> Result<Self, ConfigErrors> {
        Self::load_over("", None, needs)
    }

    /// Like [`Config::load`], with the file that the caller names, such as from a `--config` argument.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_from(file: Option<&Path>, needs: Needs) -> Result<Self, ConfigErrors> {
        Self::load_over("", file, needs)
    }

    /// Like [`Config::load_from`], with a TOML text of other defaults: they lie over the embedded ones and under the
    /// file. Sources in it are there beside those that somebody configures.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_over(under: &str, file: Option<&Path>, needs: Needs) -> Result<Self, ConfigErrors> {
        let named = std::env::var_os(FILE_VARIABLE).map(PathBuf::from);
        let file = file.map(Path::to_owned).or(named);
        let mistakes = Mistakes::default();
        let text = match file.map(std::fs::read).transpose() {
            Ok(bytes) => bytes.map(String::from_utf8).transpose().map_err(|_| Problem::NotUtf8),
            Err(error) => Err(Problem::File(error.kind())),
        };
        let text = text.unwrap_or_else(|problem| {
            mistakes.add(FILE_VARIABLE, problem);
            None
        });
        read_layers(needs, under, text.as_deref(), std::env::vars_os(), mistakes)
    }

    /// Like [`Config::load`], from the text of a file (or none) and a list of environment variables. Touches only
    /// the files that `…_file` keys name.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_parts<K, V>(
        needs: Needs,
        file: Option<&str>,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigErrors>
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        read_layers(needs, "", file, environment, Mistakes::default())
    }
}

fn read_layers<K, V>(
    needs: Needs,
    under: &str,
    file: Option<&str>,
    environment: impl IntoIterator<Item = (K, V)>,
    mistakes: Mistakes,
) -> Result<Config, ConfigErrors>
where
    K: Into<OsString>,
    V: Into<OsString>,
{
    let mut table = layers::from_toml(DEFAULTS, "the embedded defaults", &mistakes);
    let mut under = layers::from_toml(under, "the program's own defaults", &mistakes);
    let beside = under.remove("sources");
    layers::merge(&mut table, under);
    let mut given = layers::from_toml(file.unwrap_or_default(), FILE_VARIABLE, &mistakes);
    layers::merge(&mut given, layers::from_environment(environment, &mistakes));
    let sources = with_source_defaults(&mut table, given.remove("sources"), beside, &mistakes);
    layers::merge(&mut table, given);
    table.insert("sources".to_owned(), Value::Table(sources));
    let whole = config(Section::whole(table, &mistakes), needs, &mistakes);
    mistakes.into_result(whole)
}

/// Gives every configured source what it leaves out; without any, the default source. Those of `beside` are there in
/// any case.
fn with_source_defaults(
    defaults: &mut Table,
    given: Option<Value>,
    beside: Option<Value>,
    mistakes: &Mistakes,
) -> Table {
    let template = defaults.remove("sources").and_then(|sources| sources.get(DEFAULT_SOURCE).cloned());
    let given = match given {
        None => Table::new(),
        Some(Value::Table(table)) => table,
        Some(_) => {
            mistakes.add("sources", Problem::Type("a section"));
            Table::new()
        }
    };
    let given = if given.is_empty() {
        Table::from_iter([(DEFAULT_SOURCE.to_owned(), Value::Table(Table::new()))])
    } else {
        given
    };
    let mut sources = match beside {
        Some(Value::Table(beside)) => beside,
        _ => Table::new(),
    };
    layers::merge(&mut sources, given);
    let mut all = Table::new();
    for (name, source) in sources {
        let mut whole =
            Table::from_iter([(name.clone(), template.clone().unwrap_or(Value::Table(Table::new())))]);
        if let Some(Value::Table(section)) = whole.get_mut(&name) {
            section.insert("path".to_owned(), Value::String(format!("/webhooks/{name}")));
        }
        layers::merge(&mut whole, Table::from_iter([(name, source)]));
        all.extend(whole);
    }
    all
}

fn config(mut whole: Section<'_>, needs: Needs, mistakes: &Mistakes) -> Option<Config> {
    let ingress = read::ingress(whole.section("ingress"));
    let worker = read::worker(whole.section("worker"));
    let broker = read::broker(whole.section("broker"));
    let redis = read::redis(whole.section("redis"));
    let archive = read::archive(whole.section("archive"));
    let retention = read::retention(whole.section("retention"));
    let erp = read::erp(whole.section("erp"), needs, mistakes);
    let sources = read::sources(whole.section("sources"), needs, mistakes);
    let log = read::log(whole.section("log"));
    let traces = read::traces(whole.section("traces"));
    whole.finish();

    if needs.broker()
        && broker.is_none()
        && !mistakes.mention("broker.url")
        && !mistakes.mention("broker.url_file")
    {
        mistakes.add("broker.url", Problem::Missing(String::new()));
    }
    if let Some(ingress) = &ingress {
        differ(
            ("ingress.private_listen", ingress.private_listen),
            ("ingress.listen", ingress.listen),
            mistakes,
        );
    }
    paths_differ(&sources, mistakes);
    environments_agree(&sources, mistakes);
    if needs.erp() {
        targets_exist(&sources, worker.as_ref(), &erp, mistakes);
    }
    Some(Config {
        ingress: ingress?,
        worker: worker?,
        broker,
        redis,
        archive: archive?,
        retention: retention?,
        erp,
        sources,
        log: log?,
        traces: traces?,
    })
}

fn differ(one: (&'static str, SocketAddr), other: (&str, SocketAddr), mistakes: &Mistakes) {
    let same_port = one.1.port() == other.1.port() && one.1.port() != 0;
    let overlap = one.1.ip() == other.1.ip() || one.1.ip().is_unspecified() || other.1.ip().is_unspecified();
    if same_port && overlap {
        mistakes.add(one.0, Problem::Clash("must be another address or port than", other.0.to_owned()));
    }
}

fn paths_differ(sources: &BTreeMap<SourceName, Source>, mistakes: &Mistakes) {
    let mut seen = BTreeMap::new();
    for (name, source) in sources {
        if let Some(first) = seen.insert(&source.path, name) {
            let first = format!("sources.{first}.path");
            mistakes.add(format!("sources.{name}.path"), Problem::Clash("must be another path than", first));
        }
    }
}

/// One target takes one environment: else a trial run would write into the real books.
fn environments_agree(sources: &BTreeMap<SourceName, Source>, mistakes: &Mistakes) {
    let mut first_of: BTreeMap<&TargetName, (&SourceName, &Source)> = BTreeMap::new();
    for (name, source) in sources {
        let (first, other) = first_of.entry(&source.target).or_insert((name, source));
        if other.environment != source.environment {
            let other = format!("sources.{first}.environment, which feeds the same target");
            mistakes.add(format!("sources.{name}.environment"), Problem::Clash("differs from", other));
        }
    }
}

fn targets_exist(
    sources: &BTreeMap<SourceName, Source>,
    worker: Option<&Worker>,
    erp: &BTreeMap<TargetName, Erp>,
    mistakes: &Mistakes,
) {
    let chosen: BTreeSet<&TargetName> = worker.into_iter().flat_map(|worker| &worker.targets).collect();
    let by_choice = chosen.iter().map(|target| (*target, "worker.targets".to_owned()));
    let by_source = sources
        .iter()
        .filter(|(_, source)| chosen.is_empty() || chosen.contains(&source.target))
        .map(|(name, source)| (&source.target, format!("sources.{name}.target")));
    for (target, named_by) in by_choice.chain(by_source) {
        let key = format!("erp.{target}");
        if !erp.contains_key(target) && !mistakes.mention(&key) {
            mistakes
                .add(format!("{key}.url"), Problem::Missing(format!(", for {named_by} names this target")));
        }
    }
}
