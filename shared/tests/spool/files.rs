//! When files begin and go, and what becomes of one that cannot be read.

use jodo_shared::broker::spool::look;

use super::*;

#[tokio::test]
async fn a_file_from_before_signatures_were_kept_serves_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut sent = bodies(3);
    sent[1].verified = false;
    let spool = open(&dir, settings());
    publish_all(&spool, &sent[..2]).await;
    spool.close().await;
    sql(&file(&dir, 1), "ALTER TABLE messages DROP COLUMN signature; UPDATE about SET form = 1");
    assert_eq!(look(dir.path()).unwrap().targets[&target()].waiting, 2, "as it is");
    let kept = jodo_shared::broker::spool::archive::kept_since(dir.path(), sent[0].received_at, true)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(kept.read(&kept.kept).unwrap(), sent[..2], "as it is");
    let spool = open(&dir, settings());
    sent[2].verified = false;
    sent[2].signature = "ab".repeat(32).parse().ok();
    publish_all(&spool, &sent[2..]).await;
    assert_eq!(take_and_settle(&mut spool.consumer(target()), 3).await, counted(&sent, 1));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_set_aside_and_the_rest_serves() {
    let dir = tempfile::tempdir().unwrap();
    let sent = bodies(3);
    publish_all(&open(&dir, one_in_each_file()), &sent).await;
    fs::write(file(&dir, 1), vec![b'x'; 9_000]).unwrap();
    // Its first page is good, and so it opens.
    spoil(&file(&dir, 3), 2);
    let spool = open(&dir, one_in_each_file());
    let mut consumer = spool.consumer(target());
    assert_eq!(take_and_settle(&mut consumer, 1).await, counted(&sent[1..2], 1));
    assert_eq!(names(dir.path(), ".db"), ["000002.db"]);
    publish_all(&spool, &sent[..1]).await;
    assert_eq!(take_and_settle(&mut consumer, 1).await, counted(&sent[..1], 1));
    // The number of a file that was set aside is not used again.
    assert_eq!(names(dir.path(), ".db"), ["000002.db", "000004.db"]);
    let look = look(dir.path()).unwrap();
    assert_eq!((look.files, look.corrupt_files), (2, 2));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_or_is_not_as_written_is_not_handed_out() {
    let dir = tempfile::tempdir().unwrap();
    let sent = bodies(4);
    publish_all(&open(&dir, one_in_each_file()), &sent).await;
    // The fourth page has the bodies.
    spoil(&file(&dir, 1), 4);
    sql(&file(&dir, 2), "UPDATE bodies SET body = x'00'");
    sql(&file(&dir, 3), "DELETE FROM bodies");
    let spool = open(&dir, SpoolSettings::default());
    assert_eq!(names(dir.path(), ".db").len(), 4, "noticed when they are read");
    let mut consumer = spool.consumer(target());
    assert_eq!(take_and_settle(&mut consumer, 1).await, counted(&sent[3..], 1));
    assert_eq!(names(dir.path(), ".db"), ["000004.db"]);
    assert_eq!(look(dir.path()).unwrap().corrupt_files, 3);
}

#[tokio::test]
async fn a_message_published_while_the_current_file_turns_out_corrupt_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let sent = bodies(2);
    publish_all(&open(&dir, settings()), &sent[..1]).await;
    spoil(&file(&dir, 1), 4);
    let spool = open(&dir, settings());
    publish_all(&spool, &sent[1..]).await;
    assert_eq!(names(dir.path(), ".db"), ["000002.db"]);
    assert_eq!(take_and_settle(&mut spool.consumer(target()), 1).await, counted(&sent[1..], 1));
}

#[tokio::test]
async fn a_new_file_begins_with_the_size_and_with_the_day() {
    let dir = tempfile::tempdir().unwrap();
    let small = SpoolSettings { max_file_bytes: 3_000, ..SpoolSettings::default() };
    publish_all(&open(&dir, small), &bodies(7)).await;
    assert_eq!(names(dir.path(), ".db"), ["000001.db", "000002.db", "000003.db"]);
    publish_all(&open(&dir, SpoolSettings::default()), &bodies(1)).await;
    assert_eq!(names(dir.path(), ".db").len(), 3);
    sql(&file(&dir, 3), "UPDATE about SET day = day - 1");
    publish_all(&open(&dir, SpoolSettings::default()), &bodies(2)).await;
    assert_eq!(names(dir.path(), ".db").len(), 4);
}

#[tokio::test]
async fn a_file_goes_when_all_of_it_has_been_settled_for_long_enough() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir, one_in_each_file());
    let mut consumer = spool.consumer(target());
    publish_all(&spool, &bodies(4)).await;
    let mut taken = take(&mut consumer, 4).await;
    let rest = taken.split_off(2);
    settle(&mut consumer, taken).await;
    forget(rest);
    drop((spool, consumer));
    drop(open(&dir, one_in_each_file()));
    assert_eq!(names(dir.path(), ".db").len(), 4, "not long enough");
    // Neither the two with unsettled messages, nor the newest.
    let spool = open(&dir, SpoolSettings { keep_settled: Duration::ZERO, ..one_in_each_file() });
    assert_eq!(names(dir.path(), ".db"), ["000003.db", "000004.db"]);
    let mut consumer = spool.consumer(target());
    take_and_settle(&mut consumer, 2).await;
    publish_all(&spool, &bodies(1)).await;
    assert_eq!(names(dir.path(), ".db"), ["000005.db"]);
    assert_eq!(names(dir.path(), "-wal"), ["000005.db-wal"]);
}
