//! `retention run`, and events whose bodies are gone.

use jodo_sync::Exit;

use crate::school::{PAID, REGISTERED, School};

const LEFT: &str = "SELECT string_agg(outcome || ' ' || (body IS NULL) || ' ' || (body_removed_at IS NULL), ', ' \
                    ORDER BY delivery_key) FROM jodo_events";

#[tokio::test(flavor = "multi_thread")]
async fn old_bodies_of_finished_events_go_and_all_else_stays() {
    let school = School::new().await;
    let old = school.apply(PAID).await.to_string();
    school.apply(REGISTERED).await;
    school.hold(PAID).await;
    let dump = school.run(&["dump", "--canonical"]).await.1;
    school
        .execute(&format!(
            "UPDATE jodo_events SET received_at = '2020-06-02T05:00:00.000Z' WHERE delivery_key = '{old}'; \
             UPDATE jodo_unverified SET expires_at = '2020-06-02T05:00:00.000Z'; \
             INSERT INTO jodo_events (delivery_key, source, tenant, outcome, received_at, recorded_at, body) \
             SELECT n || repeat('f', 60), 'jodo', 'main', CASE n % 2 WHEN 0 THEN 'discarded' ELSE 'quarantined' END, \
             '2020-06-01T05:00:00.000Z', '2020-06-01T05:00:00.000Z', 'x' FROM generate_series(1000, 3999) n"
        ))
        .await;

    let (exit, text) = school.run(&["retention", "run", "--dry-run"]).await;
    assert_eq!(exit, Exit::Well);
    let said = "main: 1,501 bodies of finished events that came before ";
    assert!(
        text.starts_with(said) && text.contains("1 held delivery whose time is over would be removed"),
        "{text}"
    );
    assert_eq!(school.ask("SELECT count(*)::text FROM jodo_events WHERE body IS NULL").await, "0");

    let (_, text) = school.run(&["retention", "run", "--by", "asha"]).await;
    assert!(text.starts_with(said) && text.ends_with("whose time is over removed\n"), "{text}");
    let left = school.ask(LEFT).await;
    assert_eq!(left.matches("discarded true false").count(), 1_500);
    assert_eq!(left.matches("quarantined false true").count(), 1_500);
    assert_eq!(left.matches("applied true false").count(), 1);
    assert_eq!(left.matches("applied false true").count(), 1);
    assert_eq!(school.ask("SELECT count(*)::text FROM jodo_unverified").await, "0");
    let history = school.ask("SELECT who || ' ' || action || ' ' || was FROM jodo_history").await;
    assert!(history.starts_with("asha retention 1501 bodies from before "), "{history}");
    assert!(history.ends_with(", 1 held deliveries"), "{history}");

    let (_, text) = school.run(&["retention", "run"]).await;
    assert!(text.starts_with("main: 0 bodies"), "{text}");
    school.execute("DELETE FROM jodo_events WHERE length(delivery_key) < 65 AND body IS NOT NULL AND outcome <> 'applied'; \
                    DELETE FROM jodo_events WHERE outcome = 'discarded'").await;
    assert_eq!(school.run(&["dump", "--canonical"]).await.1, dump, "what they wrote is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_body_is_gone_is_still_shown_and_explained() {
    let school = School::new().await;
    let key = school.apply(PAID).await.to_string();
    school.execute("UPDATE jodo_events SET received_at = '2020-06-02T05:00:00.000Z'").await;
    school.run(&["retention", "run"]).await;
    let (exit, text) = school.run(&["events", "show", &key, "--body"]).await;
    assert_eq!(exit, Exit::Well);
    assert!(text.contains("  body              removed on 20"), "{text}");
    assert!(text.contains("What it wrote cannot be told: its body has been removed."), "{text}");
    let shown = school.json(&["events", "show", &key, "--json", "--body"]).await;
    assert!(shown[0]["body_removed_at"].is_string() && shown[0]["body_bytes"].is_null(), "{shown}");
    let (exit, text) = school.run(&["explain", "SRB/A/1190"]).await;
    assert_eq!(exit, Exit::Well);
    assert!(text.contains("What it wrote cannot be told: its body has been removed."), "{text}");
    // It is settled: the same delivery changes nothing, and does not bring the body back.
    school.apply(PAID).await;
    assert_eq!(school.ask("SELECT count(*)::text FROM jodo_events WHERE body IS NULL").await, "1");
}
