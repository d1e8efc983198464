//! What can be wrong inside the database.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use tokio::time::Instant;
use tokio_postgres::{Client, NoTls};
use url::Url;

use super::last;
use crate::faults::Void;
use crate::run::Run;
use crate::stage::Shape;

/// How long a database may stay in use after everybody who used it was killed.
const LET_GO: Duration = Duration::from_secs(30);

/// Locks every pupil in the order opposite to the workers'.
const AGAINST_THE_GRAIN: &str = "DO $$ DECLARE pupil record; BEGIN \
FOR pupil IN SELECT tenant, pupil_key FROM jodo_r_students ORDER BY 1 DESC, 2 DESC LOOP \
PERFORM 1 FROM jodo_r_students s WHERE s.tenant = pupil.tenant AND s.pupil_key = pupil.pupil_key FOR UPDATE; \
PERFORM pg_sleep(0.01); END LOOP; END $$";

fn in_words(error: &tokio_postgres::Error) -> Void {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}

async fn connect(url: &str) -> Result<Client, Void> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(|error| in_words(&error))?;
    tokio::spawn(connection);
    Ok(client)
}

async fn execute(client: &Client, statements: &str) -> Result<(), Void> {
    client.batch_execute(statements).await.map_err(|error| in_words(&error))
}

/// The server's own database, and the name of the run's.
async fn server(run: &Run<'_>) -> Result<(Client, String), Void> {
    let url = Url::parse(&run.stage.database).map_err(|error| error.to_string())?;
    let name = url.path().trim_start_matches('/').to_owned();
    Ok((connect(run.services.postgres.url()).await?, name))
}

async fn cut_all(server: &Client, name: &str) -> Result<(), Void> {
    execute(
        server,
        &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    )
    .await
}

/// As a standby is after a failover to the wrong side.
pub(crate) async fn read_only(run: &mut Run<'_>, lasting: Duration) -> Result<(), Void> {
    let (server, name) = server(run).await?;
    execute(&server, &format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await?;
    cut_all(&server, &name).await?;
    last(lasting).await;
    execute(&server, &format!("ALTER DATABASE {name} RESET default_transaction_read_only")).await?;
    cut_all(&server, &name).await
}

/// Somebody else locks the same rows in another order.
pub(crate) async fn deadlock(run: &mut Run<'_>, lasting: Duration) -> Result<(), Void> {
    let client = connect(&run.stage.database).await?;
    let until = Instant::now() + lasting * 3;
    let mut ours = 0;
    while Instant::now() < until {
        // It is this session or a worker's that is told of the deadlock.
        ours += usize::from(client.batch_execute(AGAINST_THE_GRAIN).await.is_err());
    }
    let query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    execute(&client, "SELECT pg_stat_force_next_flush()").await.ok();
    let row = client.query_one(query, &[]).await.map_err(|error| in_words(&error))?;
    if ours > 0 || row.get::<_, i64>(0) > 0 { Ok(()) } else { Err("there was no deadlock".to_owned()) }
}

/// Somebody else has the inbox to himself.
pub(crate) async fn lock(run: &mut Run<'_>, lasting: Duration) -> Result<(), Void> {
    if run.stage.shape == Shape::OneProgram {
        return lock_file(run, lasting).await;
    }
    let client = connect(&run.stage.database).await?;
    execute(&client, "BEGIN; LOCK TABLE jodo_events IN ACCESS EXCLUSIVE MODE").await?;
    last(lasting).await;
    execute(&client, "COMMIT").await
}

async fn lock_file(run: &mut Run<'_>, lasting: Duration) -> Result<(), Void> {
    let file = run.stage.folder.join("jodo.db").display().to_string();
    let mut other = SqliteConnection::establish(&file).map_err(|error| error.to_string())?;
    let mut execute = |statement| other.batch_execute(statement).map_err(|error| error.to_string());
    execute("PRAGMA busy_timeout = 10000; BEGIN EXCLUSIVE")?;
    last(lasting * 2).await;
    execute("COMMIT")
}

/// The database is copied, and put back later as it was then; the archive brings back what it lost.
pub(crate) async fn restore(run: &mut Run<'_>) -> Result<(), Void> {
    run.recover_at_the_end = true;
    if run.stage.shape == Shape::OneProgram {
        return restore_file(run).await;
    }
    let (server, name) = server(run).await?;
    stop_workers(run);
    let copy = format!("{name}_copy");
    when_let_go(&server, &name, &format!("CREATE DATABASE {copy} TEMPLATE {name}")).await?;
    start_workers(run);
    run.progress.reaches(0.8).await;
    stop_workers(run);
    execute(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await?;
    execute(&server, &format!("ALTER DATABASE {copy} RENAME TO {name}")).await?;
    start_workers(run);
    Ok(())
}

pub(super) fn stop_workers(run: &mut Run<'_>) {
    for worker in &mut run.stage.workers {
        worker.process.kill9();
    }
}

pub(super) fn start_workers(run: &mut Run<'_>) {
    for worker in &mut run.stage.workers {
        worker.start_again();
    }
}

/// Does what needs a database that nobody has open.
pub(super) async fn when_let_go(server: &Client, name: &str, statement: &str) -> Result<(), Void> {
    let deadline = Instant::now() + LET_GO;
    loop {
        cut_all(server, name).await?;
        match execute(server, statement).await {
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => {}
            Ok(()) => return Ok(()),
        }
    }
}

pub(super) async fn on_server(run: &Run<'_>) -> Result<(Client, String), Void> {
    server(run).await
}

async fn restore_file(run: &mut Run<'_>) -> Result<(), Void> {
    let file = run.stage.folder.join("jodo.db");
    let copies = run.stage.folder.join("copies");
    run.stage.ingresses[0].process.terminate().await;
    fs::create_dir(&copies).map_err(|error| error.to_string())?;
    for (from, to) in with_logs(&file, &copies.join("jodo.db")) {
        if from.exists() {
            fs::copy(from, to).map_err(|error| error.to_string())?;
        }
    }
    run.stage.ingresses[0].start_again();
    run.progress.reaches(0.8).await;
    run.stage.ingresses[0].process.terminate().await;
    for (at, from) in with_logs(&file, &copies.join("jodo.db")) {
        if at.exists() {
            fs::remove_file(&at).map_err(|error| error.to_string())?;
        }
        if from.exists() {
            fs::copy(from, at).map_err(|error| error.to_string())?;
        }
    }
    // While it is stopped, as docs/SMALL-SCHOOL.md says.
    run.recover().await;
    run.recover_at_the_end = false;
    run.stage.ingresses[0].start_again();
    Ok(())
}

/// A database's files, and the same at another place.
fn with_logs(one: &Path, other: &Path) -> Vec<(PathBuf, PathBuf)> {
    let named = |path: &Path, end: &str| PathBuf::from(format!("{}{end}", path.display()));
    ["", "-wal", "-shm"].iter().map(|end| (named(one, end), named(other, end))).collect()
}
