//! One handed-out message, which must end in exactly one settlement.

use crate::message::Message;

/// A message as handed out by a [`Consumer`](super::Consumer).
#[derive(Debug)]
#[must_use = "a delivery ends in `settle` or `give_back`"]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// How often it has been handed out, this time included; from 1.
    pub hand_outs: u32,
    /// What the broker needs to hear about it.
    pub receipt: Receipt,
}

/// The broker's handle of one handed-out message. Dropping it unspent is reported: the message comes again, but
/// somebody forgot it.
#[derive(Debug)]
#[must_use = "a receipt ends in `settle` or `give_back`"]
pub struct Receipt {
    tag: u64,
    epoch: u64,
    spent: bool,
}

impl Receipt {
    /// A receipt for the message that `tag` names within `epoch`, the implementation's number of its connection.
    pub fn new(tag: u64, epoch: u64) -> Self {
        Self { tag, epoch, spent: false }
    }

    /// The epoch it belongs to.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Uses the receipt up and returns its tag. For implementations of the broker seam.
    pub fn spend(mut self) -> u64 {
        self.spent = true;
        self.tag
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if !self.spent && !std::thread::panicking() {
            metrics::counter!(crate::metrics::DELIVERIES_DROPPED).increment(1);
            tracing::error!(
                message.tag = self.tag,
                "a delivery was dropped unsettled; the broker hands it out again"
            );
        }
    }
}
