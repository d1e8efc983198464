//! What the writer is asked to do, and what goes into one transaction.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::broker::{BatchLimits, Delivery, PublishError, SettleError};
use crate::ids::TargetName;
use crate::message::Message;

/// Most commands in one transaction. Too high: the first waits long; too low: more waits for the disk.
const GROUP_COMMANDS: usize = 1_000;
/// Most body bytes in one transaction.
const GROUP_BYTES: usize = 8 << 20;
/// How long copies gather when nothing else is asked for, since nobody waits for them. Too long: a crash leaves more of
/// them out, of deliveries that the broker has; too short: the disk is written to for each.
pub(super) const COPIES_GATHER: Duration = Duration::from_millis(50);

/// One thing to do. Its sender gets the reply after the commit.
pub(super) enum Command {
    Publish {
        message: Message,
        reply: oneshot::Sender<Result<(), PublishError>>,
    },
    /// Keep a copy of what is durable elsewhere; nobody waits for that.
    Archive {
        message: Message,
    },
    Take(Take),
    Settle(Settle),
    GiveBack(GiveBack),
    Close {
        reply: oneshot::Sender<()>,
    },
}

/// Hand out a batch. An empty one means that there is nothing any more: another consumer was quicker.
pub(super) struct Take {
    pub(super) target: TargetName,
    pub(super) epoch: u64,
    pub(super) limits: BatchLimits,
    pub(super) reply: oneshot::Sender<Result<Vec<Delivery>, Refused>>,
}

/// The disk did not take the hand-outs; what was asked for still waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused;

/// Mark as finished.
pub(super) struct Settle {
    pub(super) epoch: u64,
    pub(super) tags: Vec<u64>,
    pub(super) reply: oneshot::Sender<Result<(), SettleError>>,
}

/// End a consumer's session: what it has not settled waits again.
pub(super) struct GiveBack {
    pub(super) epoch: u64,
    /// What came to the consumer and was never returned by `next_batch`.
    pub(super) unseen: Vec<u64>,
    pub(super) reply: oneshot::Sender<()>,
}

/// What goes into one transaction.
#[derive(Default)]
pub(super) struct Group {
    /// Messages to insert, and who waits for each.
    pub(super) new: Vec<Message>,
    pub(super) publishers: Vec<oneshot::Sender<Result<(), PublishError>>>,
    /// Messages to keep.
    pub(super) archived: Vec<Message>,
    pub(super) takes: Vec<Take>,
    pub(super) settles: Vec<Settle>,
    pub(super) give_backs: Vec<GiveBack>,
    /// The last of all: nothing is taken after it.
    pub(super) close: Option<oneshot::Sender<()>>,
}

impl Group {
    /// `first`, and whatever is there already; as long as there are only copies, also what comes within `copies_gather`.
    pub(super) fn gather(first: Command, queued: &Receiver<Command>, copies_gather: Duration) -> Self {
        let until = Instant::now() + copies_gather;
        let mut group = Self::default();
        let mut bytes = group.add(first);
        for _ in 1..GROUP_COMMANDS {
            if bytes >= GROUP_BYTES || group.close.is_some() {
                break;
            }
            let wait = if group.is_awaited() { Duration::ZERO } else { until.duration_since(Instant::now()) };
            let Ok(next) = queued.recv_timeout(wait) else { break };
            bytes += group.add(next);
        }
        group
    }

    /// Whether somebody waits for its commit.
    fn is_awaited(&self) -> bool {
        let Self { new, publishers: _, archived: _, takes, settles, give_backs, close } = self;
        !(new.is_empty()
            && takes.is_empty()
            && settles.is_empty()
            && give_backs.is_empty()
            && close.is_none())
    }

    /// Returns how many body bytes came in.
    fn add(&mut self, command: Command) -> usize {
        match command {
            Command::Publish { message, reply } => {
                let bytes = message.body.len();
                self.new.push(message);
                self.publishers.push(reply);
                return bytes;
            }
            Command::Archive { message } => {
                let bytes = message.body.len();
                self.archived.push(message);
                return bytes;
            }
            Command::Take(take) => self.takes.push(take),
            Command::Settle(settle) => self.settles.push(settle),
            Command::GiveBack(give_back) => self.give_backs.push(give_back),
            Command::Close { reply } => self.close = Some(reply),
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::ids::DeliveryKey;
    use crate::message::Peeked;

    /// No test waits for its end.
    const FOR_EVER: Duration = Duration::from_secs(86_400);

    fn message() -> Message {
        let source = "jodo".parse().unwrap();
        Message {
            key: DeliveryKey::of(&source, b"{}"),
            source,
            tenant: "main".parse().unwrap(),
            target: "main".parse().unwrap(),
            received_at: jiff::Timestamp::UNIX_EPOCH,
            peeked: Peeked::default(),
            verified: true,
            signature: None,
            redrive: false,
            trace: None,
            body: "{}".into(),
        }
    }

    #[test]
    fn copies_gather_until_somebody_waits() {
        let (commands, queued) = channel();
        let later = std::thread::spawn(move || {
            for _ in 0..2 {
                commands.send(Command::Archive { message: message() }).unwrap();
            }
            let (reply, _) = oneshot::channel();
            commands.send(Command::Publish { message: message(), reply }).unwrap();
            // Still there: what ends the gathering is the publisher, and not that nobody is left.
            commands
        });
        let group = Group::gather(Command::Archive { message: message() }, &queued, FOR_EVER);
        assert_eq!((group.archived.len(), group.new.len()), (3, 1));
        later.join().unwrap();
    }

    #[test]
    fn who_waits_does_not_wait_for_copies() {
        let (_commands, queued) = channel();
        let (reply, _) = oneshot::channel();
        let group = Group::gather(Command::Close { reply }, &queued, FOR_EVER);
        assert!(group.close.is_some());
    }
}
