//! Killed, suspended and restarted: our programs, and the services.

use std::ops::Deref;
use std::time::Duration;

use jodo_test_support::Server;

use super::last;
use crate::faults::{Void, Who};
use crate::run::Run;
use crate::stage::{Program, Services, Shape};

fn program<'r>(run: &'r mut Run<'_>, who: Who) -> &'r mut Program {
    let programs = if who == Who::Worker { &mut run.stage.workers } else { &mut run.stage.ingresses };
    let chosen = run.dice.below(programs.len());
    &mut programs[chosen]
}

fn server(services: &Services, who: Who) -> Option<&Server> {
    match who {
        Who::RabbitMq => Some(services.rabbitmq.deref()),
        Who::Redis => Some(services.redis.deref()),
        Who::Postgres => Some(services.postgres.deref()),
        Who::Ingress | Who::Worker => None,
    }
}

/// SIGKILL, and started again after a while.
pub(crate) async fn kill(run: &mut Run<'_>, who: Who, lasting: Duration) -> Result<(), Void> {
    if let Some(server) = server(run.services, who) {
        server.kill();
        last(lasting).await;
        start_again(run, who).await;
        return Ok(());
    }
    let program = program(run, who);
    if !program.process.is_running() {
        return Err("it had ended before".to_owned());
    }
    program.process.kill9();
    last(lasting).await;
    program.start_again();
    Ok(())
}

/// SIGSTOP, and SIGCONT after a while.
pub(crate) async fn suspend(run: &mut Run<'_>, who: Who, lasting: Duration) -> Result<(), Void> {
    if let Some(server) = server(run.services, who) {
        server.suspend();
        last(lasting).await;
        server.resume();
        return Ok(());
    }
    let program = program(run, who);
    program.process.suspend();
    last(lasting).await;
    program.process.resume();
    Ok(())
}

/// Stopped in good order, and started again after a while.
pub(crate) async fn restart(run: &mut Run<'_>, who: Who, lasting: Duration) -> Result<(), Void> {
    let Some(server) = server(run.services, who) else { return Err("not a service".to_owned()) };
    server.stop().await;
    last(lasting).await;
    start_again(run, who).await;
    Ok(())
}

/// Starts a service again, as an operator would.
pub(super) async fn start_again(run: &mut Run<'_>, who: Who) {
    if who == Who::RabbitMq {
        run.elected = run.services.rabbitmq.start_again_with_leaders().await;
    } else if let Some(server) = server(run.services, who) {
        server.start_again().await;
    }
}

/// What a message that kills every worker does, as long as it is handed out.
pub(crate) async fn kill_workers_six_times(run: &mut Run<'_>) -> Result<(), Void> {
    for _ in 0..6 {
        for worker in &mut run.stage.workers {
            worker.process.kill9();
            worker.start_again();
        }
        for worker in &run.stage.workers {
            worker.process.wait_for_line("jodo-worker started", Duration::from_secs(60)).await;
        }
    }
    Ok(())
}

/// SIGTERM to one program after the other, each started again before the next.
pub(crate) async fn rolling_restart(run: &mut Run<'_>) -> Result<(), Void> {
    let ingresses = run.stage.ingresses.len();
    for place in 0..ingresses + run.stage.workers.len() {
        let programs = if place < ingresses { &mut run.stage.ingresses } else { &mut run.stage.workers };
        let program = &mut programs[if place < ingresses { place } else { place - ingresses }];
        let status = program.process.terminate().await;
        if status.code() != Some(0) {
            return Err(format!("the drain was not clean: {status}"));
        }
        program.start_again();
        run.stage.ready().await;
    }
    if run.stage.shape == Shape::Cluster && run.stage.ingresses.len() < 2 {
        return Err("there is only one replica".to_owned());
    }
    Ok(())
}
