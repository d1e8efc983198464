//! Running a program and reading what it says.

use std::os::unix::process::ExitStatusExt as _;
use std::panic::AssertUnwindSafe;
use std::process::Command;
use std::time::Duration;

use jodo_test_support::Process;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn lines_of_both_streams_are_captured() {
    let process = shell("echo out; echo err >&2; exec sleep 600");
    assert_eq!(process.wait_for_line("ou", SOON).await, "out");
    assert_eq!(process.wait_for_line("err", SOON).await, "err");
    assert!(process.is_running());
}

#[tokio::test]
async fn a_line_that_comes_again_can_be_awaited_anew() {
    let process = shell("trap 'echo again' USR1; echo again; while :; do sleep 0.05; done");
    process.wait_for_line("again", SOON).await;
    let seen = process.lines().len();
    assert!(Command::new("kill").args(["-USR1", &process.pid().to_string()]).status().unwrap().success());
    process.wait_for_line_after(seen, "again", SOON).await;
}

#[tokio::test]
async fn a_program_that_ends_without_the_line_is_not_waited_for() {
    let process = shell("echo something else; exit 3");
    assert_eq!(process.ended(SOON).await.code(), Some(3));
    let wait = tokio::spawn(async move { process.wait_for_line("ready", Duration::from_secs(600)).await });
    let message = wait.await.expect_err("a panic").into_panic().downcast::<String>().unwrap();
    assert!(message.contains("\"ready\"") && message.contains("something else"), "{message}");
}

#[tokio::test]
async fn terminate_is_orderly_and_kill_is_not() {
    let orderly = shell("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done");
    orderly.wait_for_line("up", SOON).await;
    assert_eq!(orderly.terminate().await.code(), Some(5));
    orderly.wait_for_line("bye", SOON).await;

    let mut killed = shell("trap 'echo bye' TERM; echo up; while :; do sleep 0.05; done");
    killed.wait_for_line("up", SOON).await;
    killed.kill9();
    assert!(!killed.is_running());
    assert_eq!(killed.ended(SOON).await.signal(), Some(9));
}

#[tokio::test]
async fn a_suspended_program_says_nothing_and_can_be_killed() {
    let mut process = shell("while :; do echo tick; sleep 0.01; done");
    process.wait_for_line("tick", SOON).await;
    process.suspend();
    process.suspend();
    let still = std::fs::read_to_string(format!("/proc/{}/stat", process.pid())).unwrap();
    assert!(still.contains(") T "), "{still}");
    process.resume();
    process.wait_for_line_after(process.lines().len(), "tick", SOON).await;
    process.suspend();
    process.kill9();
    assert_eq!(process.ended(SOON).await.signal(), Some(9));
}

#[tokio::test]
async fn the_command_s_environment_and_folder_are_kept() {
    let mut command = Command::new("sh");
    command.args(["-c", "echo $JODO_SYNC_TEST in $(pwd)"]).env("JODO_SYNC_TEST", "set").current_dir("/proc");
    let process = Process::start(command);
    assert_eq!(process.wait_for_line("", SOON).await, "set in /proc");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let start = || Process::start(Command::new("/no/such/program"));
    let panic = std::panic::catch_unwind(AssertUnwindSafe(start)).err().expect("a panic");
    let message = panic.downcast::<String>().expect("a message");
    assert!(message.contains("/no/such/program"), "{message}");
}

fn shell(script: &str) -> Process {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Process::start(command)
}
