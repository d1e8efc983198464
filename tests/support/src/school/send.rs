//! The sender's part.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use fastrand::Rng;
use futures_util::{StreamExt as _, stream};

use super::Sent;

/// How many answers of each kind there were: a status line, or what went wrong on the way.
pub type Answers = BTreeMap<String, usize>;

/// An order of sending: each index below `count` once, a share of them twice, shuffled. The same seed gives the same
/// order.
pub fn shuffled_with_repeats(seed: u64, count: usize, repeats: f64) -> Vec<usize> {
    let mut rng = Rng::with_seed(seed);
    let again: Vec<_> = (0..count).filter(|_| rng.f64() < repeats).collect();
    let mut order: Vec<_> = (0..count).chain(again).collect();
    rng.shuffle(&mut order);
    order
}

/// Posts deliveries in this order, signed, `connections` at once, and counts the answers.
///
/// # Errors
///
/// When there can be no HTTP client.
pub async fn send(
    url: &str,
    secret: &str,
    history: &[Sent],
    order: &[usize],
    connections: usize,
) -> anyhow::Result<Answers> {
    let mut answers = Answers::new();
    for (_, answer) in send_each(url, secret, history, order, connections).await? {
        *answers.entry(answer).or_default() += 1;
    }
    Ok(answers)
}

/// The same, and tells the answer to each delivery, by its place in the history.
///
/// # Errors
///
/// When there can be no HTTP client.
pub async fn send_each(
    url: &str,
    secret: &str,
    history: &[Sent],
    order: &[usize],
    connections: usize,
) -> anyhow::Result<Vec<(usize, String)>> {
    // TLS needs a provider, though these tests speak plain HTTP; an error means that there is one.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        rustls::crypto::ring::default_provider().install_default().ok();
    }
    let client =
        reqwest::Client::builder().timeout(Duration::from_secs(60)).build().context("HTTP client")?;
    let posts = stream::iter(order).map(|&index| {
        let sent = &history[index];
        let request =
            client.post(url).header("X-Jodo-Signature", sent.signature(secret)).body(sent.bytes.clone());
        async move {
            let answer = request.send().await;
            (index, answer.map_or_else(|error| error.to_string(), |answer| answer.status().to_string()))
        }
    });
    Ok(posts.buffer_unordered(connections).collect().await)
}
