//! The sender: posts a history at a steady pace, to whichever ingress answers, and keeps what was answered.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jodo_shared::ids::DeliveryKey;
use jodo_test_support::school::Sent;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use crate::stage::{NEXT_SECRET, SECRET, Stage};

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Deliveries under way at once.
const AT_ONCE: usize = 64;

/// What the sender knows in the end.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What was answered 2xx: what we owe.
    pub(crate) accepted: HashSet<DeliveryKey>,
    /// Places in the history that were not.
    pub(crate) refused: Vec<usize>,
    /// When each request that was answered 2xx began, and how long that took.
    pub(crate) answers: Vec<(Instant, Duration)>,
}

impl Told {
    /// Longest time to a 2xx.
    pub(crate) fn longest_answer(&self) -> Duration {
        self.answers.iter().map(|(_, took)| *took).max().unwrap_or_default()
    }

    fn add(&mut self, index: usize, key: DeliveryKey, answer: Option<(Instant, Duration)>) {
        match answer {
            Some(answer) => {
                self.accepted.insert(key);
                self.answers.push(answer);
            }
            None => self.refused.push(index),
        }
    }
}

/// How far it is, and what others tell it.
#[derive(Default)]
pub(crate) struct Progress {
    sent: AtomicUsize,
    total: AtomicUsize,
    uses_next_secret: AtomicBool,
}

impl Progress {
    /// Waits until this share of the deliveries has been sent.
    pub(crate) async fn reaches(&self, share: f64) {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while (self.sent.load(Ordering::Relaxed) as f64) < share * self.total.load(Ordering::Relaxed) as f64 {
            ticks.tick().await;
        }
    }

    /// How many deliveries are still to be sent.
    pub(crate) fn left(&self) -> usize {
        self.total.load(Ordering::Relaxed).saturating_sub(self.sent.load(Ordering::Relaxed))
    }

    /// From now on the sender signs with the next secret.
    pub(crate) fn rotate_secret(&self) {
        self.uses_next_secret.store(true, Ordering::Relaxed);
    }
}

/// Starts to send `order` of the history, `per_second` deliveries a second.
pub(crate) fn start(
    stage: &Stage,
    history: &Arc<Vec<Sent>>,
    order: Vec<usize>,
    per_second: u32,
) -> (Arc<Progress>, JoinHandle<Told>) {
    let progress = Arc::new(Progress::default());
    progress.total.store(order.len(), Ordering::Relaxed);
    let (urls, history, seen) = (stage.urls.clone(), Arc::clone(history), Arc::clone(&progress));
    let sending = tokio::spawn(send(urls, history, order, per_second, seen));
    (progress, sending)
}

async fn send(
    urls: Vec<String>,
    history: Arc<Vec<Sent>>,
    order: Vec<usize>,
    per_second: u32,
    progress: Arc<Progress>,
) -> Told {
    let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("a client");
    let source = "jodo".parse().expect("a name");
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
    let (mut told, mut posts) = (Told::default(), JoinSet::new());
    for (turn, index) in order.into_iter().enumerate() {
        ticks.tick().await;
        let place = Arc::clone(&room).acquire_owned().await.expect("never closed");
        let sent = &history[index];
        let key = DeliveryKey::of(&source, sent.bytes.as_bytes());
        let secret = if progress.uses_next_secret.load(Ordering::Relaxed) { NEXT_SECRET } else { SECRET };
        let (signature, body) = (sent.signature(secret), sent.bytes.clone());
        let (client, urls) = (client.clone(), urls.clone());
        posts.spawn(async move {
            let answer = post(&client, &urls, turn, &signature, &body).await;
            drop(place);
            (index, key, answer)
        });
        progress.sent.fetch_add(1, Ordering::Relaxed);
        while let Some(Ok((index, key, answer))) = posts.try_join_next() {
            told.add(index, key, answer);
        }
    }
    while let Some(ended) = posts.join_next().await {
        let (index, key, answer) = ended.expect("a post does not panic");
        told.add(index, key, answer);
    }
    told
}

/// Posts one delivery to the replica whose turn it is; to the others, as a proxy in front of them would, only where no
/// connection comes about or it ends without an answer. How long it took when it was answered 2xx.
async fn post(
    client: &reqwest::Client,
    urls: &[String],
    turn: usize,
    signature: &str,
    body: &str,
) -> Option<(Instant, Duration)> {
    let started = Instant::now();
    for offset in 0..urls.len() {
        let url = &urls[(turn + offset) % urls.len()];
        let request = client.post(url).header("X-Jodo-Signature", signature).body(body.to_owned());
        match request.send().await {
            Ok(answer) => return answer.status().is_success().then(|| (started, started.elapsed())),
            Err(error) if error.is_timeout() => return None,
            Err(_) => {}
        }
    }
    None
}
