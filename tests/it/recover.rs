//! The ERP database is restored from a back-up: what it lost comes back, and nothing else changes.

use jodo_test_support::fresh_database;

use crate::cluster::Cluster;
use crate::faults::{a_history, all_accepted, ends_well, places};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_database_lost_comes_back_from_the_archive() {
    let (history, order) = a_history();
    let database = fresh_database().await;
    let mut cluster = Cluster::at(places(None, &database).await, 1, &[]).await;
    cluster.ready().await;
    let (before, after) = order.split_at(order.len() / 2);
    all_accepted(&cluster, &history, before).await;
    let distinct = before.iter().collect::<std::collections::BTreeSet<_>>().len();
    cluster.settled(distinct).await;
    let (name, backup) = (&database.name, format!("{}_backup", database.name));

    // A database can be copied, like dropped, only while nobody has it open.
    cluster.workers[0].terminate().await;
    cluster.execute_on_server(&[&format!("CREATE DATABASE {backup} TEMPLATE {name}")]).await;
    let since = jodo_shared::clock::now();
    cluster.add_worker();
    all_accepted(&cluster, &history, after).await;
    ends_well(&cluster, &history).await;
    let whole = cluster.dump().await;

    cluster.workers[1].terminate().await;
    let restore =
        [format!("DROP DATABASE {name} WITH (FORCE)"), format!("ALTER DATABASE {backup} RENAME TO {name}")];
    cluster.execute_on_server(&restore.each_ref().map(String::as_str)).await;
    assert_ne!(cluster.dump().await, whole);
    cluster.add_worker();
    let lost = history.len() - distinct;
    let said = recover(&cluster, &format!("--since {since} --dry-run")).await;
    assert!(said.contains(&format!("{lost} missing\n")), "{said}");
    let said = recover(&cluster, &format!("--since {since}")).await;
    assert!(said.contains(&format!("{lost} missing, {lost} brought back")), "{said}");
    ends_well(&cluster, &history).await;
    assert_eq!(cluster.dump().await, whole);
}

async fn recover(cluster: &Cluster, arguments: &str) -> String {
    let mut command = cluster.operator();
    command.arg("recover").args(arguments.split(' ')).args(["--target", &cluster.target]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
    let output = output.expect("jodo-sync runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
