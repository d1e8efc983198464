//! The broker's conformance suite, for the test double, the spool and RabbitMQ.

#![expect(clippy::unwrap_used, reason = "a panic is the report")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jodo_shared::broker::amqp::topology::{dead_letter_queue_name, queue_name};
use jodo_shared::broker::amqp::{AmqpConsumer, AmqpPublisher};
use jodo_shared::broker::conformance::Factory;
use jodo_shared::broker::memory::MemoryBroker;
use jodo_shared::broker::spool::{Spool, SpoolSettings};
use jodo_shared::broker::{Consumer, Publisher};
use jodo_shared::ids::TargetName;
use jodo_test_support::{FaultProxy, Services, unique_name};
use lapin::options::QueueDeleteOptions;
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

jodo_shared::broker_conformance!(memory, async { InMemory::default() });
jodo_shared::broker_conformance!(spool, async { OnDisk::new() });
jodo_shared::broker_conformance!(amqp, RabbitMq::new());

#[derive(Default)]
struct InMemory(MemoryBroker);

#[async_trait]
impl Factory for InMemory {
    fn target(&self) -> TargetName {
        "main".parse().unwrap()
    }

    async fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(self.0.clone())
    }

    async fn consumer(&self) -> Box<dyn Consumer> {
        Box::new(self.0.consumer(self.target()))
    }

    async fn cut(&self) {
        self.0.cut();
    }

    async fn delete_queue(&self) {
        self.0.delete_queue(&self.target());
    }
}

/// A spool in a folder of its own.
struct OnDisk {
    dir: TempDir,
    spool: Mutex<Spool>,
}

impl OnDisk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(dir.path(), SpoolSettings::default()).unwrap();
        Self { dir, spool: Mutex::new(spool) }
    }
}

#[async_trait]
impl Factory for OnDisk {
    fn target(&self) -> TargetName {
        "main".parse().unwrap()
    }

    async fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(self.spool.lock().await.clone())
    }

    async fn consumer(&self) -> Box<dyn Consumer> {
        Box::new(self.spool.lock().await.consumer(self.target()))
    }

    /// Ends the spool, and goes on with what is on disk.
    async fn cut(&self) {
        let mut spool = self.spool.lock().await;
        spool.close().await;
        *spool = Spool::open(self.dir.path(), SpoolSettings::default()).unwrap();
    }

    async fn delete_queue(&self) {}

    fn skips(&self, case: &str) -> Option<&'static str> {
        match case {
            "a_cut_connection_hands_out_again_and_makes_receipts_void" => {
                Some("there is no connection; a consumer ends with its spool")
            }
            "a_missing_queue_is_an_error_and_then_mended" | "a_deleted_queue_is_consumed_from_again" => {
                Some("a spool has no queues that could be deleted")
            }
            _ => None,
        }
    }
}

/// The run's RabbitMQ, behind a wire of this test's own.
struct RabbitMq {
    url: &'static str,
    proxy: FaultProxy,
    target: TargetName,
}

impl RabbitMq {
    async fn new() -> Self {
        let url = Services::from_env().amqp_url().await;
        let target = unique_name("conformance").parse().unwrap();
        Self { url, proxy: FaultProxy::in_front_of(url).await, target }
    }

    fn rerouted(&self) -> SecretString {
        self.proxy.reroute(self.url).into()
    }

    async fn delete(&self, queue: String) {
        let connection =
            lapin::Connection::connect(self.url, lapin::ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }
}

#[async_trait]
impl Factory for RabbitMq {
    fn target(&self) -> TargetName {
        self.target.clone()
    }

    async fn publisher(&self) -> Arc<dyn Publisher> {
        let patient = Duration::from_secs(30);
        let publisher =
            AmqpPublisher::start(self.rerouted(), vec![self.target()], patient, CancellationToken::new());
        tokio::time::timeout(patient, publisher.until_connected()).await.unwrap();
        Arc::new(publisher)
    }

    async fn consumer(&self) -> Box<dyn Consumer> {
        Box::new(AmqpConsumer::new(self.rerouted(), self.target(), 50, CancellationToken::new()))
    }

    async fn cut(&self) {
        self.proxy.cut().await;
        self.proxy.heal().await;
    }

    async fn delete_queue(&self) {
        self.delete(queue_name(&self.target)).await;
    }

    async fn clean_up(&self) {
        self.delete(queue_name(&self.target)).await;
        self.delete(dead_letter_queue_name(&self.target)).await;
    }
}
