//! The deliveries of a run, made and signed ahead, so that sending them costs little.

use bytes::Bytes;
use fastrand::Rng;
use reqwest::header::HeaderValue;
use secrecy::SecretString;

use super::world::{Run, World};
use crate::signature::sign;

/// Makes the order of sending another sequence than that of the world, which has the same seed.
const ORDER: u64 = 0x6f72_6465_7200_0000;

/// One delivery.
pub(super) struct Delivery {
    pub(super) body: Bytes,
    pub(super) signature: Option<HeaderValue>,
}

/// Every delivery of a run, and the order in which they are sent.
pub(super) struct Deliveries {
    pub(super) all: Vec<Delivery>,
    /// Places in `all`; a place that comes twice is sent twice.
    pub(super) order: Vec<usize>,
}

impl Deliveries {
    /// Lets the run happen and signs what the sender would say of it; without a secret it stays unsigned.
    ///
    /// # Errors
    /// When a signature cannot stand in a header, which hexadecimal can.
    pub(super) fn make(run: Run, secret: Option<&SecretString>, order: Vec<usize>) -> anyhow::Result<Self> {
        let delivery = |body: String| {
            let signature = secret.map(|secret| HeaderValue::try_from(sign(secret, body.as_bytes())));
            Ok(Delivery { signature: signature.transpose()?, body: body.into() })
        };
        Ok(Self { all: World::new(run).map(delivery).collect::<anyhow::Result<_>>()?, order })
    }
}

/// An order of sending for this many events: as they happened, a share of them once more somewhat later, or all of
/// that shuffled. The same seed gives the same order.
pub(super) fn order(seed: u64, events: usize, duplicates: f64, shuffle: bool) -> Vec<usize> {
    let mut rng = Rng::with_seed(seed ^ ORDER);
    // After which event each is sent.
    let mut sent: Vec<_> = (0..events).map(|place| (place, place)).collect();
    for place in 0..events {
        if rng.f64() < duplicates {
            sent.push((rng.usize(place..events), place));
        }
    }
    if shuffle {
        rng.shuffle(&mut sent);
    } else {
        sent.sort_by_key(|(after, _)| *after);
    }
    sent.into_iter().map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_sent_and_a_share_of_them_twice() {
        for shuffle in [false, true] {
            let order = order(3, 10_000, 0.05, shuffle);
            assert_eq!(order, super::order(3, 10_000, 0.05, shuffle));
            let mut times = vec![0; 10_000];
            order.iter().for_each(|place| times[*place] += 1);
            assert!(times.iter().all(|times| (1..=2).contains(times)));
            assert!((400..600).contains(&(order.len() - 10_000)), "{}", order.len());
        }
        assert_eq!(order(3, 5, 0.0, false), [0, 1, 2, 3, 4]);
        assert_eq!(order(3, 50, 1.0, true).len(), 100);
    }

    #[test]
    fn without_shuffling_events_come_as_they_happened_and_repeats_after_them() {
        let order = order(3, 1_000, 0.2, false);
        let mut firsts = Vec::new();
        for place in &order {
            if !firsts.contains(place) {
                firsts.push(*place);
            }
        }
        assert!(firsts.is_sorted());
        let repeated = |window: &[usize]| window[0] == window[1];
        assert!(order.windows(2).filter(|window| repeated(window)).count() < 50, "not all at once");
    }

    #[test]
    fn a_delivery_is_signed_over_its_bytes() {
        let run = Run { seed: 3, events: 2, students: 1 };
        let secret = SecretString::from("hush");
        let signed = Deliveries::make(run, Some(&secret), vec![0, 1]).unwrap();
        for delivery in &signed.all {
            assert_eq!(delivery.signature.as_ref().unwrap(), &sign(&secret, &delivery.body));
        }
        assert!(Deliveries::make(run, None, Vec::new()).unwrap().all[0].signature.is_none());
    }
}
