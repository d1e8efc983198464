//! Everything in one process, with nothing beside it.

use std::path::Path;
use std::process::{Command, Output};

use jodo_shared::ids::DeliveryKey;
use jodo_test_support::school::{Sent, history, send_each, shuffled_with_repeats};
use jodo_test_support::{Process, free_port};
use jodo_worker::store::inspect::Inspect as _;
use jodo_worker::store::sqlite::SqliteStore;
use jodo_worker::store::{Store as _, WorkerName};
use tempfile::TempDir;

use crate::cluster::{Cluster, DEADLINE, command, until};

pub(crate) const READY: &str = "docs/SMALL-SCHOOL.md";

/// One installation in a folder of its own.
pub(crate) struct School {
    folder: TempDir,
    port: u16,
    private: u16,
    settings: Vec<(String, String)>,
}

impl School {
    pub(crate) fn new() -> Self {
        Self::made(free_port(), &[])
    }

    /// Where deliveries come in at this port.
    pub(crate) fn at(port: u16) -> Self {
        Self::made(port, &[])
    }

    /// The same, with more settings.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        Self::made(free_port(), settings)
    }

    fn made(port: u16, settings: &[(&str, &str)]) -> Self {
        let private = free_port();
        let private_listen = ("INGRESS__PRIVATE_LISTEN", &*format!("127.0.0.1:{private}"));
        let settings = settings.iter().chain([&private_listen]);
        let settings =
            settings.map(|(key, value)| (format!("JODO_SYNC__{key}"), (*value).to_owned())).collect();
        Self { folder: tempfile::tempdir().expect("a folder"), port, private, settings }
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn jodo_sync(&self, arguments: &[&str]) -> Command {
        let mut command = command("jodo-sync", &self.settings);
        command.arg("--data-dir").arg(self.data()).args(arguments);
        command
    }

    pub(crate) async fn start(&self) -> Process {
        let listen = format!("127.0.0.1:{}", self.port);
        let process = Process::start(self.jodo_sync(&["--listen", &listen]));
        process.wait_for_line(READY, DEADLINE).await;
        process
    }

    pub(crate) async fn run(&self, arguments: &str) -> (Output, String) {
        let mut command = self.jodo_sync(&arguments.split(' ').collect::<Vec<_>>());
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
        let output = output.expect("jodo-sync runs");
        let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said)).concat();
        (output, said)
    }

    pub(crate) async fn well(&self, arguments: &str) -> String {
        let (output, said) = self.run(arguments).await;
        assert!(output.status.success(), "{arguments}: {said}");
        said
    }

    /// What it tells Prometheus of one series; `None` while there is no such series.
    pub(crate) async fn gauge(&self, series: &str) -> Option<f64> {
        let url = format!("http://127.0.0.1:{}/metrics", self.private);
        let page = reqwest::get(&url).await.ok()?.text().await.ok()?;
        let value = page.lines().find_map(|line| line.strip_prefix(series))?;
        value.trim().parse().ok()
    }

    /// The database that trials go to.
    pub(crate) fn trials(&self) -> SqliteStore {
        let url = format!("sqlite:{}", self.data().join("test.db").display()).into();
        SqliteStore::new(&url, SqliteStore::STATEMENT_TIMEOUT, WorkerName::of_this_process())
            .expect("a store")
    }

    fn trial_secret(&self) -> String {
        std::fs::read_to_string(self.data().join("signing-secret-test")).expect("a secret").trim().to_owned()
    }

    /// Posts deliveries to the source for trials and returns the keys of those that were answered 200.
    pub(crate) async fn accepted(&self, history: &[Sent], order: &[usize]) -> Vec<DeliveryKey> {
        let url = format!("http://127.0.0.1:{}/webhooks/test", self.port);
        let answers = send_each(&url, &self.trial_secret(), history, order, 32).await.expect("a client");
        let accepted = answers.into_iter().filter(|(_, answer)| answer == "200 OK");
        let source = "test".parse().expect("a name");
        accepted.map(|(index, _)| DeliveryKey::of(&source, history[index].bytes.as_bytes())).collect()
    }

    /// Waits until every one of these is in the database.
    pub(crate) async fn until_known(&self, keys: &[DeliveryKey]) {
        let store = self.trials();
        let missing = async || {
            let mut missing = 0;
            for some in keys.chunks(500) {
                let some: std::collections::HashSet<_> = some.iter().copied().collect();
                let asked: Vec<_> = some.iter().copied().collect();
                missing += some.len() - store.known(&asked).await.expect("an answer").len();
            }
            missing
        };
        until("every accepted delivery is in the database", async || missing().await == 0).await;
    }
}

const SIMULATE: &str = "simulate --scenario school-year --students 100 --duplicates 0.05 --shuffle --seed 5";

/// How many events that is, as the program writes it.
fn simulated() -> String {
    let run = jodo_school::Run { seed: 5, students: 100, scenario: jodo_school::Scenario::SchoolYear };
    let events = run.bodies().count();
    format!("{},{:03}", events / 1_000, events % 1_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_school_ends_in_the_same_rows_as_in_a_cluster_and_all_is_accounted_for() {
    let school = School::new();
    let process = school.start().await;
    let said = school.well(SIMULATE).await;
    assert!(said.contains("200 OK"), "{said}");
    let (_, said) = school.run("dead list").await;
    assert!(said.contains("there are no dead letters here"), "{said}");
    assert!(school.well("simulate verify").await.contains(": 0 differences"));
    let status = school.well("status").await;
    let events = simulated();
    let all = format!("all {events} accepted events are accounted for: {events} finished");
    assert!(status.contains(&all), "{status}");
    assert!(
        status.contains("nothing has been accepted yet"),
        "nothing invented is in the real target:\n{status}"
    );
    let dump = school.well("dump --canonical --target test").await;
    assert!(status.contains("runs, and answers at 127.0.0.1:"), "{status}");
    assert_eq!(process.terminate().await.code(), Some(0));
    let (output, status) = school.run("status").await;
    assert_eq!(output.status.code(), Some(1), "{status}");
    assert!(status.contains("✗ jodo-sync does not answer at 127.0.0.1:"), "{status}");
    assert!(!status.contains("All is well"), "{status}");

    let target = jodo_test_support::unique_name("same");
    let database = jodo_test_support::fresh_database().await;
    let erp = format!("ERP__{}__URL", target.to_uppercase());
    let settings = [
        (erp.as_str(), database.url.as_str()),
        ("SOURCES__TEST__SECRETS", "another secret"),
        ("SOURCES__TEST__TARGET", &target),
        ("SOURCES__TEST__ENVIRONMENT", "test"),
    ];
    jodo_worker::store::migrate(&database.url.clone().into()).await.expect("migrated");
    let cluster = Cluster::start_with(2, &settings).await;
    let in_cluster = async |arguments: &str| {
        let mut command = cluster.operator();
        command.args(arguments.split(' '));
        let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
        let output = output.expect("jodo-sync runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    in_cluster(SIMULATE).await;
    assert!(in_cluster("simulate verify").await.contains(": 0 differences"));
    let same = in_cluster(&format!("dump --canonical --target {target}")).await;
    assert!(dump == same, "the dumps differ");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_200_survives_kill_9_and_the_rows_end_as_if_nothing_had_happened() {
    let history = history(31, 2_000);
    let order = shuffled_with_repeats(31, history.len(), 0.05);
    let undisturbed = School::new();
    let process = undisturbed.start().await;
    let keys = undisturbed.accepted(&history, &order).await;
    assert_eq!(keys.len(), order.len());
    undisturbed.until_known(&keys).await;
    process.terminate().await;

    let school = School::new();
    let mut obligations = Vec::new();
    for part in order.chunks(order.len().div_ceil(4)) {
        let mut process = school.start().await;
        let before = school.trials().event_ids().await.expect("ids").len();
        let (accepted, ()) = tokio::join!(school.accepted(&history, part), async {
            until("some are applied", async || {
                school.trials().event_ids().await.is_ok_and(|ids| ids.len() >= before + 20)
            })
            .await;
            process.kill9();
        });
        obligations.extend(accepted);
    }
    assert!(!obligations.is_empty());
    let process = school.start().await;
    school.until_known(&obligations).await;
    // The sender repeats what was not answered, here after seconds.
    let keys = school.accepted(&history, &order).await;
    assert_eq!(keys.len(), order.len());
    school.until_known(&keys).await;
    let status = school.well("status").await;
    assert!(status.contains("all 2,000 accepted events are accounted for"), "{status}");
    process.terminate().await;
    let (one, other) = (school.trials().dump().await, undisturbed.trials().dump().await);
    assert!(one.expect("a dump") == other.expect("a dump"), "the dumps differ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_made_while_it_ran_brings_everything_back() {
    let school = School::new();
    let process = school.start().await;
    school.well(SIMULATE).await;
    let copy = school.folder.path().join("copy.tar");
    let (_, said) = school.run(&format!("backup {}", copy.display())).await;
    assert!(said.contains("2 databases"), "{said}");
    assert!(school.well("simulate verify").await.contains(": 0 differences"));
    let dump = school.well("dump --canonical --target test").await;
    process.terminate().await;

    let restored = School::new();
    std::fs::create_dir(restored.data()).expect("a folder");
    unpack(&copy, &restored.data());
    // Nothing came after the copy; the folder that was in use before is looked through all the same.
    let old = school.data().join("spool");
    let recover = format!("recover --since 2020-01-01T00:00:00Z --target test --from {}", old.display());
    let missing = restored.well(&format!("{recover} --dry-run")).await;
    restored.well(&recover).await;
    let process = restored.start().await;
    let is_whole = async || restored.run("simulate verify").await.1.contains(": 0 differences");
    until(&format!("everything is there: {missing}"), is_whole).await;
    assert!(restored.well("dump --canonical --target test").await == dump, "the dumps differ");
    let status = restored.well("status").await;
    assert!(status.contains(&format!("all {} accepted events are accounted for", simulated())), "{status}");
    // The same secrets came along.
    assert_eq!(restored.trial_secret(), school.trial_secret());
    process.terminate().await;
}

fn unpack(archive: &Path, into: &Path) {
    let mut tar = Command::new("tar");
    let status = tar.arg("-xf").arg(archive).arg("-C").arg(into).status().expect("tar runs");
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_has_one_program_and_what_a_database_lost_is_noticed_and_recovered() {
    let school = School::new();
    let process = school.start().await;
    let (output, said) = school.run("--listen 127.0.0.1:0").await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("another jodo-sync is running with it"), "{said}");

    school.well("simulate --events 50 --students 5").await;
    assert!(school.well("simulate verify").await.contains(": 0 differences"));
    process.terminate().await;
    for ending in ["", "-wal", "-shm"] {
        let file = school.data().join(format!("test.db{ending}"));
        if file.exists() {
            std::fs::remove_file(file).expect("removed");
        }
    }
    let process = school.start().await;
    let (output, said) = school.run("status").await;
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("50 events were accepted and finished, but not in the database"), "{said}");

    let recover = "recover --since 2020-01-01T00:00:00Z --target test";
    let (output, said) = school.run(recover).await;
    assert!(!output.status.success() && said.contains("stop jodo-sync first"), "{said}");
    process.terminate().await;
    let said = school.well(&format!("{recover} --dry-run")).await;
    assert!(said.contains(", 50 missing\n"), "{said}");
    assert!(school.well(recover).await.contains("50 missing, 50 brought back"));
    let process = school.start().await;
    until("everything is there again", async || {
        school.run("simulate verify").await.1.contains(": 0 differences")
    })
    .await;
    assert!(school.well("status").await.contains("all 50 accepted events are accounted for"));
    process.terminate().await;
    assert!(school.well(recover).await.contains(" 0 missing\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_in_the_wrong_folder_says_so() {
    let nowhere = School::new();
    for arguments in ["status", "events list", "dump --canonical"] {
        let (output, said) = nowhere.run(arguments).await;
        assert!(!output.status.success(), "{arguments}: {said}");
        assert!(said.contains("has not run with the data folder"), "{arguments}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_secret_is_the_one_that_counts_and_is_in_the_copy() {
    let school = School::new();
    std::fs::create_dir(school.data()).expect("a folder");
    let file = school.data().join("jodo-sync.toml");
    std::fs::write(file, "[sources.jodo]\nsecrets = [\"configured\"]").expect("written");
    let process = Process::start(school.jodo_sync(&["--listen", &format!("127.0.0.1:{}", school.port)]));
    process.wait_for_line("signing secret     in the configuration, sources.jodo.secrets", DEADLINE).await;
    process.wait_for_line(READY, DEADLINE).await;
    let said = school.well("send direct.payment.added --source jodo --i-mean-it").await;
    assert!(said.contains("200 OK"), "signed with the configured secret: {said}");
    let copy = school.folder.path().join("copy.tar");
    school.well(&format!("backup {}", copy.display())).await;
    process.terminate().await;
    let restored = tempfile::tempdir().expect("a folder");
    unpack(&copy, restored.path());
    assert!(restored.path().join("jodo-sync.toml").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn status_tells_what_the_program_says_of_itself() {
    let school = School::new();
    std::fs::create_dir(school.data()).expect("a folder");
    let away = "[erp.main]\nurl = \"postgres://127.0.0.1:1/away\"";
    std::fs::write(school.data().join("jodo-sync.toml"), away).expect("written");
    let process = school.start().await;
    let told =
        async || school.run("status").await.1.contains("✗ jodo-sync: target main is paused: cannot reach");
    until("status tells that the database is away", told).await;
    process.terminate().await;
}
