//! An ingress of a test's own, and the publisher behind it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use hmac::{Hmac, KeyInit, Mac};
use jodo_ingress::serve;
use jodo_shared::broker::{PublishError, Publisher};
use jodo_shared::config::{Config, Needs};
use jodo_shared::lifecycle::Shutdown;
use jodo_shared::message::Message;
use jodo_shared::traces::Traces;
use sha2::Sha256;
use tokio::sync::watch;

use crate::client::{Answer, Request};

/// Ends a wait for something that should have happened long ago.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// The secret of the source that [`Ingress::start`] configures unless told otherwise.
pub const SECRET: &str = "today's secret";
/// Where that source is delivered to.
pub const PATH: &str = "/webhooks/jodo";
/// A delivery as the sender writes it.
pub const BODY: &[u8] = include_bytes!("../../../tests/fixtures/events/direct.payment.added.json");

/// A running ingress. It stops when dropped.
pub struct Ingress {
    pub address: SocketAddr,
    pub publisher: Arc<Hand>,
    pub config: Config,
    pub shutdown: Shutdown,
}

impl Ingress {
    /// One with a source `jodo` that has [`SECRET`] and nothing else.
    pub fn start() -> Self {
        Self::with(&format!("[sources.jodo]\nsecrets = [\"{SECRET}\"]"))
    }

    /// One with this configuration; addresses and the broker's URL need not be in it.
    pub fn with(toml: &str) -> Self {
        let overrides = [
            ("JODO_SYNC__INGRESS__LISTEN", "127.0.0.1:0"),
            ("JODO_SYNC__INGRESS__PRIVATE_LISTEN", "127.0.0.1:0"),
            ("JODO_SYNC__BROKER__URL", "amqp://127.0.0.1:1/%2f"),
        ];
        let config = Config::from_parts(Needs::Ingress, Some(toml), overrides).unwrap();
        let (publisher, shutdown) = (Arc::new(Hand::default()), Shutdown::new());
        let traces = Traces::start(&config.traces, "jodo-ingress").unwrap();
        let address =
            serve(&config, Arc::clone(&publisher) as Arc<dyn Publisher>, traces, &shutdown).unwrap();
        Self { address, publisher, config, shutdown }
    }

    /// Sends one request on a connection of its own.
    pub async fn send(&self, request: Request) -> Answer {
        request.send(self.address).await
    }
}

impl Drop for Ingress {
    fn drop(&mut self) {
        self.shutdown.token().cancel();
    }
}

/// A delivery of `body`, signed with `secret`.
pub fn signed(secret: &str, body: &[u8]) -> Request {
    Request::post(PATH).header("X-Jodo-Signature", &sign(secret, body)).body(body)
}

/// The signature of `body`: lower-case hexadecimal.
pub fn sign(secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hex::encode(mac.chain_update(body).finalize().into_bytes())
}

/// Waits for `future`, but not for ever.
pub async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(DEADLINE, future).await.expect("it should have happened long ago")
}

/// A publisher that does what the test says: takes, holds back, or fails.
pub struct Hand {
    begun: watch::Sender<usize>,
    open: watch::Sender<bool>,
    failing: Mutex<Option<PublishError>>,
    broken: AtomicBool,
    taken: watch::Sender<Vec<Message>>,
}

impl Default for Hand {
    fn default() -> Self {
        let (begun, open, taken) =
            (watch::Sender::new(0), watch::Sender::new(true), watch::Sender::new(vec![]));
        Self { begun, open, failing: Mutex::default(), broken: AtomicBool::default(), taken }
    }
}

impl Hand {
    /// From now on publishing waits for [`release`](Self::release).
    pub fn hold_back(&self) {
        self.open.send_replace(false);
    }

    /// Lets everything held back go on.
    pub fn release(&self) {
        self.open.send_replace(true);
    }

    /// From now on publishing fails, or no more.
    pub fn fail(&self, error: Option<PublishError>) {
        *self.failing.lock().unwrap() = error;
    }

    /// From now on publishing panics.
    pub fn break_down(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    /// Waits until `count` publishings have begun.
    pub async fn begun(&self, count: usize) {
        soon(self.begun.subscribe().wait_for(|begun| *begun >= count)).await.unwrap();
    }

    /// Waits for `count` messages and returns all.
    pub async fn taken(&self, count: usize) -> Vec<Message> {
        soon(self.taken.subscribe().wait_for(|taken| taken.len() >= count)).await.unwrap().clone()
    }

    /// The messages taken until now.
    pub fn taken_now(&self) -> Vec<Message> {
        self.taken.borrow().clone()
    }
}

#[async_trait]
impl Publisher for Hand {
    async fn publish(&self, message: &Message) -> Result<(), PublishError> {
        self.begun.send_modify(|begun| *begun += 1);
        let opened = self.open.subscribe().wait_for(|open| *open).await.is_ok();
        assert!(opened, "the gate is in the same struct");
        assert!(!self.broken.load(Ordering::Relaxed), "the bug that a test asked for");
        if let Some(error) = *self.failing.lock().unwrap() {
            return Err(error);
        }
        self.taken.send_modify(|taken| taken.push(message.clone()));
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.failing.lock().unwrap().is_none()
    }
}
