//! The faults, by name. Each is inflicted while deliveries come in, and healed again.

use std::time::Duration;

use crate::inflict;
use crate::run::Run;
use crate::stage::Shape;

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) kind: Kind,
}

/// Which of our programs, or which service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Ingress,
    Worker,
    RabbitMq,
    Redis,
    Postgres,
}

/// What is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Kill(Who),
    Suspend(Who),
    Restart(Who),
    KilledSixTimes,
    RollingRestart,
    SecretRotated,
    Alarm,
    QueueDeleted,
    QueueReplaced,
    CredentialsRevoked,
    PolicyChanged,
    Flushed,
    Evicting,
    Stale,
    ReadOnly,
    Deadlock,
    Locked,
    Restored,
    SpoolDiskFull,
    DatabaseDiskFull,
    DataDiskFull,
    HalfOpen(Who),
    Reset(Who),
    Latency(Who),
    Bandwidth(Who),
    Blackhole(Who),
    ClockJumps,
}

/// Why the fault cannot have happened, so that the run shows nothing.
pub(crate) type Void = String;

const fn cluster(name: &'static str, kind: Kind) -> Fault {
    Fault { name, shape: Shape::Cluster, kind }
}

const fn one(name: &'static str, kind: Kind) -> Fault {
    Fault { name, shape: Shape::OneProgram, kind }
}

/// All of them: fifty, so that 200 runs inflict each four times. What a suspended Redis shows a half-open wire to it does
/// not show again, nor a restart of it what its being killed has shown.
pub(crate) const FAULTS: &[Fault] = &[
    cluster("worker killed", Kind::Kill(Who::Worker)),
    one("program killed", Kind::Kill(Who::Ingress)),
    cluster("ingress killed", Kind::Kill(Who::Ingress)),
    cluster("RabbitMQ killed", Kind::Kill(Who::RabbitMq)),
    cluster("PostgreSQL killed", Kind::Kill(Who::Postgres)),
    cluster("database restored from an older copy", Kind::Restored),
    one("data disk full", Kind::DataDiskFull),
    cluster("RabbitMQ half-open", Kind::HalfOpen(Who::RabbitMq)),
    cluster("rolling restart", Kind::RollingRestart),
    cluster("spool disk full while RabbitMQ is away", Kind::SpoolDiskFull),
    cluster("Redis killed", Kind::Kill(Who::Redis)),
    cluster("ingress suspended", Kind::Suspend(Who::Ingress)),
    cluster("worker suspended", Kind::Suspend(Who::Worker)),
    cluster("RabbitMQ suspended", Kind::Suspend(Who::RabbitMq)),
    cluster("Redis suspended", Kind::Suspend(Who::Redis)),
    cluster("PostgreSQL suspended", Kind::Suspend(Who::Postgres)),
    cluster("RabbitMQ restarted", Kind::Restart(Who::RabbitMq)),
    cluster("PostgreSQL restarted", Kind::Restart(Who::Postgres)),
    cluster("RabbitMQ memory alarm", Kind::Alarm),
    cluster("RabbitMQ credentials revoked", Kind::CredentialsRevoked),
    cluster("policy that bounds the queue and expires what waits", Kind::PolicyChanged),
    cluster("queue deleted, then recovered", Kind::QueueDeleted),
    cluster("queue replaced by one of another kind, then recovered", Kind::QueueReplaced),
    cluster("workers killed six times in a row", Kind::KilledSixTimes),
    cluster("Redis flushed", Kind::Flushed),
    cluster("Redis evicts everything", Kind::Evicting),
    cluster("Redis knows ids that the database does not", Kind::Stale),
    cluster("PostgreSQL read-only", Kind::ReadOnly),
    cluster("PostgreSQL deadlocks", Kind::Deadlock),
    cluster("table locked", Kind::Locked),
    cluster("PostgreSQL disk full", Kind::DatabaseDiskFull),
    cluster("RabbitMQ connections reset", Kind::Reset(Who::RabbitMq)),
    cluster("RabbitMQ slow to answer", Kind::Latency(Who::RabbitMq)),
    cluster("RabbitMQ over a thin wire", Kind::Bandwidth(Who::RabbitMq)),
    cluster("RabbitMQ unreachable", Kind::Blackhole(Who::RabbitMq)),
    cluster("Redis connections reset", Kind::Reset(Who::Redis)),
    cluster("Redis slow to answer", Kind::Latency(Who::Redis)),
    cluster("PostgreSQL half-open", Kind::HalfOpen(Who::Postgres)),
    cluster("PostgreSQL connections reset", Kind::Reset(Who::Postgres)),
    cluster("PostgreSQL slow to answer", Kind::Latency(Who::Postgres)),
    cluster("PostgreSQL over a thin wire", Kind::Bandwidth(Who::Postgres)),
    cluster("PostgreSQL unreachable", Kind::Blackhole(Who::Postgres)),
    cluster("signing secret rotated", Kind::SecretRotated),
    cluster("clock jumps", Kind::ClockJumps),
    one("database locked", Kind::Locked),
    one("program suspended", Kind::Suspend(Who::Ingress)),
    one("program restarted", Kind::RollingRestart),
    one("signing secret rotated", Kind::SecretRotated),
    one("database restored from an older copy", Kind::Restored),
    one("clock jumps", Kind::ClockJumps),
];

impl Fault {
    /// Inflicts it and heals it.
    ///
    /// # Errors
    /// [`Void`] when it cannot be inflicted here.
    pub(crate) async fn inflict(self, run: &mut Run<'_>) -> Result<(), Void> {
        let lasting = run.dice.lasting();
        match self.kind {
            Kind::Kill(who) => inflict::process::kill(run, who, lasting).await,
            Kind::Suspend(who) => inflict::process::suspend(run, who, lasting).await,
            Kind::Restart(who) => inflict::process::restart(run, who, lasting).await,
            Kind::KilledSixTimes => inflict::process::kill_workers_six_times(run).await,
            Kind::RollingRestart => inflict::process::rolling_restart(run).await,
            Kind::SecretRotated => {
                run.progress.rotate_secret();
                inflict::process::rolling_restart(run).await
            }
            Kind::Alarm => inflict::broker::alarm(run, lasting).await,
            Kind::QueueDeleted => inflict::broker::delete_queue(run).await,
            Kind::QueueReplaced => inflict::broker::replace_queue(run, lasting).await,
            Kind::CredentialsRevoked => inflict::broker::revoke_credentials(run, lasting).await,
            Kind::PolicyChanged => inflict::broker::change_policy(run, lasting).await,
            Kind::Flushed => inflict::redis::flush(run).await,
            Kind::Evicting => inflict::redis::evict(run, lasting).await,
            Kind::Stale => inflict::redis::stale(run).await,
            Kind::ReadOnly => inflict::database::read_only(run, lasting).await,
            Kind::Deadlock => inflict::database::deadlock(run, lasting).await,
            Kind::Locked => inflict::database::lock(run, lasting).await,
            Kind::Restored => inflict::database::restore(run).await,
            Kind::SpoolDiskFull => inflict::disk::spool_full(run, lasting).await,
            Kind::DatabaseDiskFull => inflict::disk::database_full(run, lasting).await,
            Kind::DataDiskFull => inflict::disk::data_full(run, lasting).await,
            Kind::HalfOpen(who) => inflict::network::half_open(run, who, lasting).await,
            Kind::Reset(who) => inflict::network::reset(run, who, lasting).await,
            Kind::Latency(who) => {
                inflict::network::slow(run, who, Duration::from_millis(300), 0, lasting).await
            }
            Kind::Bandwidth(who) => {
                inflict::network::slow(run, who, Duration::ZERO, inflict::network::THIN, lasting).await
            }
            Kind::Blackhole(who) => inflict::network::unreachable(run, who, lasting).await,
            Kind::ClockJumps => inflict::clock::jump(run, lasting).await,
        }
    }
}
