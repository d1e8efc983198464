//! One run: a history is sent, a fault inflicted, and what is left of it is judged.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jodo_shared::clock::now;
use jodo_test_support::school::{Sent, history, shuffled_with_repeats};

use crate::dice::Dice;
use crate::faults::{Fault, Kind, Void};
use crate::inflict;
use crate::inflict::clock::Clock;
use crate::inflict::disk::SmallDisk;
use crate::judge::{differing_rows, inbox};
use crate::sender::{self, Progress, Told};
use crate::stage::{Services, Shape, Stage};

/// Events in a history; some are sent twice.
const EVENTS: usize = 400;
const REPEATS: f64 = 0.1;
const PER_SECOND: u32 = 60;

/// A run under way.
pub(crate) struct Run<'s> {
    pub(crate) services: &'s Services,
    pub(crate) stage: Stage,
    pub(crate) history: Arc<Vec<Sent>>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) dice: Dice,
    /// Part of the fault is that the database loses what only the archive has.
    pub(crate) recover_at_the_end: bool,
    /// Part of the fault is that RabbitMQ gives up what waits.
    pub(crate) dead_letters_at_the_end: bool,
    /// RabbitMQ had to be told to elect a leader.
    pub(crate) elected: bool,
    /// To be dropped with the database.
    pub(crate) tablespace: Option<String>,
    pub(crate) disk: Option<SmallDisk>,
    /// The programs' own.
    pub(crate) clock: Option<Clock>,
    began: Timestamp,
}

/// What a run showed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    /// Deliveries answered 2xx, each counted once.
    pub(crate) accepted: usize,
    /// Of these, in no outcome.
    pub(crate) lost: usize,
    /// Events that ended neither applied nor ignored.
    pub(crate) not_settled: usize,
    /// Rows that are not as in a run without a fault.
    pub(crate) differing: usize,
    /// Deliveries that were not answered 2xx at first.
    pub(crate) strikes: usize,
    /// Longest time from acceptance to the database.
    pub(crate) longest_stall: Duration,
    /// Longest time to a 2xx.
    pub(crate) longest_answer: Duration,
    /// Runs in which RabbitMQ had to be told to elect a leader.
    pub(crate) elected: usize,
}

/// The events that every run sends: the rows must be the same whatever happens.
pub(crate) fn events() -> Arc<Vec<Sent>> {
    Arc::new(history(5, EVENTS))
}

/// The dump of a run in which nothing happens.
pub(crate) async fn undisturbed(services: &Services) -> Vec<String> {
    let history = events();
    let stage = Stage::cluster(services, None, None).await;
    let (_, sending) = sender::start(&stage, &history, (0..EVENTS).collect(), 500);
    let told = sending.await.expect("no panic");
    assert_eq!(told.accepted.len(), EVENTS);
    let shown = judge(&stage, &told.accepted, &[]).await;
    assert_eq!((shown.lost, shown.not_settled), (0, 0), "an undisturbed run");
    stage.store().dump().await.expect("a dump")
}

/// Sends the history in an order of its own while the fault is inflicted, then what was refused again, and judges.
///
/// # Errors
/// [`Void`] when the fault did not happen while deliveries came in.
pub(crate) async fn run(
    services: &Services,
    fault: Fault,
    seed: u64,
    undisturbed: &[String],
) -> Result<Shown, Void> {
    let mut dice = Dice::new(seed);
    let disk = match fault.kind {
        Kind::SpoolDiskFull => Some(SmallDisk::mount(8)?),
        Kind::DatabaseDiskFull | Kind::DataDiskFull => Some(SmallDisk::mount(96)?),
        _ => None,
    };
    let clock = if fault.kind == Kind::ClockJumps { Some(Clock::new()?) } else { None };
    // The database's disk is no place for a spool.
    let folder = disk.as_ref().filter(|_| fault.kind != Kind::DatabaseDiskFull).map(SmallDisk::path);
    let stage = match fault.shape {
        Shape::OneProgram => Stage::one_program(folder, clock.as_ref()).await,
        Shape::Cluster => Stage::cluster(services, folder, clock.as_ref()).await,
    };
    let history = events();
    let order = shuffled_with_repeats(seed, EVENTS, REPEATS);
    let began = now();
    let (progress, sending) = sender::start(&stage, &history, order, PER_SECOND);
    let at = dice.share();
    let mut run = Run {
        services,
        stage,
        history,
        progress,
        dice,
        recover_at_the_end: false,
        dead_letters_at_the_end: false,
        elected: false,
        tablespace: None,
        disk,
        clock,
        began,
    };
    run.progress.reaches(at).await;
    let left = run.progress.left();
    let inflicted = fault.inflict(&mut run).await;
    let told = sending.await.expect("no panic");
    inflicted?;
    if left == 0 {
        return Err("everything had been sent before".to_owned());
    }
    let shown = run.close(told, undisturbed).await;
    // By clocks that jump no waiting can be measured.
    let longest_stall = if fault.kind == Kind::ClockJumps { Duration::ZERO } else { shown.longest_stall };
    Ok(Shown { longest_stall, ..shown })
}

impl Run<'_> {
    /// Brings back what the database lost.
    pub(crate) async fn recover(&self) {
        let since = self.began.to_string();
        self.stage.operate(&["recover", "--since", &since, "--target", self.stage.target.as_str()]).await;
    }

    async fn close(self, told: Told, undisturbed: &[String]) -> Shown {
        let elected = usize::from(self.elected);
        self.stage.ready().await;
        if self.recover_at_the_end {
            self.recover().await;
        }
        let first = tokio::select! {
            shown = judge(&self.stage, &told.accepted, undisturbed) => shown,
            never = inflict::broker::keep_returning_dead_letters(&self), if self.dead_letters_at_the_end => never,
        };
        // Hours later the sender repeats what was not answered 2xx.
        let mut refused = told.refused.clone();
        let mut owed = told.accepted.clone();
        while !refused.is_empty() {
            let (_, again) = sender::start(&self.stage, &self.history, refused, PER_SECOND);
            let told = again.await.expect("no panic");
            owed.extend(told.accepted);
            refused = told.refused;
        }
        let last = judge(&self.stage, &owed, undisturbed).await;
        self.tidy().await;
        Shown {
            lost: first.lost + last.lost,
            accepted: told.accepted.len(),
            strikes: told.refused.len(),
            longest_answer: told.longest_answer(),
            longest_stall: first.longest_stall,
            elected,
            ..last
        }
    }

    /// What does not go with the run's own folder and database.
    async fn tidy(self) {
        let Self { services, stage, tablespace, disk, .. } = self;
        drop(stage);
        if let Some(space) = tablespace {
            let (client, connection) =
                tokio_postgres::connect(services.postgres.url(), tokio_postgres::NoTls)
                    .await
                    .expect("connected");
            tokio::spawn(connection);
            // Only when the database in it is gone, which the stage has seen to.
            if let Err(error) = client.batch_execute(&format!("DROP TABLESPACE {space}")).await {
                eprintln!("{space} stays: {error}");
            }
        }
        drop(disk);
    }
}

async fn judge(
    stage: &Stage,
    owed: &HashSet<jodo_shared::ids::DeliveryKey>,
    undisturbed: &[String],
) -> Shown {
    let store = stage.store();
    let inbox = inbox(store.as_ref(), owed).await;
    let dump = store.dump().await.expect("a dump");
    Shown {
        lost: inbox.lost,
        not_settled: inbox.not_settled,
        differing: differing_rows(&dump, undisturbed),
        longest_stall: inbox.longest_stall,
        ..Shown::default()
    }
}
