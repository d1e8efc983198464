//! What every implementation of the broker seam must do.
//!
//! [`broker_conformance!`](crate::broker_conformance) makes a test of each case, so that a new case reaches every
//! implementation; what an implementation cannot be asked is [`Factory::skips`], with the reason.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Consumer, Publisher};
use crate::ids::{DeliveryKey, TargetName};
use crate::message::{Message, Peeked};

mod batches;
mod settling;
mod steps;

pub use batches::*;
pub use settling::*;

/// One implementation, and a target that no other test has.
#[async_trait]
pub trait Factory: Sync {
    /// The target that the test's messages are for.
    fn target(&self) -> TargetName;
    /// A publisher that is ready.
    async fn publisher(&self) -> Arc<dyn Publisher>;
    /// A consumer of the target.
    async fn consumer(&self) -> Box<dyn Consumer>;
    /// Cuts all connections; they can be made again at once.
    async fn cut(&self);
    /// Deletes the target's queue with what is in it.
    async fn delete_queue(&self);
    /// Why this implementation cannot be asked to do this case, if so.
    fn skips(&self, _case: &str) -> Option<&'static str> {
        None
    }
    /// Removes what the test leaves behind.
    async fn clean_up(&self) {}
}

/// Makes a module of tests: every conformance case for the implementation that the second argument makes, an
/// expression of a future of a [`Factory`].
#[macro_export]
macro_rules! broker_conformance {
    ($name:ident, $factory:expr) => {
        $crate::broker_conformance!(@cases $name, $factory,
            bodies_arrive_untouched
            every_field_arrives
            what_was_published_outlives_publisher_and_consumer
            a_batch_ends_at_its_count
            a_batch_ends_at_its_bytes
            a_batch_ends_when_nothing_more_comes
            a_message_larger_than_the_limit_comes_alone
            settled_messages_do_not_come_again
            what_is_given_back_comes_again_and_is_counted
            what_a_dropped_consumer_held_comes_again
            cancelling_next_batch_loses_nothing
            some_of_a_batch_can_be_settled
            a_cut_connection_hands_out_again_and_makes_receipts_void
            a_missing_queue_is_an_error_and_then_mended
            a_deleted_queue_is_consumed_from_again
            two_consumers_share_the_work
        );
    };
    (@cases $name:ident, $factory:expr, $($case:ident)+) => {
        mod $name {
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    let factory = $factory.await;
                    match $crate::broker::conformance::Factory::skips(&factory, stringify!($case)) {
                        Some(reason) => eprintln!("skipped: {reason}"),
                        None => $crate::broker::conformance::$case(&factory).await,
                    }
                    $crate::broker::conformance::Factory::clean_up(&factory).await;
                }
            )+
        }
    };
}

/// A message for `target` with this body and nothing special.
pub fn message(target: &TargetName, body: impl Into<Vec<u8>>) -> Message {
    let source = parsed("jodo");
    let body = body.into();
    Message {
        key: DeliveryKey::of(&source, &body),
        source,
        tenant: parsed("main"),
        target: target.clone(),
        received_at: Timestamp::from_millisecond(1_785_753_715_040).unwrap_or_default(),
        peeked: Peeked::default(),
        verified: true,
        signature: None,
        redrive: false,
        trace: None,
        body: body.into(),
    }
}

/// A test's own constants are in order.
fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}
