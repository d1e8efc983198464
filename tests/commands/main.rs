//! The commands on events, on a real PostgreSQL with events in it, and where nothing can be reached.

#![expect(clippy::expect_used, reason = "a panic is the report")]

mod by_hand;
mod events;
mod explain;
mod health;
mod import;
mod operations;
mod pauses;
mod rebuild;
mod retention;
mod school;
mod unverified;
mod watching;

use std::io::Write as _;

use jodo_sync::Exit;
use jodo_worker::store::Store as _;
use tempfile::NamedTempFile;

use school::{PAID, School, run_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_migrated_once() {
    let school = School::new().await;
    let (exit, text) = school.run(&["migrate"]).await;
    assert_eq!(exit, Exit::Well);
    assert!(text.starts_with("main: nothing to do"), "{text}");
    let error =
        run_with(school.config.path(), &["migrate", "--target", "other"]).await.expect_err("no such target");
    assert!(error.to_string().contains("erp.other is not configured; there is: main"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_is_the_stores_own() {
    let school = School::new().await;
    school.apply(PAID).await;
    let (exit, text) = school.run(&["dump", "--canonical"]).await;
    assert_eq!(exit, Exit::Well);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines, school.store.dump().await.expect("a dump"));
    assert!(lines.iter().any(|line| line.starts_with("jodo_manual_payments\t")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_names_its_key() {
    let mut config = NamedTempFile::new().expect("a file");
    config.write_all(b"[ingress]\nlisten = 'hush'\n").expect("written");
    for args in [&["check"][..], &["status"], &["events", "list"], &["sign", "-"]] {
        let error = run_with(config.path(), args).await.expect_err("a wrong configuration");
        let error = format!("{error:#}");
        assert!(error.starts_with("--config "), "{error}");
        assert!(error.contains("ingress.listen") && !error.contains("hush"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_comes_with_the_curl_line_that_uses_it() {
    let school = School::with("header = { name = 'X-School', value = 'whisper' }").await;
    let file = NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "{}").expect("written");
    let name = file.path().to_str().expect("a path in UTF-8");
    let (exit, text) = school.run(&["sign", name]).await;
    assert_eq!(exit, Exit::Well);
    // printf '{}' | openssl dgst -sha256 -hmac hush
    let signature = "505c20ac604f662945b662a1f13a9ca2f03bf0b1986f505d5aef48e10da8c918";
    assert_eq!(text.lines().next(), Some(signature));
    for words in
        [signature, "'http://127.0.0.1:8080/webhooks/jodo'", &format!("'@{name}'"), "'x-school: <its value>'"]
    {
        assert!(text.lines().skip(1).any(|line| line.contains(words)), "{words} is not in\n{text}");
    }
    assert!(!text.contains("whisper"), "{text}");
}
