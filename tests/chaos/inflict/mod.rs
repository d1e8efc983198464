//! How faults are inflicted, by what they are inflicted on.

pub(crate) mod broker;
pub(crate) mod clock;
pub(crate) mod database;
pub(crate) mod disk;
pub(crate) mod network;
pub(crate) mod process;
pub(crate) mod redis;

use tokio::time::{Duration, sleep};

/// Lets a fault last. The only waits without a condition: what is waited for is the fault itself.
async fn last(lasting: Duration) {
    sleep(lasting).await;
}
