//! Ids seen: a cheap first filter for repeats. **It only names suspects; the database convicts.**
//!
//! Correctness rests on the primary key of `jodo_events` alone: with this memory gone, empty, stale or wrong, workers
//! do more work and come to the same rows.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use jodo_shared::config;
use jodo_shared::ids::DeliveryKey;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use secrecy::ExposeSecret as _;

/// How long a round trip may take: past it the batch goes on without.
const DEADLINE: Duration = Duration::from_millis(50);
/// How long Redis may take to connect and say that it is there.
const PING_DEADLINE: Duration = Duration::from_secs(5);

/// Remembers which deliveries were settled.
#[async_trait]
pub trait SeenIds: Send + Sync + 'static {
    /// Which of these may have been settled before.
    ///
    /// # Errors
    /// [`SeenError`]; the caller goes on as if none had been.
    async fn suspects(&self, keys: &[DeliveryKey]) -> Result<HashSet<DeliveryKey>, SeenError>;

    /// Remembers keys whose settled rows are committed.
    ///
    /// # Errors
    /// [`SeenError`]; the caller logs it and goes on.
    async fn mark(&self, keys: &[DeliveryKey]) -> Result<(), SeenError>;
}

/// The memory did not answer. Never a reason to hold a batch up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SeenError {
    /// No answer within the deadline.
    #[error("no answer in time")]
    Deadline,
    /// An error, or no connection.
    #[error("not reachable")]
    Unreachable,
}

/// No memory: every repeat is found by the database.
pub struct NoSeenIds;

#[async_trait]
impl SeenIds for NoSeenIds {
    async fn suspects(&self, _: &[DeliveryKey]) -> Result<HashSet<DeliveryKey>, SeenError> {
        Ok(HashSet::new())
    }

    async fn mark(&self, _: &[DeliveryKey]) -> Result<(), SeenError> {
        Ok(())
    }
}

/// Ids in Redis, each a key of its own with an expiry.
pub struct RedisSeenIds {
    connection: ConnectionManager,
    prefix: String,
    seconds: u64,
}

impl RedisSeenIds {
    /// A memory in the configured Redis; connects when first used and reconnects by itself.
    ///
    /// # Errors
    /// When the address cannot be used at all.
    pub fn new(redis: &config::Redis) -> Result<Self, redis::RedisError> {
        let client = redis::Client::open(redis.url.expose_secret())?;
        let settings = ConnectionManagerConfig::new()
            .set_max_delay(Duration::from_secs(2))
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(Duration::from_secs(2)));
        let connection = ConnectionManager::new_lazy_with_config(client, settings)?;
        Ok(Self { connection, prefix: redis.prefix.clone(), seconds: redis.remember.as_secs().max(1) })
    }

    /// Whether it answers at all; that it is too slow for a batch is counted where that happens.
    ///
    /// # Errors
    /// [`SeenError`] when it does not.
    pub async fn ping(&self) -> Result<(), SeenError> {
        let (ping, mut connection) = (redis::cmd("PING"), self.connection.clone());
        let answer = tokio::time::timeout(PING_DEADLINE, ping.exec_async(&mut connection)).await;
        answer.map_err(|_| SeenError::Deadline)?.map_err(|_| SeenError::Unreachable)
    }

    fn name(&self, key: &DeliveryKey) -> String {
        format!("{}{key}", self.prefix)
    }

    async fn query<T: redis::FromRedisValue>(&self, pipe: &redis::Pipeline) -> Result<T, SeenError> {
        let mut connection = self.connection.clone();
        let answer = tokio::time::timeout(DEADLINE, pipe.query_async(&mut connection)).await;
        answer.map_err(|_| SeenError::Deadline)?.map_err(|_| SeenError::Unreachable)
    }
}

#[async_trait]
impl SeenIds for RedisSeenIds {
    async fn suspects(&self, keys: &[DeliveryKey]) -> Result<HashSet<DeliveryKey>, SeenError> {
        if keys.is_empty() {
            return Ok(HashSet::new());
        }
        let names: Vec<_> = keys.iter().map(|key| self.name(key)).collect();
        let mut pipe = redis::pipe();
        pipe.mget(names);
        let (found,): (Vec<Option<String>>,) = self.query(&pipe).await?;
        Ok(keys.iter().zip(found).filter(|(_, mark)| mark.is_some()).map(|(key, _)| *key).collect())
    }

    async fn mark(&self, keys: &[DeliveryKey]) -> Result<(), SeenError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut pipe = redis::pipe();
        for key in keys {
            pipe.set_ex(self.name(key), 1, self.seconds).ignore();
        }
        self.query(&pipe).await
    }
}
