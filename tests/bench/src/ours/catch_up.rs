//! (j) after a night without the ERP database: how long it takes to catch up, and what the ERP's other users see of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_postgres::Client;

use crate::ours::drain::{fill, several_years};
use crate::plan::Plan;
use crate::report::{Line, Report};
use crate::samples::{grouped, shown};
use crate::stage::{Services, Stage, connect};

/// What a user of the ERP does: looks a pupil up, and changes a row of the ERP's own.
const LOOK: &str = "SELECT count(*) FROM jodo_students WHERE tenant = $1 AND pupil_key = $2";
const CHANGE: &str = "UPDATE erp_notes SET n = n + 1 WHERE id = $1";
const TENANT: &str = "main";
const PUPIL: &str = "erp:nobody";
/// How many users, each with a connection and a row to change.
const USERS: i32 = 10;
/// How often each of them does.
const EVERY: Duration = Duration::from_millis(200);

/// # Errors
/// When something is missing.
pub(crate) async fn measure(services: &Services, plan: &Plan, report: &mut Report) -> anyhow::Result<()> {
    let Some(events) = plan.night else { return Ok(()) };
    let stage = Stage::new(services).await?;
    fill(&stage, several_years(80_000, events)).await?;
    let alone = {
        let users = Users::start(&stage).await?;
        tokio::time::sleep(Duration::from_secs(10)).await;
        users.end().await?
    };
    let users = Users::start(&stage).await?;
    let started = Instant::now();
    let worker = stage.worker()?;
    let took = worker.committed(events).await? - started;
    let meanwhile = users.end().await?;
    stage.judge(events).await?;
    report.add(Line {
        figure: format!("(j) catching up on {} after a night", grouped(events as f64)),
        ours: format!("{:.0} s, {}/s", took.as_secs_f64(), grouped(events as f64 / took.as_secs_f64())),
        beside: String::new(),
        ratio: String::new(),
        target: None,
    });
    let kinds = [
        ("looking up a pupil", &meanwhile.look, &alone.look),
        ("changing a row", &meanwhile.change, &alone.change),
    ];
    for (what, meanwhile, alone) in kinds {
        report.add(Line {
            figure: format!("(j) what {USERS} users of the ERP wait meanwhile, {what}"),
            ours: shown(meanwhile),
            beside: format!("without: {}", shown(alone)),
            ratio: String::new(),
            target: None,
        });
    }
    Ok(())
}

/// How long users waited, in microseconds, from when they wanted to.
struct Waits {
    look: Histogram<u64>,
    change: Histogram<u64>,
}

impl Waits {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { look: Histogram::new(3)?, change: Histogram::new(3)? })
    }
}

/// Users of the ERP, who look and change again and again.
struct Users {
    done: Arc<AtomicBool>,
    working: JoinSet<anyhow::Result<Waits>>,
}

impl Users {
    async fn start(stage: &Stage) -> anyhow::Result<Self> {
        let (owner, _serving) = connect(&stage.database.url).await?;
        owner
            .batch_execute("CREATE TABLE IF NOT EXISTS erp_notes (id int PRIMARY KEY, n int NOT NULL)")
            .await?;
        let done = Arc::new(AtomicBool::new(false));
        let mut working = JoinSet::new();
        for id in 0..USERS {
            owner.execute("INSERT INTO erp_notes VALUES ($1, 0) ON CONFLICT DO NOTHING", &[&id]).await?;
            let (client, serving) = connect(&stage.database.url).await?;
            let is_done = Arc::clone(&done);
            // One after the other, not all in the same instant.
            let first = Instant::now() + EVERY * id.unsigned_abs() / USERS.unsigned_abs();
            working.spawn(async move {
                let _serving = serving;
                work(&client, id, first, &is_done).await
            });
        }
        Ok(Self { done, working })
    }

    async fn end(mut self) -> anyhow::Result<Waits> {
        self.done.store(true, Ordering::Relaxed);
        let mut all = Waits::new()?;
        while let Some(one) = self.working.join_next().await {
            let one = one??;
            all.look.add(one.look)?;
            all.change.add(one.change)?;
        }
        Ok(all)
    }
}

/// One user's work.
async fn work(client: &Client, id: i32, first: Instant, is_done: &AtomicBool) -> anyhow::Result<Waits> {
    let (look, change) = (client.prepare(LOOK).await?, client.prepare(CHANGE).await?);
    let mut waits = Waits::new()?;
    let mut ticks = tokio::time::interval_at(first, EVERY);
    while !is_done.load(Ordering::Relaxed) {
        // From when it was due: waiting behind the one before is waiting, too.
        let due = ticks.tick().await;
        client.query_one(&look, &[&TENANT, &PUPIL]).await?;
        waits.look.record(u64::try_from(due.elapsed().as_micros())?)?;
        let looked = Instant::now();
        client.execute(&change, &[&id]).await?;
        waits.change.record(u64::try_from(looked.elapsed().as_micros())?)?;
    }
    Ok(waits)
}
