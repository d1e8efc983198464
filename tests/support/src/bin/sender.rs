//! Sends an invented school's deliveries, signed, shuffled and with repeats, and compares what the ERP database shows
//! with what happened. `sender send --help`, `sender verify --help`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use fastrand::Rng;
use futures_util::{StreamExt as _, stream};
use jodo_test_support::school::{Sent, history, replay, world_of};

#[derive(Parser)]
#[command(about = "Sends an invented school's deliveries and verifies what became of them")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sends the school's deliveries; exit code 0 when every answer was 200.
    Send {
        #[command(flatten)]
        school: School,
        /// Where to, such as http://127.0.0.1:8080/webhooks/jodo
        #[arg(long)]
        url: String,
        /// Signing secret.
        #[arg(long)]
        secret: String,
        /// Share of deliveries that are sent twice.
        #[arg(long, default_value_t = 0.05)]
        repeats: f64,
        /// Requests under way at once.
        #[arg(long, default_value_t = 64)]
        connections: usize,
    },
    /// Compares the database's views with what happened; exit code 0 when nothing differs.
    Verify {
        #[command(flatten)]
        school: School,
        /// PostgreSQL database.
        #[arg(long)]
        database: String,
        /// Name of the source that they were sent to: part of every key.
        #[arg(long, default_value = "jodo")]
        source: String,
    },
}

#[derive(Args)]
struct School {
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Distinct deliveries.
    #[arg(long, default_value_t = 20_000)]
    events: usize,
    /// Pupils.
    #[arg(long, default_value_t = 2_000)]
    students: usize,
}

impl School {
    fn history(&self) -> Vec<Sent> {
        history(self.seed, self.events, self.students)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let well = match Arguments::parse().command {
        Command::Send { school, url, secret, repeats, connections } => {
            send(&school, &url, &secret, repeats, connections).await?
        }
        Command::Verify { school, database, source } => verify(&school, &database, &source).await?,
    };
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn send(
    school: &School,
    url: &str,
    secret: &str,
    repeats: f64,
    connections: usize,
) -> anyhow::Result<bool> {
    let history = school.history();
    let mut rng = Rng::with_seed(school.seed);
    let again = (0..history.len()).filter(|_| rng.f64() < repeats).collect::<Vec<_>>();
    let mut order: Vec<usize> = (0..history.len()).chain(again).collect();
    rng.shuffle(&mut order);
    let client = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
    // Whatever went wrong on the way counts as an answer of its own.
    let answers = stream::iter(&order).map(|&index| {
        let sent = &history[index];
        let request =
            client.post(url).header("X-Jodo-Signature", sent.signature(secret)).body(sent.bytes.clone());
        async move { request.send().await.map_or_else(|error| error.to_string(), |a| a.status().to_string()) }
    });
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut answers = answers.buffer_unordered(connections);
    while let Some(answer) = answers.next().await {
        *counts.entry(answer).or_default() += 1;
    }
    println!("{} deliveries, {} of them repeats", order.len(), order.len() - history.len());
    for (answer, count) in &counts {
        println!("{count:>8}  {answer}");
    }
    Ok(counts.get("200 OK") == Some(&order.len()))
}

async fn verify(school: &School, database: &str, source: &str) -> anyhow::Result<bool> {
    let expected = replay(source, &school.history());
    let found = world_of(database).await.context("read the views")?;
    let differences = differences("pupil", &expected.students, &found.students)
        + differences("payment", &expected.payments, &found.payments);
    println!(
        "{} pupils, {} manual payments: {differences} differences",
        expected.students.len(),
        expected.payments.len()
    );
    Ok(differences == 0)
}

/// Prints the first few differences and returns how many there are.
fn differences<R: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: &BTreeMap<String, R>,
    found: &BTreeMap<String, R>,
) -> usize {
    let mut keys: Vec<_> = expected.keys().chain(found.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let differing: Vec<_> = keys.into_iter().filter(|key| expected.get(*key) != found.get(*key)).collect();
    for key in differing.iter().take(10) {
        println!("{what} {key}:\n  expected {:?}\n  found    {:?}", expected.get(*key), found.get(*key));
    }
    differing.len()
}
