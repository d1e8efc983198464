//! `pause` and `resume`.

use jodo_sync::Exit;
use jodo_worker::store::Store as _;

use crate::school::{School, run_with};

async fn pause(school: &School, more: &[&str]) -> String {
    let args = ["pause", "main", "--for", "2h", "--reason", "the books are closed", "--by", "asha"];
    let (exit, text) = school.run(&[&args, more].concat()).await;
    assert_eq!(exit, Exit::Well, "{text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_kept_with_its_reason_and_ended_by_a_person() {
    let school = School::new().await;
    let text = pause(&school, &["--dry-run"]).await;
    assert!(text.starts_with("main would be paused until "), "{text}");
    assert_eq!(school.store.orders(&"main".parse().expect("a name"), None).await.expect("read").pause, None);

    let text = pause(&school, &[]).await;
    assert!(
        text.starts_with("main is paused until ") && text.contains(" IST: the books are closed"),
        "{text}"
    );
    assert!(text.contains("how many events wait is unknown: broker.url is not configured here"), "{text}");
    assert!(text.contains("How much more there is room for is unknown: no ingress answers at 127"), "{text}");
    let again = pause(&school, &[]).await;
    assert!(
        again.contains("instead of until ") && again.contains(" by asha: the books are closed"),
        "{again}"
    );

    let (_, text) = school.run(&["status"]).await;
    assert!(
        text.contains("  paused               until ") && text.contains(" IST by asha: the books"),
        "{text}"
    );
    let status = school.json(&["status", "--json"]).await;
    assert_eq!(status["targets"][0]["database"]["pause"]["by"], "asha");

    let (exit, text) = school.run(&["resume", "main", "--by", "binu"]).await;
    assert_eq!(exit, Exit::Well);
    assert!(text.starts_with("main goes on; it was paused until ") && text.contains("by asha"), "{text}");
    let (_, text) = school.run(&["resume", "main"]).await;
    assert_eq!(text, "main was not paused by anybody.\n");

    let history = "SELECT string_agg(who || ' ' || action, ', ' ORDER BY at) FROM jodo_history";
    assert_eq!(
        school.ask(history).await.split(", ").take(3).collect::<Vec<_>>(),
        ["asha pause", "asha pause", "binu resume"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_follows_a_pause_is_no_trouble_and_one_that_brakes_is() {
    let school = School::new().await;
    pause(&school, &[]).await;
    school.store.probe().await.expect("well");
    let name = "main".parse().expect("a name");
    let order = school.store.orders(&name, None).await.expect("read").pause.expect("a pause");
    school.store.report_pause(&order.to_string()).await.expect("reported");
    let (_, text) = school.run(&["status"]).await;
    assert!(!text.contains('✗'), "{text}");
    school.store.report_pause("too many events failed at once").await.expect("reported");
    let (_, text) = school.run(&["status"]).await;
    assert!(text.contains("is paused: too many events failed at once"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_target_is_not_paused() {
    let school = School::new().await;
    let args = ["pause", "other", "--for", "2h", "--reason", "x"];
    let error = run_with(school.config.path(), &args).await.expect_err("no such target");
    assert!(error.to_string().contains("erp.other is not configured; there is: main"), "{error}");
}
