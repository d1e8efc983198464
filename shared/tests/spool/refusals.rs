//! A disk that does not take everything.

use jodo_shared::broker::PublishError;
use jodo_shared::broker::spool::look;

use super::*;

/// Room for about a hundred messages of 1,000 bytes.
fn narrow() -> SpoolSettings {
    SpoolSettings { max_pages: Some(50), ..SpoolSettings::default() }
}

#[tokio::test]
async fn a_refused_message_is_an_error_and_the_next_one_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir, narrow());
    let sent = bodies(2);
    publish_all(&spool, &sent[..1]).await;
    let large = message(&target(), vec![b'x'; 1 << 20]);
    assert_eq!(spool.publish(&large).await, Err(PublishError::Disk));
    assert!(!spool.is_ready());
    publish_all(&spool, &sent[1..]).await;
    assert!(spool.is_ready());
    assert_eq!(take_and_settle(&mut spool.consumer(target()), 2).await, counted(&sent, 1));
}

#[tokio::test]
async fn of_many_publishers_those_that_were_refused_left_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir, narrow());
    let publishers = (0..250_u8).map(|n| {
        let spool = spool.clone();
        let message = message(&target(), vec![n; 1_000]);
        tokio::spawn(async move { (spool.publish(&message).await, message) })
    });
    let (mut taken_in, mut refused) = (Vec::new(), 0);
    for publisher in publishers.collect::<Vec<_>>() {
        match publisher.await.unwrap() {
            (Ok(()), message) => taken_in.push(message.key),
            (Err(error), _) => {
                assert_eq!(error, PublishError::Disk);
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
    // One by one, what fits goes in.
    let mut left = bodies(250).into_iter();
    while let Some(message) = left.next()
        && spool.publish(&message).await.is_ok()
    {
        taken_in.push(message.key);
    }
    drop(spool);
    // There is room again.
    let mut consumer = open(&dir, SpoolSettings::default()).consumer(target());
    let seen = take_and_settle(&mut consumer, taken_in.len()).await;
    let mut seen: Vec<_> = seen.into_iter().map(|(message, _)| message.key).collect();
    seen.sort_unstable();
    taken_in.sort_unstable();
    assert_eq!(seen, taken_in);
    let counts = look(dir.path()).unwrap().targets[&target()];
    assert_eq!((counts.waiting, counts.total), (0, taken_in.len() as u64));
}

#[tokio::test]
async fn readiness_comes_back_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir, narrow());
    let large = message(&target(), vec![b'x'; 1 << 20]);
    assert_eq!(spool.publish(&large).await, Err(PublishError::Disk));
    let ready = async {
        while !spool.is_ready() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, ready).await.unwrap();
}

#[tokio::test]
async fn a_new_file_that_cannot_be_begun_leaves_the_old_one_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(&dir, one_in_each_file());
    fs::create_dir(file(&dir, 2)).unwrap();
    publish_all(&spool, &bodies(3)).await;
    assert_eq!(take_and_settle(&mut spool.consumer(target()), 3).await, counted(&bodies(3), 1));
}
