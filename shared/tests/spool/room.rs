//! How much the spool may take, what gives way, and the archive.

use jodo_shared::broker::PublishError;
use jodo_shared::broker::spool::look;
use jodo_shared::broker::spool::numbered::{numbered, open_lowest_free, orphans};

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn a_copy_in_the_archive_waits_for_nobody_and_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let sent = bodies(3);
    let spool = open(&dir, SpoolSettings::default());
    spool.archive(&sent[0]);
    publish_all(&spool, &sent[1..2]).await;
    spool.archive(&sent[2]);
    assert_eq!(take_and_settle(&mut spool.consumer(target()), 1).await, counted(&sent[1..2], 1));
    assert_eq!(spool.unsettled(), 0);
    spool.close().await;
    let look = look(dir.path()).unwrap();
    let mut keys: Vec<_> = look.settled_keys().map(|key| key.unwrap().1).collect();
    keys.sort();
    let mut expected: Vec<_> = sent.iter().map(|message| message.key).collect();
    expected.sort();
    assert_eq!(keys, expected);
    assert_eq!(open(&dir, SpoolSettings::default()).unsettled(), 0);
}

#[tokio::test]
async fn settled_files_give_way_before_a_message_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let sent = bodies(4);
    {
        let spool = open(&dir, one_in_each_file());
        publish_all(&spool, &sent[..3]).await;
        take_and_settle(&mut spool.consumer(target()), 2).await;
        spool.close().await;
    }
    assert_eq!(names(dir.path(), ".db").len(), 3);
    let bytes = look(dir.path()).unwrap().bytes;
    // Open files are larger than closed ones, so something has to go.
    let spool = open(&dir, SpoolSettings { max_bytes: Some(bytes), ..one_in_each_file() });
    publish_all(&spool, &sent[3..]).await;
    assert!(!names(dir.path(), ".db").contains(&"000001.db".to_owned()), "the oldest settled file is gone");
    assert_eq!(take_and_settle(&mut spool.consumer(target()), 2).await, counted(&sent[2..], 1));
}

#[tokio::test]
async fn a_full_spool_refuses_and_what_waits_in_it_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let sent = bodies(3);
    {
        let spool = open(&dir, one_in_each_file());
        publish_all(&spool, &sent[..2]).await;
        spool.close().await;
    }
    for settings in [
        SpoolSettings { max_bytes: Some(1), ..one_in_each_file() },
        SpoolSettings { min_free: u64::MAX, ..one_in_each_file() },
    ] {
        let spool = open(&dir, settings);
        assert_eq!(spool.publish(&sent[2]).await, Err(PublishError::Disk));
        assert!(!spool.is_ready());
        assert_eq!(spool.unsettled(), 2);
        spool.close().await;
    }
    let spool = open(&dir, one_in_each_file());
    assert_eq!(take_and_settle(&mut spool.consumer(target()), 2).await, counted(&sent[..2], 1));
}

#[tokio::test]
async fn who_keeps_for_ever_deletes_nothing_when_it_opens() {
    let dir = tempfile::tempdir().unwrap();
    {
        let spool = open(&dir, one_in_each_file());
        publish_all(&spool, &bodies(3)).await;
        take_and_settle(&mut spool.consumer(target()), 3).await;
        spool.close().await;
    }
    for (keep_settled, files) in [(Duration::MAX, 3), (Duration::ZERO, 1)] {
        open(&dir, SpoolSettings { keep_settled, ..one_in_each_file() }).close().await;
        assert_eq!(names(dir.path(), ".db").len(), files, "{keep_settled:?}");
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_opened_keeps_nobody_from_taking_another() {
    let dir = tempfile::tempdir().unwrap();
    let folders = ["0", "1", "2"].map(|name| dir.path().join(name));
    for folder in &folders[..2] {
        let spool = Spool::open(folder, settings()).unwrap();
        publish_all(&spool, &bodies(1)).await;
        spool.close().await;
    }
    sql(&folders[0].join("000001.db"), "UPDATE about SET form = 99");
    let spool = open_lowest_free(dir.path(), &settings()).unwrap();
    assert_eq!(spool.unsettled(), 1, "the second folder's");
    spool.close().await;
    assert_eq!(orphans(dir.path(), DAY).unwrap(), folders[..2], "the first, too: whoever opens it says why");
}

#[tokio::test]
async fn each_process_has_a_numbered_folder_and_an_orphan_is_found() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(numbered(&dir.path().join("none")).unwrap(), Vec::<PathBuf>::new());
    let first = open_lowest_free(dir.path(), &settings()).unwrap();
    let second = open_lowest_free(dir.path(), &settings()).unwrap();
    let folders = [dir.path().join("0"), dir.path().join("1")];
    assert_eq!(numbered(dir.path()).unwrap(), folders);
    publish_all(&first, &bodies(1)).await;
    assert_eq!(orphans(dir.path(), DAY).unwrap(), Vec::<PathBuf>::new(), "both are locked");
    first.close().await;
    second.close().await;
    assert_eq!(orphans(dir.path(), DAY).unwrap(), folders[..1], "nothing waits in the other");
    let again = open_lowest_free(dir.path(), &settings()).unwrap();
    assert_eq!(again.unsettled(), 1);
}
