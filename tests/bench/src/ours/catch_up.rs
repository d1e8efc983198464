//! (j) after a night without the ERP database: how long it takes to catch up, and what the ERP's other users see of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::ours::drain::{fill, several_years};
use crate::plan::Plan;
use crate::report::{Line, Report};
use crate::samples::grouped;
use crate::stage::{Services, Stage, connect};

/// What a user of the ERP does: looks a pupil up, and changes a row of the ERP's own.
const LOOK: &str = "SELECT count(*) FROM jodo_students WHERE tenant = $1 AND pupil_key = $2";
const CHANGE: &str = "UPDATE erp_notes SET n = n + 1 WHERE id = $1";
const TENANT: &str = "main";
const PUPIL: &str = "erp:nobody";
/// How often.
const EVERY: Duration = Duration::from_millis(20);

/// # Errors
/// When something is missing.
pub(crate) async fn measure(services: &Services, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let Some(events) = plan.night else { return Ok(()) };
    let stage = Stage::new(services).await?;
    fill(&stage, several_years(80_000, events)).await?;
    let alone = {
        let user = User::start(&stage).await?;
        tokio::time::sleep(Duration::from_secs(10)).await;
        user.end().await?
    };
    let user = User::start(&stage).await?;
    let started = Instant::now();
    let worker = stage.worker()?;
    let took = worker.committed(events).await? - started;
    let meanwhile = user.end().await?;
    stage.judge(events).await?;
    let seen = |latencies: &Histogram<u64>| {
        let ms = |quantile| grouped(latencies.value_at_quantile(quantile) as f64 / 1000.0);
        format!("p50 {} ms, p99 {} ms, most {} ms", ms(0.5), ms(0.99), ms(1.0))
    };
    report.add(Line {
        figure: format!("(j) catching up on {} after a night", grouped(events as f64)),
        ours: format!("{:.0} s, {}/s", took.as_secs_f64(), grouped(events as f64 / took.as_secs_f64())),
        beside: String::new(),
        ratio: String::new(),
        target: None,
    });
    report.add(Line {
        figure: "(j) what a user of the ERP waits meanwhile".to_owned(),
        ours: seen(&meanwhile),
        beside: format!("without: {}", seen(&alone)),
        ratio: String::new(),
        target: None,
    });
    Ok(())
}

/// A user of the ERP, who looks and changes again and again.
struct User {
    done: Arc<AtomicBool>,
    working: tokio::task::JoinHandle<anyhow::Result<Histogram<u64>>>,
}

impl User {
    async fn start(stage: &Stage) -> anyhow::Result<Self> {
        let (client, serving) = connect(&stage.database.url).await?;
        client
            .batch_execute(
                "CREATE TABLE IF NOT EXISTS erp_notes (id int PRIMARY KEY, n int NOT NULL); \
                 INSERT INTO erp_notes VALUES (1, 0) ON CONFLICT DO NOTHING",
            )
            .await?;
        let (look, change) = (client.prepare(LOOK).await?, client.prepare(CHANGE).await?);
        let done = Arc::new(AtomicBool::new(false));
        let is_done = Arc::clone(&done);
        let working = tokio::spawn(async move {
            let _serving = serving;
            let mut latencies = Histogram::new(3)?;
            let mut ticks = tokio::time::interval(EVERY);
            while !is_done.load(Ordering::Relaxed) {
                // From when it was due: waiting behind the one before is waiting, too.
                let started = ticks.tick().await;
                client.query_one(&look, &[&TENANT, &PUPIL]).await?;
                client.execute(&change, &[&1_i32]).await?;
                latencies.record(u64::try_from(started.elapsed().as_micros())?)?;
            }
            Ok(latencies)
        });
        Ok(Self { done, working })
    }

    async fn end(self) -> anyhow::Result<Histogram<u64>> {
        self.done.store(true, Ordering::Relaxed);
        self.working.await?
    }
}
