//! What operators do while the one program runs.

use jodo_test_support::school::history;
use jodo_worker::store::inspect::Inspect as _;

use crate::cluster::until;
use crate::one_program::School;

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_keeps_deliveries_in_the_spool_and_the_rows_can_be_rebuilt_while_it_runs() {
    let school = School::new();
    let process = school.start().await;
    let history: Vec<_> = history(5, 20);
    let (early, late) = history.split_at(10);
    let order: Vec<_> = (0..10).collect();
    let keys = school.accepted(early, &order).await;
    school.until_known(&keys).await;
    school.well("pause test --for 1h --reason stocktaking --by asha").await;
    until("the worker follows", async || school.run("status").await.1.contains("by asha: stocktaking")).await;
    let store = school.trials();
    let paused = async || {
        let workers = store.summary().await.expect("an answer").workers;
        workers.iter().all(|worker| worker.paused_because.is_some())
    };
    until("the worker has stopped", paused).await;
    let status = school.well("status").await;
    assert!(status.contains("All is well"), "somebody wanted it:\n{status}");
    let keys = school.accepted(late, &order).await;
    let said = school.well("pause test --for 2h --reason stocktaking --dry-run").await;
    assert!(said.contains("10 events wait now\nFor what comes there is room for "), "{said}");
    assert_eq!(store.known(&keys).await.expect("an answer").len(), 0);

    let dump = school.well("dump --canonical --target test").await;
    let said = school.well("rebuild --target test").await;
    assert!(said.contains("Every row is as the events make it"), "{said}");
    assert_eq!(school.well("dump --canonical --target test").await, dump);

    school.well("resume test --by asha").await;
    school.until_known(&keys).await;
    let said = school.well("rebuild --target test").await;
    assert!(said.starts_with("test is paused meanwhile"), "{said}");
    assert_eq!(process.terminate().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_database_and_when_something_last_came_is_reported() {
    let last = r#"jodo_sync_last_delivery_timestamp_seconds{target="test",source="test"}"#;
    let waiting = r#"jodo_sync_unsettled_events{target="test",outcome="quarantined"}"#;
    let school = School::new();
    let process = school.start().await;
    until("the database is watched", async || school.gauge(waiting).await == Some(0.0)).await;
    until("nothing is known to have come", async || school.gauge(last).await == Some(0.0)).await;
    let keys = school.accepted(&history(5, 3), &[0, 1, 2]).await;
    school.until_known(&keys).await;
    until("the worker says so at once", async || school.gauge(last).await > Some(0.0)).await;
    let environment = r#"jodo_sync_source_info{source="test",environment="test"}"#;
    assert_eq!(school.gauge(environment).await, Some(1.0));
    let came = school.gauge(last).await;
    assert_eq!(process.terminate().await.code(), Some(0));

    let process = school.start().await;
    until("it asks the database once", async || school.gauge(last).await == came).await;
    assert_eq!(process.terminate().await.code(), Some(0));
}
