//! A server in a container, where its programs are not installed and docker works.

use std::process::{Command, Output};

use anyhow::{Context as _, ensure};

use crate::janitor;
use crate::kind::Kind;
use crate::names::unique_name;

/// A container of its own, with its port published on the loopback address.
pub(crate) struct Container {
    name: String,
}

/// Whether there is a docker that we may use.
pub(crate) fn works() -> bool {
    Command::new("docker").arg("info").output().is_ok_and(|output| output.status.success())
}

impl Container {
    /// Starts one, after fetching its image if need be.
    pub(crate) async fn run(kind: Kind, port: u16) -> anyhow::Result<Self> {
        let name = format!("jodo-test-{}", unique_name(&kind.to_string()));
        let publish = format!("127.0.0.1:{port}:{}", kind.usual_port());
        let mut args =
            vec!["run", "--detach", "--label", "jodo-test", "--name", &name, "--publish", &publish];
        args.extend(match kind {
            Kind::RabbitMq => ["rabbitmq:4-management"].as_slice(),
            Kind::Redis => {
                &["redis:8", "redis-server", "--save", "", "--appendonly", "yes", "--appendfsync", "no"]
            }
            Kind::Postgres => &[
                "--env",
                "POSTGRES_HOST_AUTH_METHOD=trust",
                "postgres:17",
                "-c",
                "max_connections=300",
                "-c",
                "fsync=off",
            ],
        });
        janitor::remove_container_at_exit(&name)?;
        let container = Self { name: name.clone() };
        docker(&args).await?;
        Ok(container)
    }

    /// Starts it again after it was stopped or killed.
    pub(crate) async fn start(&self) -> anyhow::Result<()> {
        docker(&["start", &self.name]).await
    }

    /// Stops it in good order.
    pub(crate) async fn stop(&self) -> anyhow::Result<()> {
        docker(&["stop", "--time", "60", &self.name]).await
    }

    /// Kills every process in it.
    pub(crate) fn kill(&self) -> anyhow::Result<()> {
        docker_now(&["kill", &self.name])
    }

    /// Suspends every process in it.
    pub(crate) fn suspend(&self) -> anyhow::Result<()> {
        docker_now(&["pause", &self.name])
    }

    /// Lets a suspended one go on.
    pub(crate) fn resume(&self) -> anyhow::Result<()> {
        docker_now(&["unpause", &self.name])
    }

    /// Whether its main process runs.
    pub(crate) fn has_ended(&self) -> bool {
        let args = ["inspect", "--format", "{{.State.Running}}", &self.name];
        Command::new("docker").args(args).output().is_ok_and(|output| output.stdout.starts_with(b"false"))
    }

    /// The end of its log.
    pub(crate) fn log_tail(&self) -> String {
        match Command::new("docker").args(["logs", "--tail", "40", &self.name]).output() {
            Ok(Output { stdout, stderr, .. }) => {
                let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
                format!("The end of its log:\n{stdout}{stderr}")
            }
            Err(error) => format!("Its log cannot be read: {error}"),
        }
    }

    /// A command that runs `program` in it.
    pub(crate) fn tool(&self, program: &str) -> Command {
        let mut command = Command::new("docker");
        command.args(["exec", &self.name, program]);
        command
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Err(error) = docker_now(&["rm", "--force", "--volumes", &self.name]) {
            eprintln!("container {}: {error:#}", self.name);
        }
    }
}

/// Runs docker, for what may take long: the runtime goes on meanwhile.
async fn docker(args: &[&str]) -> anyhow::Result<()> {
    tokio::process::Command::new("docker").args(args).output().await.context("docker")?.succeeded()
}

/// Runs docker, for what is quick or happens in Drop.
fn docker_now(args: &[&str]) -> anyhow::Result<()> {
    Command::new("docker").args(args).output().context("docker")?.succeeded()
}

/// For the output of a command that is to succeed.
pub(crate) trait Succeeded {
    /// # Errors
    ///
    /// What the command printed, if it failed.
    fn succeeded(&self) -> anyhow::Result<()>;
}

impl Succeeded for Output {
    fn succeeded(&self) -> anyhow::Result<()> {
        let (stdout, stderr) = (String::from_utf8_lossy(&self.stdout), String::from_utf8_lossy(&self.stderr));
        ensure!(self.status.success(), "{}: {stdout}{stderr}", self.status);
        Ok(())
    }
}
