//! `import`.

use jodo_shared::ids::DeliveryKey;
use jodo_sync::Exit;
use jodo_worker::store::Store as _;

use crate::by_hand::{small_school, until_applied};
use crate::school::{PAID, School, message, run_with};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_from_a_failure_mail_is_applied_and_says_who_brought_it() {
    let school = School::new().await;
    let file = tempfile::NamedTempFile::new().expect("a file");
    let name = file.path().to_str().expect("a path in UTF-8");
    std::fs::write(file.path(), format!("{PAID}\n")).expect("written");
    let key = DeliveryKey::of(&"jodo".parse().expect("a name"), PAID.trim().as_bytes()).to_string();
    let import = ["import", name, "--source", "jodo", "--by", "Asha", "--reason", "mail of Monday"];
    let (exit, text) = school.run(&[&import[..], &["--dry-run"]].concat()).await;
    let would = "main: 1 event would be brought in.\nThis was a dry run: nothing has changed.\n";
    assert_eq!((exit, text.as_str()), (Exit::Well, would));
    assert!(school.again().event(&key).await.expect("an answer").is_empty());

    // Its delivery is held: as an event it is held no longer.
    school.hold(PAID.trim()).await;
    let (exit, text) = school.run(&import).await;
    assert_eq!(
        (exit, text.as_str()),
        (Exit::Well, "main: 1 event brought in, for a worker to decide now.\n")
    );
    assert_eq!(school.json(&["status", "--json"]).await["targets"][0]["database"]["held"], 0);
    until_applied(school.again(), school.config.path(), &key).await;
    let (_, text) = school.run(&["events", "show", &key]).await;
    for words in ["brought in by     Asha, by hand", "by Asha: “mail of Monday”"] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    let body = school.again().event(&key).await.expect("an answer").remove(0).body;
    assert_eq!(body.as_deref(), Some(PAID.trim().as_bytes()));
    // Jodo delivers it after all: nothing more happens.
    let dump = school.store.dump().await.expect("a dump");
    school.apply(PAID.trim()).await;
    assert_eq!(school.store.dump().await.expect("a dump"), dump);
    let (_, text) = school.run(&import).await;
    assert!(text.contains(&format!("left alone:\n  {}", &key[..16])), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_brought_in_together_or_not_at_all() {
    let (folder, config, store) = small_school().await;
    let file = folder.path().join("events.jsonl");
    let name = file.to_str().expect("a path in UTF-8");
    std::fs::write(&file, "{\"event\":\"a\"}\n\n{\"event\":\"b\"}\n{\"event\":\"a\"}\noops\n")
        .expect("written");
    let import = ["import", name, "--source", "jodo"];
    let error = run_with(&config, &import).await.expect_err("no JSON");
    assert!(format!("{error:#}").contains("line 5: this is no event"), "{error:#}");
    let key = message("{\"event\":\"a\"}").key.to_string();
    assert!(store.event(&key).await.expect("an answer").is_empty());
    std::fs::write(&file, "{\"event\":\"a\"}\n\n{\"event\":\"b\"}\n{\"event\":\"a\"}\n").expect("written");
    let (_, text) = run_with(&config, &import).await.expect("no error");
    assert!(text.starts_with("main: 2 events brought in"), "{text}");
    let history = store.history(&key).await.expect("an answer");
    assert!(history.len() == 1 && history[0].who.contains('@'), "{history:?}");
    let error = run_with(&config, &["import", name, "--source", "other"]).await.expect_err("no such source");
    assert!(format!("{error:#}").contains("sources.other is not configured"), "{error:#}");
}
