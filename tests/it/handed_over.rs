//! A socket that a supervisor hands over keeps connections while the program is started anew.

use std::process::Command;

use jodo_test_support::{Process, inherited_socket};

use crate::cluster::DEADLINE;
use crate::one_program::{READY, School};

/// What systemd does for a socket unit: the socket under number 3, and two variables.
const HAND_OVER: &str = r#"socket=$1; shift; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&"$socket""#;

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_comes_between_two_runs_waits_and_is_accepted() {
    let (socket, number) = inherited_socket();
    let port = socket.local_addr().expect("an address").port();
    let school = School::at(port);
    let start = async || {
        // It would refuse to share the address: only the socket that was handed over can be the one it uses.
        let program = school.jodo_sync(&["--listen", &format!("127.0.0.1:{port}")]);
        let mut command = Command::new("bash");
        command.args(["-c", HAND_OVER, "bash", &number.to_string()]);
        command.arg(program.get_program()).args(program.get_args());
        command.envs(program.get_envs().filter_map(|(key, value)| Some((key, value?))));
        let process = Process::start(command);
        process.wait_for_line(READY, DEADLINE).await;
        process
    };
    let first = start().await;
    let deliver =
        format!("send direct.payment.added --source test --url http://127.0.0.1:{port}/webhooks/test");
    school.well(&deliver).await;
    first.terminate().await;

    let (answer, second) = tokio::join!(school.run(&deliver), start());
    assert!(answer.0.status.success(), "{}", answer.1);
    second.terminate().await;
}
