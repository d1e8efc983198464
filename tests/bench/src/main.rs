//! `make bench`: how fast jodo-sync is, beside what this machine could do at most.
//!
//! It starts a RabbitMQ, a Redis and a PostgreSQL of its own, measures ours and the ceilings in turn, with the same
//! deliveries, batches and durability, and judges after each measurement that every accepted delivery is there. The
//! ceilings are in [`mod@ceilings`].

#![expect(clippy::print_stderr, reason = "whoever waits for an hour wants to see how far it is")]

mod ceilings;
mod deliveries;
mod disk;
mod machine;
mod ours;
mod plan;
mod program;
mod report;
mod samples;
mod sender;
mod stage;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::ceilings::bare_proxy::{self, BareProxyArgs};
use crate::ceilings::{database, publish};
use crate::plan::{Mode, Plan};
use crate::report::{Line, Report};
use crate::samples::Samples;
use crate::stage::{Services, Stage};

/// The programs' own, so that the ceilings have it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    /// How long it may take.
    #[arg(long, value_enum, default_value = "quick")]
    mode: Mode,
    /// Only these parts, such as `ac`; all of them without it.
    #[arg(long, default_value = "0abcdefghij")]
    only: String,
    /// Document to put the figures into.
    #[arg(long)]
    write: Option<PathBuf>,
    #[command(subcommand)]
    instead: Option<Instead>,
}

#[derive(Subcommand)]
enum Instead {
    /// A ceiling that is a process of its own; `make bench` starts it.
    BareProxy(BareProxyArgs),
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // Only where something asks for TLS; nothing here does.
    rustls::crypto::ring::default_provider().install_default().ok();
    match arguments.instead {
        Some(Instead::BareProxy(proxy)) => actix_web::rt::System::new().block_on(bare_proxy::serve(proxy)),
        None => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(measure(&arguments))
        }
    }
}

async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let plan = arguments.mode.plan();
    let services = Services::start().await;
    let machine = machine::describe(&services, arguments.mode.name()).await?;
    eprintln!("{}", machine.join("\n"));
    let mut report = Report::on(machine);
    let wants = |part: char| arguments.only.contains(part);
    if wants('0') {
        ceilings(&services, &plan, &mut report).await?;
    }
    if wants('a') || wants('b') {
        ours::accept::measure(&services, &plan, &mut report).await?;
    }
    let mut skeleton = f64::NAN;
    if wants('c') {
        skeleton = ours::drain::measure(&services, &plan, &mut report).await?;
    }
    if wants('f') {
        ours::deciding::measure(&plan, &mut report)?;
    }
    let mut cluster = f64::NAN;
    if wants('d') {
        cluster = ours::end_to_end::measure(&services, &plan, skeleton, &mut report).await?;
    }
    if wants('g') {
        ours::large::measure(&services, &plan, &mut report).await?;
    }
    if wants('e') {
        ours::embedded::measure(&plan, cluster, &mut report).await?;
    }
    if wants('h') {
        ours::growth::measure(&services, &plan, &mut report).await?;
    }
    if wants('i') {
        ours::scale::measure(&services, &plan, &mut report).await?;
    }
    if wants('j') {
        ours::catch_up::measure(&services, &plan, &mut report).await?;
    }
    if let Some(document) = &arguments.write {
        report.write_into(document)?;
        eprintln!("{} has the figures", document.display());
    }
    eprintln!("{} targets missed", report.misses());
    Ok(())
}

/// The machine's own limits, for orientation.
async fn ceilings(services: &Services, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let mut figures: [Samples; 4] = Default::default();
    let stage = Stage::new(services).await?;
    for round in 0..plan.rounds {
        let bodies: Vec<_> = ours::drain::several_years(round as u64, plan.accept).collect();
        figures[0].add(publish::publish(services.rabbitmq.url(), &bodies, 16).await?);
        figures[1].add(publish::publish(services.rabbitmq.url(), &bodies, 256).await?);
        figures[2].add(database::postgres(&stage.database.url, &bodies).await?);
        figures[3].add(tokio::task::spawn_blocking(move || database::sqlite(&bodies)).await??);
    }
    let names = [
        "confirmed publishes, 16 in flight",
        "confirmed publishes, 256 in flight",
        "PostgreSQL, narrow inbox and upsert, batches of 500",
        "SQLite, group commit of 100",
    ];
    for (name, figure) in names.iter().zip(&figures) {
        report.add(Line {
            figure: format!("ceiling: {name}"),
            ours: String::new(),
            beside: figure.shown("/s"),
            ratio: String::new(),
            target: None,
        });
    }
    Ok(())
}
