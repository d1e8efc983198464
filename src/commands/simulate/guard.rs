//! Keeps what is simulated out of real books.

use anyhow::{Context as _, bail};
use jodo_shared::config::{Config, Environment};
use jodo_shared::ids::SourceName;

use super::arrivals::{Arrivals, Lengths};
use super::database::Database;
use crate::commands::send::RouteArgs;
use crate::commands::send::route::Route;
use crate::wording::grouped;

/// The source that is taken when there is one of this name.
const TEST_SOURCE: &str = "test";

/// The named source, else the one named `test`, else the only one for tests.
///
/// # Errors
/// When there is none or more than one, with what to do.
pub(super) fn source(named: Option<&SourceName>, config: &Config) -> anyhow::Result<SourceName> {
    if let Some(named) = named {
        return Ok(named.clone());
    }
    if let Some((name, _)) = config.sources.iter().find(|(name, _)| name.as_str() == TEST_SOURCE) {
        return Ok(name.clone());
    }
    let for_tests = config.sources.iter().filter(|(_, source)| source.environment == Environment::Test);
    let names: Vec<_> = for_tests.map(|(name, _)| name).collect();
    match names.as_slice() {
        [only] => Ok((*only).clone()),
        [] => bail!(
            "no source is for tests: add one to the configuration, such as [sources.test] with environment = \
             \"test\", secrets and a target of its own, and restart ingress and workers; or name a source with \
             --source"
        ),
        several => {
            let names: Vec<_> = several.iter().map(|name| name.as_str()).collect();
            bail!("several sources are for tests: name one of them with --source: {}", names.join(", "))
        }
    }
}

/// The way to the source for tests.
///
/// # Errors
/// As [`source`] and [`Route::find`]; also when the way may lead to real books and that is not `meant`.
pub(super) fn route(args: &RouteArgs, config: &Config, meant: bool) -> anyhow::Result<Route> {
    if args.url.is_some() && args.source.is_none() && !meant {
        bail!(
            "it is not known whether this URL leads to real books: name the source behind it with --source, or send \
             all the same with --i-mean-it"
        );
    }
    let args = RouteArgs { source: Some(source(args.source.as_ref(), config)?), ..args.clone() };
    let route = Route::find(&args, config)?;
    let name = &route.source;
    match route.environment {
        _ if meant => Ok(route),
        Some(Environment::Test) => Ok(route),
        Some(other) => bail!(
            "sources.{name}.environment is {}: simulated pupils and payments would stand in its books; use a source \
             with environment = \"test\" and a database of its own, or send all the same with --i-mean-it",
            other.as_str()
        ),
        None => bail!(
            "sources.{name} is not configured here, so it is not known whether it leads to real books: configure it \
             with environment = \"test\", or send all the same with --i-mean-it"
        ),
    }
}

/// Looks into the ERP database that the deliveries will end in.
///
/// # Errors
/// When it holds events that were not simulated, or that cannot be told.
pub(super) async fn no_real_events(route: &Route, config: &Config) -> anyhow::Result<()> {
    let target = route.target.as_ref().context("the source is not configured, so its database is unknown")?;
    if !config.erp.contains_key(target) {
        bail!(
            "erp.{target}.url is not configured here, so it is not known whether that database holds real events: \
             configure it, or send all the same with --i-mean-it"
        );
    }
    let database = Database::open(config, target)?;
    let ids = database.event_ids().await.context(
        "it is not known whether the ERP database holds real events: `jodo-sync check` tells what is the matter \
         with it, and --i-mean-it sends all the same",
    )?;
    let arrivals = Arrivals::of(ids, &mut Lengths::new());
    if arrivals.real > 0 {
        bail!(
            "the ERP database {target} holds real events ({}), and simulated pupils and payments would stand among \
             theirs: use a database of its own, or send all the same with --i-mean-it",
            grouped(arrivals.real)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jodo_shared::config::Needs;

    use super::*;

    fn config(text: &str) -> Config {
        Config::from_parts(Needs::Nothing, Some(text), Vec::<(String, String)>::new()).unwrap()
    }

    const REAL: &str = "[sources.jodo]\n";
    const UAT: &str = "[sources.trial]\nenvironment = 'uat'\ntarget = 'trial'\n";
    const ONE: &str = "[sources.branch]\nenvironment = 'test'\ntarget = 'branch'\n";
    const TEST: &str = "[sources.test]\nenvironment = 'test'\ntarget = 'test'\n";

    #[test]
    fn the_source_is_the_named_one_or_test_or_the_only_one_for_tests() {
        let another = "[sources.b]\nenvironment = 'test'\ntarget = 'b'\n";
        let cases = [
            ([REAL, ""].concat(), Some("jodo"), Ok("jodo")),
            ([REAL, ONE].concat(), None, Ok("branch")),
            ([REAL, ONE, TEST].concat(), None, Ok("test")),
            ([REAL, UAT].concat(), None, Err("add one to the configuration, such as [sources.test]")),
            ([ONE, another].concat(), None, Err("--source: b, branch")),
            ([ONE, TEST].concat(), Some("other"), Ok("other")),
        ];
        for (text, named, wanted) in cases {
            let named = named.map(|name| name.parse().unwrap());
            let found = source(named.as_ref(), &config(&text));
            match wanted {
                Ok(name) => assert_eq!(found.unwrap().as_str(), name),
                Err(words) => assert!(found.unwrap_err().to_string().contains(words), "{words}"),
            }
        }
    }

    #[test]
    fn the_way_leads_to_tests_only_unless_that_is_meant() {
        let url = Some("http://127.0.0.1:1/hook");
        let cases = [
            (None, None, Ok("branch")),
            (Some("branch"), url, Ok("branch")),
            (Some("jodo"), None, Err("sources.jodo.environment is production")),
            (Some("trial"), None, Err("sources.trial.environment is uat")),
            (Some("jodo"), url, Err("sources.jodo.environment is production")),
            (Some("other"), url, Err("sources.other is not configured here")),
            (None, url, Err("name the source behind it with --source")),
        ];
        let config = config(&[REAL, UAT, ONE].concat());
        for (named, url, wanted) in cases {
            let args = RouteArgs {
                source: named.map(|name| name.parse().unwrap()),
                url: url.map(|url| url.parse().unwrap()),
                secret_file: None,
            };
            assert!(route(&args, &config, true).is_ok(), "{args:?}");
            match (route(&args, &config, false), wanted) {
                (Ok(route), Ok(name)) => assert_eq!(route.source.as_str(), name),
                (Err(error), Err(words)) => {
                    let error = error.to_string();
                    assert!(error.contains(words) && error.contains("--i-mean-it"), "{error}");
                }
                (found, wanted) => panic!("{args:?}: {found:?}, not {wanted:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_database_that_cannot_be_asked_is_not_written_to() {
        let nowhere = "[erp.branch]\nurl = 'postgres://u@127.0.0.1:1/x'\n";
        for (text, words) in [
            (ONE.to_owned(), "erp.branch.url is not configured here"),
            ([nowhere, ONE].concat(), "it is not known whether the ERP database holds real events"),
        ] {
            let config = config(&text);
            let route = route(&RouteArgs::default(), &config, false).unwrap();
            let error = no_real_events(&route, &config).await.unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("--i-mean-it"), "{error}");
        }
    }
}
