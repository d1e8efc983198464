//! `jodo-sync import`: brings in events that were never delivered, such as from the sender's failure mail.

use std::collections::HashSet;
use std::fs;
use std::io::{Read as _, Write};
use std::path::Path;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use jodo_shared::clock::now;
use jodo_shared::config::{Config, Source};
use jodo_shared::contract::peek;
use jodo_shared::ids::{DeliveryKey, SourceName};
use jodo_shared::message::Message;
use jodo_shared::outcome::Reason;
use jodo_worker::event::Event;
use jodo_worker::store::EventRow;
use jodo_worker::store::inspect::Inspect;
use jodo_worker::store::operate::ROWS_AT_ONCE;
use serde_json::{Map, Value};

use super::by_hand::preview::name_keys;
use super::by_hand::{ByArgs, NOTHING_CHANGED};
use crate::wording::count;
use crate::{Exit, targets};

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A file with one event as JSON, or with an event on each line; `-` for standard input.
    #[arg(value_name = "FILE")]
    pub file: String,
    /// The source that it should have come from, as the configuration names it.
    #[arg(long, value_name = "NAME")]
    pub source: SourceName,
    /// Why, for the history.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    pub reason: Option<String>,
    /// Who.
    #[command(flatten)]
    pub by: ByArgs,
    /// Only say what would be brought in.
    #[arg(long)]
    pub dry_run: bool,
}

/// Stores the events byte for byte, for the workers to decide at once. Those that are known already are left alone.
///
/// # Errors
/// When the source is not configured; what cannot be read, with its line, and then nothing is brought in; that the ERP
/// database could not be read or written, and why.
pub async fn run(args: &ImportArgs, config: &Config, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let source = config.sources.get(&args.source);
    let source = source.with_context(|| format!("--source: sources.{} is not configured", args.source))?;
    let input = read(&args.file).with_context(|| args.file.clone())?;
    let bodies = bodies_of(&input).with_context(|| args.file.clone())?;
    let rows = rows_of(&bodies, args, source);
    let (name, erp) = targets::one(config, Some(&source.target))?;
    let store = targets::open(name, erp)?;
    let bringing = async {
        store.check_schema().await?;
        let mut brought = HashSet::new();
        for rows in rows.chunks(ROWS_AT_ONCE as usize) {
            brought.extend(if args.dry_run {
                unknown_among(store.as_ref(), rows).await?
            } else {
                store.import(rows, &args.by.deed(args.reason.as_deref())).await?
            });
        }
        anyhow::Ok(brought)
    };
    let brought = bringing.await.with_context(|| format!("erp.{name}"))?;
    let events = count(brought.len() as i64, "event", "events");
    if args.dry_run {
        writeln!(out, "{name}: {events} would be brought in.")?;
    } else {
        writeln!(out, "{name}: {events} brought in, for a worker to decide now.")?;
    }
    let known = rows.iter().filter(|row| !brought.contains(&row.key)).map(|row| row.key.to_string());
    name_keys("Known already, and left alone", &known.collect::<Vec<_>>(), out)?;
    if args.dry_run {
        writeln!(out, "{NOTHING_CHANGED}")?;
    }
    Ok(Exit::Well)
}

fn read(file: &str) -> anyhow::Result<Vec<u8>> {
    if file != "-" {
        return Ok(fs::read(Path::new(file))?);
    }
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input)?;
    Ok(input)
}

/// The input as one event, or each of its lines as one; blanks around an event are none of its bytes.
fn bodies_of(input: &[u8]) -> anyhow::Result<Vec<&[u8]>> {
    // What some editors put before a text.
    let input = input.strip_prefix("\u{feff}".as_bytes()).unwrap_or(input).trim_ascii_end();
    let Err(error) = event(input) else { return Ok(vec![input.trim_ascii()]) };
    let lines = input.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let lines = lines.enumerate().filter(|(_, line)| !line.is_empty());
    let mut bodies = Vec::new();
    for (place, line) in lines {
        // The error's own words could quote what it found.
        if event(line).is_err() && bodies.is_empty() {
            bail!("line {}: this is no event, which is a JSON object", error.line());
        } else if event(line).is_err() {
            bail!("line {}: this is no event, which is a JSON object on one line", place + 1);
        }
        bodies.push(line);
    }
    if bodies.is_empty() {
        bail!("there is nothing in it");
    }
    Ok(bodies)
}

fn event(text: &[u8]) -> serde_json::Result<Map<String, Value>> {
    serde_json::from_slice(text)
}

/// A row for each event; one that is given twice has one.
fn rows_of(bodies: &[&[u8]], args: &ImportArgs, source: &Source) -> Vec<EventRow> {
    let now = now();
    let mut seen = HashSet::new();
    let message = |body: &[u8]| Message {
        key: DeliveryKey::of(&args.source, body),
        source: args.source.clone(),
        tenant: source.tenant.clone(),
        target: source.target.clone(),
        received_at: now,
        peeked: peek(body),
        verified: true,
        signature: None,
        redrive: false,
        trace: None,
        body: Bytes::copy_from_slice(body),
    };
    let messages = bodies.iter().map(|body| message(body)).filter(|message| seen.insert(message.key));
    messages.map(|message| Event::by_hand(&message, Reason::Imported, now).row).collect()
}

async fn unknown_among(store: &dyn Inspect, rows: &[EventRow]) -> anyhow::Result<HashSet<DeliveryKey>> {
    let mut unknown = HashSet::new();
    for row in rows {
        if store.event(&row.key.to_string()).await?.is_empty() {
            unknown.insert(row.key);
        }
    }
    Ok(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(input: &str) -> Result<Vec<String>, String> {
        let bodies = bodies_of(input.as_bytes()).map_err(|error| error.to_string())?;
        Ok(bodies.into_iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect())
    }

    #[test]
    fn one_event_may_span_lines_and_keeps_its_bytes() {
        assert_eq!(said("\u{feff}{\n \"a\":  1\n}\n\n").unwrap(), ["{\n \"a\":  1\n}"]);
    }

    #[test]
    fn each_line_is_an_event_and_blank_ones_are_skipped() {
        assert_eq!(said("{\"a\":1}\r\n\n {\"a\": 2} \n").unwrap(), ["{\"a\":1}", "{\"a\": 2}"]);
    }

    #[test]
    fn what_is_no_event_is_named_by_its_line() {
        for (input, line) in [
            ("\n{\n\"a\": oops\n}", "line 3:"),
            ("{}\n{}\nhush\n{}", "line 3:"),
            ("[]", "line 1:"),
            ("hush", "line 1:"),
        ] {
            let error = said(input).unwrap_err();
            assert!(error.starts_with(line) && !error.contains("hush"), "{error}");
        }
        assert_eq!(said(" \n").unwrap_err(), "there is nothing in it");
    }
}
