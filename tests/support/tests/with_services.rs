//! The program that `make test` runs the tests with.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how a test reports, in its helpers too"
)]

use std::fs::Permissions;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jodo_test_support::{Kind, Process};
use tokio::time::{Instant, interval};

/// Servers start within this time even on a busy machine.
const STARTED: Duration = Duration::from_secs(240);

#[tokio::test]
async fn the_command_s_exit_code_is_ours() {
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)] {
        let process = Process::start(with_named_services(&["sh", "-c", script]));
        assert_eq!(process.ended(STARTED).await.code(), Some(code), "{script}");
    }
    let absent = Process::start(with_named_services(&["/no/such/program"]));
    assert_eq!(absent.ended(STARTED).await.code(), Some(127));
    let none = Process::start(with_named_services(&[]));
    assert_eq!(none.ended(STARTED).await.code(), Some(2));
}

#[tokio::test]
async fn named_services_are_passed_on_and_not_started() {
    let process = Process::start(with_named_services(&["sh", "-c", "echo $JODO_TEST_AMQP_URL"]));
    assert_eq!(process.wait_for_line("named", STARTED).await, "named");
}

#[tokio::test]
async fn sigterm_reaches_the_command() {
    let script = "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done";
    let process = Process::start(with_named_services(&["sh", "-c", script]));
    process.wait_for_line("up", STARTED).await;
    assert_eq!(process.terminate().await.code(), Some(9));
}

#[tokio::test]
async fn services_are_there_for_the_command_and_gone_after_it() {
    let process = Process::start(with_new_services("env | grep ^JODO_TEST_; echo done"));
    process.wait_for_line("done", STARTED).await;
    let ports = ports(&process);
    assert!(process.ended(STARTED).await.success());
    for port in ports {
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "{port}");
    }
}

#[tokio::test]
async fn nothing_survives_when_it_is_killed() {
    let temporary = tempfile::tempdir().unwrap();
    // PostgreSQL runs as another user when we are root.
    std::fs::set_permissions(temporary.path(), Permissions::from_mode(0o755)).unwrap();
    let mut command = with_new_services("env | grep ^JODO_TEST_; echo done; exec sleep 600");
    command.env("TMPDIR", temporary.path());
    let mut process = Process::start(command);
    process.wait_for_line("done", STARTED).await;
    let ports = ports(&process);
    assert_eq!(servers_folders(temporary.path()), 3);
    process.kill9();
    let mut ticks = interval(Duration::from_millis(20));
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let listening = ports.iter().filter(|port| TcpStream::connect(("127.0.0.1", **port)).is_ok()).count();
        let left = servers_folders(temporary.path());
        if listening == 0 && left == 0 {
            break;
        }
        assert!(Instant::now() < deadline, "{listening} servers and {left} folders are left");
        ticks.tick().await;
    }
}

/// With services that nobody listens at, for what does not need any.
fn with_named_services(command: &[&str]) -> Command {
    let mut with_services = Command::new(env!("CARGO_BIN_EXE_with-services"));
    with_services.arg("--").args(command);
    for kind in Kind::ALL {
        with_services.env(kind.variable(), "named");
    }
    with_services
}

fn with_new_services(script: &str) -> Command {
    let mut with_services = Command::new(env!("CARGO_BIN_EXE_with-services"));
    with_services.args(["sh", "-c", script]);
    for kind in Kind::ALL {
        with_services.env_remove(kind.variable());
    }
    with_services
}

/// The ports in the URLs that the command printed.
fn ports(process: &Process) -> Vec<u16> {
    let lines = process.lines();
    let urls = lines.iter().filter(|line| line.starts_with("JODO_TEST_"));
    let ports: Vec<u16> = urls
        .map(|line| {
            let (_, after_host) = line.split_once("127.0.0.1:").expect("a loopback address");
            let digits: String = after_host.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().expect("a port")
        })
        .collect();
    assert_eq!(ports.len(), 3, "{lines:?}");
    for port in &ports {
        TcpStream::connect(("127.0.0.1", *port)).expect("the server listens");
    }
    ports
}

/// How many servers have a folder in this one.
fn servers_folders(temporary: &Path) -> usize {
    let names = std::fs::read_dir(temporary).expect("a folder").flatten().map(|entry| entry.file_name());
    names.filter(|name| !name.to_string_lossy().starts_with("jodo-test-ports-")).count()
}
