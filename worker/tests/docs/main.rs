//! docs/EVENTS.md follows from the declarative table and the sender's samples; this is where it is made and compared.

#![expect(clippy::expect_used, reason = "a panic is the report")]

mod example;
mod families;
mod render;

use std::path::Path;

/// `make docs` sets it.
const WRITE: &str = "JODO_WRITE_DOCS";

#[tokio::test(flavor = "multi_thread")]
async fn docs_events_md_says_what_the_table_and_the_samples_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/EVENTS.md");
    let made = render::document().await;
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, made).expect("written");
        return;
    }
    let found = std::fs::read_to_string(&file).expect("docs/EVENTS.md");
    let differs = found.lines().zip(made.lines()).position(|(found, made)| found != made);
    assert!(found == made, "docs/EVENTS.md is stale from line {differs:?} on: run `make docs`");
}
