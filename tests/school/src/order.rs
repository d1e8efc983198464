//! In which order the events of a school year are sent.

use fastrand::Rng;

/// Makes the order of sending another sequence than that of the year, which has the same seed.
const ORDER: u64 = 0x6f72_6465_7200_0001;

const HOUR: i64 = 3_600;
/// How long the sender waits before its first and before its second repetition.
const REPEATS: (i64, i64) = (6 * HOUR, 24 * HOUR);

/// An order of sending for events that happened at these seconds, as places among them: each a few seconds after it
/// happened, or hours later when the first attempts failed; a share of them once more; or all of that shuffled. The
/// same seed gives the same order.
pub fn order(seed: u64, times: &[i64], duplicates: f64, shuffle: bool) -> Vec<usize> {
    let mut rng = Rng::with_seed(seed ^ ORDER);
    let mut sent = Vec::with_capacity(times.len());
    for (place, time) in times.iter().enumerate() {
        let first = arrival(&mut rng, *time);
        sent.push((first, place));
        if rng.f64() < duplicates {
            let wait = if rng.u8(..5) == 0 { REPEATS.1 } else { REPEATS.0 };
            sent.push((first + wait, place));
        }
    }
    if shuffle {
        rng.shuffle(&mut sent);
    } else {
        sent.sort_unstable();
    }
    sent.into_iter().map(|(_, place)| place).collect()
}

/// When an event arrives for the first time. About 3 % of the first attempts fail, and a tenth of the second ones.
fn arrival(rng: &mut Rng, time: i64) -> i64 {
    let sent = time + rng.i64(1..=10);
    match rng.u16(..1_000) {
        0..3 => sent + REPEATS.0 + REPEATS.1,
        3..30 => sent + REPEATS.0,
        _ => sent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event a minute.
    fn times(count: i64) -> Vec<i64> {
        (0..count).map(|minute| 1_780_000_000 + minute * 60).collect()
    }

    #[test]
    fn each_event_is_sent_and_a_share_of_them_twice() {
        let times = times(10_000);
        for shuffle in [false, true] {
            let order = order(3, &times, 0.05, shuffle);
            assert_eq!(order, super::order(3, &times, 0.05, shuffle));
            let mut sent = vec![0; times.len()];
            order.iter().for_each(|place| sent[*place] += 1);
            assert!(sent.iter().all(|sent| (1..=2).contains(sent)));
            assert!((400..600).contains(&(order.len() - 10_000)), "{}", order.len());
        }
        assert_eq!(order(3, &times[..50], 1.0, true).len(), 100);
        assert!(order(3, &[], 1.0, false).is_empty());
    }

    #[test]
    fn without_shuffling_most_events_come_as_they_happened_and_some_hours_late() {
        let order = order(3, &times(10_000), 0.0, false);
        // 360 minutes are six hours.
        let late = order.iter().enumerate().filter(|(at, place)| *at >= **place + 300).count();
        assert!((200..400).contains(&late), "{late}");
        let very_late = order.iter().enumerate().filter(|(at, place)| *at >= **place + 1_700).count();
        assert!((5..80).contains(&very_late), "{very_late}");
        let in_order = order.windows(2).filter(|pair| pair[0] + 1 == pair[1]).count();
        assert!(in_order > 9_000, "{in_order}");
    }
}
