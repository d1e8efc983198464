//! What others can see and copy while the spool is in use.

use std::collections::BTreeSet;

use jodo_shared::broker::spool::{SpoolError, backup, look};

use super::*;

#[tokio::test]
async fn a_look_counts_what_waits_and_names_what_is_settled() {
    let parent = tempfile::tempdir().unwrap();
    // Names that mean something in a URI.
    let dir = parent.path().join("a%20b?mode=rw#c d");
    let spool =
        Spool::open(&dir, SpoolSettings { max_file_bytes: 3_000, ..SpoolSettings::default() }).unwrap();
    assert!(look(&dir).unwrap().targets.is_empty());
    let sent = bodies(9);
    publish_all(&spool, &sent).await;
    let mut consumer = spool.consumer(target());
    take_and_settle(&mut consumer, 4).await;
    let held = take(&mut consumer, 2).await;

    let seen = look(&dir).unwrap();
    let counts = seen.targets[&target()];
    assert_eq!((counts.waiting, counts.total), (5, 9));
    assert_eq!(counts.oldest_waiting, Some(sent[0].received_at));
    assert_eq!((seen.files, seen.corrupt_files), (3, 0));
    assert!(seen.bytes > 9_000);
    let named = |messages: &[Message]| -> BTreeSet<_> {
        messages.iter().map(|message| (target(), message.key)).collect()
    };
    let settled: Result<BTreeSet<_>, _> = seen.settled_keys().collect();
    assert_eq!(settled.unwrap(), named(&sent[..4]));
    assert_eq!(seen.waiting_keys().unwrap(), named(&sent[4..]));

    settle(&mut consumer, held).await;
    drop((spool, consumer));
    assert_eq!(look(&dir).unwrap().targets[&target()].waiting, 3, "also when it is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_up_is_a_whole_spool_though_the_first_one_goes_on() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let spool = open(&dir, SpoolSettings { max_file_bytes: 20_000, ..SpoolSettings::default() });
    let before = bodies(50);
    publish_all(&spool, &before).await;
    let publishing = {
        let spool = spool.clone();
        tokio::spawn(async move {
            for n in 0..u64::MAX {
                let message = message(&target(), n.to_be_bytes().repeat(100));
                assert_eq!(spool.publish(&message).await, Ok(()));
            }
        })
    };
    let copy = to.path().join("copy");
    let (from, into) = (dir.path().to_owned(), copy.clone());
    let copied = tokio::task::spawn_blocking(move || backup(&from, &into)).await.unwrap().unwrap();
    publishing.abort();
    assert_eq!(copied.set_aside, 0);
    assert_eq!(names(&copy, "").len(), copied.files, "nothing beside the files");

    let second = Spool::open(&copy, SpoolSettings::default()).unwrap();
    let waiting = look(&copy).unwrap().targets[&target()].waiting;
    assert!(waiting >= 50);
    let seen = take_and_settle(&mut second.consumer(target()), usize::try_from(waiting).unwrap()).await;
    assert_eq!(seen[..50], counted(&before, 1));
    assert!(matches!(backup(dir.path(), &copy), Err(SpoolError::Exists)));
}

#[tokio::test]
async fn a_folder_is_one_spool_s_until_that_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir, SpoolSettings::default());
    let second = Spool::open(dir.path(), SpoolSettings::default());
    assert!(matches!(second, Err(SpoolError::InUse)));
    spool.close().await;
    spool.until_ended().await;
    Spool::open(dir.path(), SpoolSettings::default()).unwrap();
}

#[tokio::test]
async fn messages_for_a_target_that_nobody_works_for_are_named() {
    let dir = tempfile::tempdir().unwrap();
    publish_all(&open(&dir, SpoolSettings::default()), &bodies(3)).await;
    let look = look(dir.path()).unwrap();
    assert_eq!(look.stranded([&target()]), []);
    assert_eq!(look.stranded([&"elsewhere".parse().unwrap()]), [(target(), 3)]);
}

#[tokio::test]
async fn what_was_set_aside_is_in_the_back_up_as_it_is() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    publish_all(&open(&dir, SpoolSettings::default()), &bodies(3)).await;
    fs::write(file(&dir, 1), vec![b'x'; 9_000]).unwrap();
    drop(open(&dir, SpoolSettings::default()));
    let aside = names(dir.path(), "").into_iter().find(|name| name.contains(".corrupt-")).unwrap();
    let copied = backup(dir.path(), to.path()).unwrap();
    assert!(copied.set_aside >= 1);
    assert_eq!(fs::read(to.path().join(aside)).unwrap(), vec![b'x'; 9_000]);
}
