//! `jodo-sync explain`: the history of a pupil, payment, order, plan, loan or bank transfer, in words.
//!
//! `find` says what a number means, `views` and the events are read for each meaning, and `story` tells it.
//! What an event did is told from the declarative table (`effects`, `values`), not code by code.

mod anomalies;
mod effects;
mod find;
mod headline;
mod now;
mod record;
mod story;
mod subject;
mod timeline;
mod values;
mod views;

use std::io::Write;

use anyhow::Context as _;
use clap::{Args, value_parser};
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;
use serde_json::Value;

use self::story::Story;
use crate::wording::{count, plain};
use crate::{Exit, targets};

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Admission number, or id at Jodo, of a pupil; id of a payment, order, plan, mandate, loan or tranche; UTR of a
    /// bank transfer; event_id, or the first 8 digits or more of a delivery key.
    pub what: String,
    /// Only this ERP database; all configured ones without it.
    #[arg(long, value_name = "NAME")]
    pub target: Option<TargetName>,
    /// Most events to tell, the newest.
    #[arg(long, default_value_t = 200, value_parser = value_parser!(u32).range(1..=1_000))]
    pub limit: u32,
    /// As JSON: a list, for a number may mean several things; times in UTC.
    #[arg(long)]
    pub json: bool,
}

/// Explains everything that the number means.
///
/// # Errors
/// Which ERP database could not be read, and why.
pub async fn run(args: &ExplainArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut stories = Vec::new();
    for (name, erp) in targets::some(config, args.target.as_ref())? {
        let store = targets::open(name, erp)?;
        let told = async {
            let mut told = Vec::new();
            for subject in find::subjects(store.as_ref(), &args.what).await? {
                let story = Story::read(store.as_ref(), name, &args.what, subject, args.limit, config);
                told.push(story.await?);
            }
            anyhow::Ok(told)
        };
        stories.extend(told.await.with_context(|| format!("erp.{name}"))?);
    }
    if args.json {
        writeln!(out, "{:#}", stories.iter().map(Story::in_json).collect::<Value>())?;
    } else {
        for line in in_words(&stories, config) {
            // What somebody else wrote is in every line.
            writeln!(out, "{}", plain(&line))?;
        }
    }
    Ok(if stories.is_empty() { Exit::Wrong } else { Exit::Well })
}

fn in_words(stories: &[Story<'_>], config: &Config) -> Vec<String> {
    if stories.is_empty() {
        return vec![
            "Nothing is known by this number: no pupil, payment, order, plan, mandate, loan, tranche or bank \
             transfer (UTR) has it, and no event_id or delivery key (8 digits or more)."
                .to_owned(),
        ];
    }
    let mut lines = Vec::new();
    if stories.len() > 1 {
        lines.extend([format!("{} fit:", count(stories.len() as i64, "meaning", "meanings")), String::new()]);
    }
    for (place, story) in stories.iter().enumerate() {
        if place > 0 {
            lines.extend([String::new(), String::new()]);
        }
        lines.extend(story.in_words(config));
    }
    lines
}
