//! `unverified list`, `retry` and `discard`.

use jodo_sync::Exit;
use serde_json::json;

use crate::by_hand::until_applied;
use crate::school::{PAID, REGISTERED, School, changed, message};

/// What `jodo-sync sign` makes of a body, with the secret that the school has.
async fn signature(school: &School, body: &str) -> String {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), body).expect("written");
    let (_, text) = school.run(&["sign", file.path().to_str().expect("a path in UTF-8")]).await;
    text.lines().next().expect("a signature").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn held_deliveries_are_let_in_when_their_signature_is_good_now() {
    let school = School::new().await;
    let good = signature(&school, PAID).await;
    school.hold_signed(PAID, Some(&good)).await;
    school.hold_signed(REGISTERED, Some(&good)).await;
    let unsigned = changed(PAID, &[("/payload/payment/mode", json!("cash"))]);
    school.hold(&unsigned).await;
    let (exit, text) = school.run(&["unverified", "list"]).await;
    assert_eq!(exit, Exit::Well);
    for words in ["main: 3 deliveries are held.", &message(PAID).key.short(), "jodo", "wrong", "none"] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }

    let still = "  still held: 1 delivery with a signature that no secret of the source fits\n  \
                 still held: 1 delivery without a signature\n";
    let (_, text) = school.run(&["unverified", "retry", "--dry-run"]).await;
    let would = "main: 1 delivery would be let in.\n";
    assert_eq!(text, format!("{would}{still}This was a dry run: nothing has changed.\n"));
    let key = message(PAID).key.to_string();
    assert!(school.again().event(&key).await.expect("an answer").is_empty());

    let retry = ["unverified", "retry", "--by", "Asha", "--reason", "secret mended"];
    let (exit, text) = school.run(&retry).await;
    assert_eq!(exit, Exit::Well);
    assert_eq!(text, format!("main: 1 delivery let in, for a worker to decide now.\n{still}"));
    until_applied(school.again(), school.config.path(), &key).await;
    let (_, text) = school.run(&["events", "show", &key]).await;
    assert!(text.contains("by Asha: “secret mended”; it was held"), "{text}");
    let (_, text) = school.run(&["unverified", "list"]).await;
    assert!(text.starts_with("main: 2 deliveries are held."), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn held_deliveries_are_thrown_away_by_key() {
    let school = School::new().await;
    school.hold(PAID).await;
    school.hold(REGISTERED).await;
    let key = message(PAID).key.short();
    let discard = ["unverified", "discard", &key, "--reason", "a stranger's"];
    let (_, text) = school.run(&[&discard[..], &["--dry-run"]].concat()).await;
    assert!(text.starts_with("main: 1 delivery would be thrown away."), "{text}");
    let (exit, text) = school.run(&discard).await;
    assert_eq!((exit, text.as_str()), (Exit::Well, "main: 1 delivery thrown away.\n"));
    let (exit, text) = school.run(&discard).await;
    assert_eq!(exit, Exit::Wrong);
    assert!(text.contains(&format!("{key}: no held delivery has this key")), "{text}");
    let (_, text) = school.run(&["unverified", "list"]).await;
    assert!(
        text.contains("1 delivery is held.") && text.contains(&message(REGISTERED).key.short()),
        "{text}"
    );
}
