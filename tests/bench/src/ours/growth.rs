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

/// # Errors
/// When something is missing.
pub(crate) async fn measure(services: &Services, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let stage = Stage::new(services).await?;
    fill(&stage, year(60_000, pupils_for(REAL)).take(REAL)).await?;
    drain(&stage, REAL).await?;
    let (client, _serving) = connect(&stage.database.url).await?;
    let mut school = School::remember(&client).await?;
    let events = plan.drain / 2;
    let (mut present, mut first, mut seed) = (REAL, None, 61_000);
    for level in plan.growth {
        let copies = (level / REAL).saturating_sub(present / REAL);
        school.copy(&client, copies).await?;
        for tidy in ["VACUUM ANALYZE", "CHECKPOINT"] {
            client.batch_execute(tidy).await?;
        }
        present += copies * REAL;
        let (mut cost, begun) = (Samples::default(), present);
        for _ in 0..3 {
            fill(&stage, year(seed, pupils_for(events)).take(events)).await?;
            cost.add(1e6 / drain(&stage, events).await?.per_second);
            seed += 1;
            present += events;
        }
        stage.judge(present).await?;
        let base = *first.get_or_insert(cost.median());
        let ratio = cost.median() / base;
        report.add(Line {
            figure: format!("(h) an event, {} events of other schools present", grouped(begun as f64)),
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
    copies: usize,
}

impl School {
    /// Remembers what is in the tables now, on this connection.
    async fn remember(client: &Client) -> anyhow::Result<Self> {
        let mut tables = Vec::new();
        for row in client.query(TABLES, &[]).await? {
            let (table, columns): (String, Vec<String>) = (row.get(0), row.get(1));
            client.batch_execute(&format!("CREATE TEMP TABLE first_{table} AS TABLE {table}")).await?;
            tables.push((table, columns));
        }
        Ok(Self { tables, copies: 0 })
    }

    /// Copies every row so many times, each time as another tenant's. Their bodies are gone, as after
    /// `jodo-sync retention run`.
    async fn copy(&mut self, client: &Client, copies: usize) -> anyhow::Result<()> {
        let (first, last) = (self.copies + 1, self.copies + copies);
        for (table, columns) in &self.tables {
            let values: Vec<_> = columns.iter().map(|column| copied(column)).collect();
            let (columns, values) = (columns.join(", "), values.join(", "));
            let sql = format!(
                "INSERT INTO {table} ({columns}) SELECT {values} FROM first_{table} AS t, \
                 generate_series({first}, {last}) AS n"
            );
            client.batch_execute(&sql).await?;
        }
        self.copies = last;
        Ok(())
    }
}

fn copied(column: &str) -> String {
    match column {
        "tenant" => "t.tenant || n".to_owned(),
        "delivery_key" => "encode(sha256((t.delivery_key || n)::bytea), 'hex')".to_owned(),
        "event_id" | "pupil_key" | "subject" => format!("t.{column} || '-' || n"),
        "body" => "NULL".to_owned(),
        column => format!("t.{column}"),
    }
}
