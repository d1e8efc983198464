//! In which order the events of the office are sent.

use fastrand::Rng;

/// Makes the order of sending another sequence than that of the world, which has the same seed.
const ORDER: u64 = 0x6f72_6465_7200_0000;

/// An order of sending for this many events: as they happened, a share of them once more somewhat later, or all of
/// that shuffled. The same seed gives the same order.
pub fn order(seed: u64, events: usize, duplicates: f64, shuffle: bool) -> Vec<usize> {
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
}
