//! Sends an invented school's deliveries, signed, shuffled and with repeats, and compares what the ERP database shows
//! with what happened. `sender send --help`, `sender verify --help`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use jodo_test_support::school::{Sent, history, replay, send, shuffled_with_repeats, world_of};

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
            send_all(&school, &url, &secret, repeats, connections).await?
        }
        Command::Verify { school, database, source } => verify(&school, &database, &source).await?,
    };
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn send_all(
    school: &School,
    url: &str,
    secret: &str,
    repeats: f64,
    connections: usize,
) -> anyhow::Result<bool> {
    let history = school.history();
    let order = shuffled_with_repeats(school.seed, history.len(), repeats);
    let answers = send(url, secret, &history, &order, connections).await?;
    println!("{} deliveries, {} of them repeats", order.len(), order.len() - history.len());
    for (answer, count) in &answers {
        println!("{count:>8}  {answer}");
    }
    Ok(answers.get("200 OK") == Some(&order.len()))
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
