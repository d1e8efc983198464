//! Which acknowledgements may be sent: one may cover several deliveries only when all of them are settled.

use std::collections::BTreeSet;

/// One `basic.ack`: <https://www.rabbitmq.com/docs/confirms#consumer-acks-multiple-parameter>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ack {
    /// The delivery tag.
    pub(super) tag: u64,
    /// Whether it covers every lower tag of the channel that is not acknowledged yet.
    pub(super) multiple: bool,
}

/// The deliveries of one channel that are not settled yet.
#[derive(Debug, Default)]
pub(super) struct Acks {
    outstanding: BTreeSet<u64>,
}

impl Acks {
    /// A delivery came in. From now on no acknowledgement of a higher tag covers it until it is settled.
    pub(super) fn received(&mut self, tag: u64) {
        self.outstanding.insert(tag);
    }

    /// Whether every delivery is settled.
    pub(super) fn is_empty(&self) -> bool {
        self.outstanding.is_empty()
    }

    /// Settles these deliveries and returns what to send, in this order. A tag that is not outstanding is passed
    /// over: acknowledging one twice would make the broker close the channel.
    pub(super) fn settle(&mut self, tags: impl IntoIterator<Item = u64>) -> Vec<Ack> {
        let settled: BTreeSet<u64> = tags.into_iter().filter(|tag| self.outstanding.remove(tag)).collect();
        let lowest_outstanding = self.outstanding.first().copied().unwrap_or(u64::MAX);
        let covered = settled.range(..lowest_outstanding).next_back().map(|&tag| Ack { tag, multiple: true });
        let single = settled.range(lowest_outstanding..).map(|&tag| Ack { tag, multiple: false });
        covered.into_iter().chain(single).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The broker's side of it, as its documentation has it.
    #[derive(Default)]
    struct Broker {
        unacknowledged: BTreeSet<u64>,
    }

    impl Broker {
        fn on_ack(&mut self, ack: Ack) {
            assert!(
                self.unacknowledged.contains(&ack.tag),
                "unknown delivery tag: the channel would be closed"
            );
            self.unacknowledged.retain(|&tag| if ack.multiple { tag > ack.tag } else { tag != ack.tag });
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Receive,
        /// Settles the outstanding tags at these positions.
        Settle(Vec<prop::sample::Index>),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => Just(Step::Receive),
            1 => prop::collection::vec(any::<prop::sample::Index>(), 0..8).prop_map(Step::Settle),
        ]
    }

    proptest! {
        #[test]
        fn exactly_the_settled_deliveries_are_acknowledged_and_each_once(
            steps in prop::collection::vec(step(), 0..80),
        ) {
            let (mut acks, mut broker) = (Acks::default(), Broker::default());
            let mut unsettled = Vec::new();
            for (tag, step) in (1..).zip(steps) {
                match step {
                    Step::Receive => {
                        acks.received(tag);
                        broker.unacknowledged.insert(tag);
                        unsettled.push(tag);
                    }
                    Step::Settle(picks) if !unsettled.is_empty() => {
                        let tags: Vec<u64> = picks.iter().map(|pick| *pick.get(&unsettled)).collect();
                        unsettled.retain(|tag| !tags.contains(tag));
                        for ack in acks.settle(tags) {
                            broker.on_ack(ack);
                        }
                    }
                    Step::Settle(_) => {}
                }
                prop_assert_eq!(&broker.unacknowledged, &unsettled.iter().copied().collect());
            }
        }
    }

    #[test]
    fn a_whole_batch_is_one_acknowledgement() {
        let mut acks = Acks::default();
        (1..=500).for_each(|tag| acks.received(tag));
        assert_eq!(acks.settle(1..=500), [Ack { tag: 500, multiple: true }]);
        assert_eq!(acks.settle([7]), []);
    }

    #[test]
    fn what_lies_above_an_unsettled_delivery_is_acknowledged_one_by_one() {
        let mut acks = Acks::default();
        (1..=5).for_each(|tag| acks.received(tag));
        let single = |tag| Ack { tag, multiple: false };
        assert_eq!(acks.settle([1, 2, 4]), [Ack { tag: 2, multiple: true }, single(4)]);
        assert_eq!(acks.settle([3, 5]), [Ack { tag: 5, multiple: true }]);
    }
}
