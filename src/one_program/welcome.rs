//! What a person sees when the program has started: at most ten lines.

use std::io::{self, Write};
use std::net::SocketAddr;

use jodo_shared::config::{Config, Source};
use jodo_shared::ids::SourceName;
use jodo_worker::store::sqlite;
use secrecy::ExposeSecret as _;

use super::DataDir;

/// Says where deliveries go, where the secret and the rows are, and what to do next.
pub(super) fn welcome(
    data: &DataDir,
    config: &Config,
    listen: SocketAddr,
    out: &mut dyn Write,
) -> io::Result<()> {
    let program = std::env::args().next().unwrap_or_else(|| "jodo-sync".to_owned());
    writeln!(out, "jodo-sync {} is ready. Stop it with Ctrl-C.", env!("CARGO_PKG_VERSION"))?;
    for (name, source) in config.sources.iter().filter(|(name, _)| name.as_str() != "test") {
        writeln!(out, "  Jodo delivers to   http://{listen}{}", source.path)?;
        // A source may be proved by its custom header alone.
        if !source.secrets.is_empty() {
            let place = secret_place(data, name, source);
            writeln!(out, "  signing secret     in {place}: register it with Jodo as secret_key")?;
        }
        if let Some(erp) = config.erp.get(&source.target).filter(|erp| jodo_worker::store::is_file(&erp.url))
        {
            let file = sqlite::path_of(&erp.url);
            writeln!(
                out,
                "  your rows          in {}: views jodo_student_overview, jodo_receipts and others",
                file.display()
            )?;
        }
    }
    writeln!(
        out,
        "  try it             {program} simulate   (goes to a database of its own, never among your rows)"
    )?;
    writeln!(out, "  how is it doing?   {program} status")?;
    writeln!(out, "Before Jodo can reach it, it needs an HTTPS address: docs/SMALL-SCHOOL.md says how.")
}

/// Where the secret is that counts: a configured one goes before the one that was made here.
fn secret_place(data: &DataDir, name: &SourceName, source: &Source) -> String {
    let made_here = data.secret(name).ok().flatten();
    match (made_here, source.secrets.first()) {
        (Some(made), Some(first)) if made.expose_secret() == first.expose_secret() => {
            data.secret_file(name).display().to_string()
        }
        _ => format!("the configuration, sources.{name}.secrets"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(settings: &str) -> String {
        let around = tempfile::tempdir().unwrap();
        let data = DataDir::at(around.path());
        std::fs::write(around.path().join("jodo-sync.toml"), settings).unwrap();
        let mut config = data.config(None).unwrap();
        data.make_secrets(&mut config).unwrap();
        let mut out = Vec::new();
        welcome(&data, &config, "127.0.0.1:8080".parse().unwrap(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_secret_that_counts_is_named_and_none_where_there_is_none() {
        assert!(said("").contains("/signing-secret: register"));
        let configured = said("[sources.jodo]\nsecrets = [\"configured\"]");
        assert!(configured.contains("in the configuration, sources.jodo.secrets"));
        let by_header = said("[sources.jodo]\nheader = { name = \"x-token\", value = \"t\" }");
        assert!(!by_header.contains("signing secret"), "{by_header}");
    }
}
