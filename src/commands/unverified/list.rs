//! `jodo-sync unverified list`.

use std::io::Write;

use anyhow::Context as _;
use clap::Args;
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;

use super::Pages;
use crate::commands::by_hand::preview::short;
use crate::commands::events::zone_of;
use crate::wording::{count, plain, table, when_stored};
use crate::{Exit, targets};

/// Arguments of `unverified list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only this ERP database; all configured ones without it.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
}

/// Lists what is held.
///
/// # Errors
/// Which ERP database could not be read, and why.
pub(super) async fn run(args: &ListArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    for (name, erp) in targets::some(config, args.target.as_ref())? {
        let store = targets::open(name, erp)?;
        let reading = async {
            store.check_schema().await?;
            let (mut pages, mut rows) = (Pages::of(store.as_ref()), Vec::new());
            loop {
                let page = pages.next().await?;
                if page.is_empty() {
                    return anyhow::Ok(rows);
                }
                for held in page {
                    let zone = zone_of(config, &held.source);
                    let cells = [
                        when_stored(&held.received_at, &zone),
                        when_stored(&held.expires_at, &zone),
                        plain(&held.source),
                        count(held.body.len() as i64, "byte", "bytes"),
                        if held.signature.is_some() { "wrong" } else { "none" }.to_owned(),
                        short(&held.delivery_key).to_owned(),
                    ];
                    rows.push((held.received_at, cells));
                }
            }
        };
        let mut rows = reading.await.with_context(|| format!("erp.{name}"))?;
        writeln!(out, "{name}: {} held.", count(rows.len() as i64, "delivery is", "deliveries are"))?;
        if rows.is_empty() {
            continue;
        }
        rows.sort();
        let mut shown = table(["received", "kept until", "source", "size", "signature", "key"]);
        for (_, cells) in rows {
            shown.add_row(cells);
        }
        writeln!(out, "{shown}")?;
    }
    Ok(Exit::Well)
}
