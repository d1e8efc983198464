//! (e) the one program: from the sender to the rows, with everything in files on this machine's disk.

use std::sync::Arc;

use anyhow::ensure;
use diesel::dsl::count_star;
use diesel::prelude::*;
use jodo_test_support::free_port;
use jodo_worker::schema::jodo_events;
use tokio::time::Instant;

use crate::deliveries::requests;
use crate::plan::Plan;
use crate::program::Program;
use crate::report::{Line, Report};
use crate::samples::{Samples, grouped};
use crate::sender::send;
use crate::stage::SECRET;

/// # Errors
/// When something is missing.
pub(crate) async fn measure(plan: &Plan, cluster: f64, report: &mut Report) -> anyhow::Result<()> {
    let (mut ours, mut accepted) = (Samples::default(), Samples::default());
    let (mut cpu, mut memory) = (Samples::default(), Samples::default());
    for round in 0..plan.rounds {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        let program = start(&data.display().to_string()).await?;
        let requests = Arc::new(requests(50_000 + round as u64, plan.accept)?);
        let started = Instant::now();
        accepted.add(send(program.public, Arc::clone(&requests), 256, None).await?.per_second());
        let ended = program.committed(requests.len()).await?;
        ours.add(requests.len() as f64 / (ended - started).as_secs_f64());
        cpu.add(program.cpu()? * 1e6 / requests.len() as f64);
        memory.add(program.memory()?.1);
        drop(program);
        judge(&data.join("jodo.db").display().to_string(), requests.len())?;
    }
    let ratio = ours.median() / cluster;
    report.add(Line {
        figure: "(e) the one program, end to end, 256 connections".to_owned(),
        ours: format!("{}, accepted {}", ours.shown("/s"), accepted.shown("/s")),
        beside: format!("(d) {}/s", grouped(cluster)),
        ratio: format!("{:.0} %", ratio * 100.0),
        target: Some(("100 %".to_owned(), ratio >= 1.0)),
    });
    report.add(Line {
        figure: "(e) the one program, processor time per delivery; memory".to_owned(),
        ours: format!("{}, {}", cpu.shown(" µs"), memory.shown(" MiB")),
        beside: String::new(),
        ratio: String::new(),
        target: None,
    });
    Ok(())
}

async fn start(data: &str) -> anyhow::Result<Program> {
    let (public, private) = (free_port(), free_port());
    let settings = [
        ("INGRESS__LISTEN", format!("127.0.0.1:{public}")),
        ("INGRESS__PRIVATE_LISTEN", format!("127.0.0.1:{private}")),
        ("SOURCES__JODO__SECRETS", SECRET.to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value));
    let arguments = ["--data-dir".to_owned(), data.to_owned()];
    let program = Program::start("jodo-sync", &settings, &arguments, public, private)?;
    program.ready().await?;
    Ok(program)
}

fn judge(file: &str, events: usize) -> anyhow::Result<()> {
    let mut connection = SqliteConnection::establish(file)?;
    let rows: i64 = jodo_events::table.select(count_star()).first(&mut connection)?;
    let applied = jodo_events::table.filter(jodo_events::outcome.eq("applied"));
    let applied: i64 = applied.select(count_star()).first(&mut connection)?;
    ensure!(
        rows == events as i64 && applied == rows,
        "{events} events were accepted; {rows} have a row, {applied} are applied"
    );
    Ok(())
}
