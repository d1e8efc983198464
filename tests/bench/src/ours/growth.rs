//! (h) what an event costs when the database has grown.

use tokio_postgres::Client;

use crate::deliveries::{pupils_for, year};
use crate::ours::drain::{drain, fill};
use crate::plan::Plan;
use crate::report::{Line, Report};
use crate::samples::{Samples, grouped};
use crate::stage::{Services, Stage, connect};

/// Events that are drained for real before; the rest of what is present are copies of their rows.
const REAL: usize = 10_000;
/// Events that are drained for each measurement.
const MEASURED: usize = 20_000;

/// # Errors
/// When something is missing.
pub(crate) async fn measure(services: &Services, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let stage = Stage::new(services).await?;
    fill(&stage, year(60_000, pupils_for(REAL)).take(REAL)).await?;
    drain(&stage, REAL).await?;
    let (client, _serving) = connect(&stage.database.url).await?;
    let mut school = School::remember(&client).await?;
    let (mut present, mut first, mut seed) = (REAL, None, 61_000);
    for level in plan.growth {
        present += REAL * school.copy(&client, *level).await?;
        for tidy in ["VACUUM ANALYZE", "CHECKPOINT"] {
            client.batch_execute(tidy).await?;
        }
        let mut cost = Samples::default();
        for _ in 0..3 {
            fill(&stage, year(seed, pupils_for(MEASURED)).take(MEASURED)).await?;
            cost.add(1e6 / drain(&stage, MEASURED).await?.per_second);
            seed += 1;
            present += MEASURED;
        }
        stage.judge(present).await?;
        let base = *first.get_or_insert(cost.median());
        let ratio = cost.median() / base;
        report.add(Line {
            figure: format!("(h) an event, {} rows and more present", grouped(*level as f64)),
            ours: cost.shown(" µs"),
            beside: format!("with {}: {} µs", grouped(plan.growth[0] as f64), grouped(base)),
            ratio: format!("{ratio:.2} ×"),
            target: (Some(level) == plan.growth.last()).then(|| ("1.25 ×".to_owned(), ratio <= 1.25)),
        });
    }
    Ok(())
}

/// The tables that grow with events, and their columns.
const TABLES: &str = "SELECT table_name::text, array_agg(column_name::text ORDER BY ordinal_position) \
    FROM information_schema.columns WHERE table_schema = 'public' AND is_generated = 'NEVER' \
    AND (table_name LIKE 'jodo\\_r\\_%' OR table_name LIKE 'jodo\\_s\\_%' OR table_name = 'jodo_events') GROUP BY 1";

/// The rows of one school, to be copied as those of others.
struct School {
    tables: Vec<(String, Vec<String>)>,
    /// Of all its tables.
    rows: usize,
    copies: usize,
}

impl School {
    /// Remembers what is in the tables now, on this connection.
    async fn remember(client: &Client) -> anyhow::Result<Self> {
        let (mut tables, mut rows) = (Vec::new(), 0);
        for row in client.query(TABLES, &[]).await? {
            let (table, columns): (String, Vec<String>) = (row.get(0), row.get(1));
            let copied =
                client.execute(&format!("CREATE TEMP TABLE first_{table} AS TABLE {table}"), &[]).await?;
            rows += usize::try_from(copied)?;
            tables.push((table, columns));
        }
        Ok(Self { tables, rows, copies: 0 })
    }

    /// Copies every row, each time as another tenant's, until there are `rows` in all. Their bodies are gone, as after
    /// `jodo-sync retention run`. Returns how many copies it made of each.
    async fn copy(&mut self, client: &Client, rows: usize) -> anyhow::Result<usize> {
        let (first, last) = (self.copies + 1, (rows / self.rows).saturating_sub(1).max(self.copies));
        for (table, columns) in &self.tables {
            let values: Vec<_> = columns.iter().map(|column| copied(column)).collect();
            let (columns, values) = (columns.join(", "), values.join(", "));
            let sql = format!(
                "INSERT INTO {table} ({columns}) SELECT {values} FROM first_{table} AS t, \
                 generate_series({first}, {last}) AS copies(number)"
            );
            client.batch_execute(&sql).await?;
        }
        self.copies = last;
        Ok(last + 1 - first)
    }
}

fn copied(column: &str) -> String {
    match column {
        "tenant" => "t.tenant || number".to_owned(),
        "delivery_key" => "encode(sha256((t.delivery_key || number)::bytea), 'hex')".to_owned(),
        "event_id" | "pupil_key" | "subject" => format!("t.{column} || '-' || number"),
        "body" => "NULL".to_owned(),
        column => format!("t.{column}"),
    }
}
