//! The brake: when many events fail while the database is well, the deployment is suspected, not the events.
//!
//! Pure: time comes in. An *event failure* is an event that the database refused alone, three times, with successful
//! probes between. What `decide` quarantines never counts.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jodo_shared::ids::DeliveryKey;

const WINDOW: Duration = Duration::from_secs(60);
/// More event failures than this within the window, if they are also at least a tenth of its events: brake.
const MANY: usize = 20;
/// This many event failures in a row without a success: brake.
const IN_A_ROW: usize = 10;

/// Pauses before a trial while the brake is on: the first, and the longest that doubling leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trials {
    /// Pause before the first trial.
    pub first: Duration,
    /// Longest pause between trials.
    pub slowest: Duration,
}

impl Default for Trials {
    fn default() -> Self {
        Self { first: Duration::from_secs(30), slowest: Duration::from_secs(300) }
    }
}

/// What to do with the event failures just reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The events are at fault: quarantine them.
    Quarantine,
    /// The brake is on: keep them `retrying`. What the same spell had quarantined before is [`Brake::spell`].
    Brake,
}

/// Counts of one target in one process.
#[derive(Debug, Default)]
pub struct Brake {
    trials: Trials,
    /// Committed events per round, within the window.
    committed: VecDeque<(Instant, usize)>,
    /// Event failures of this spell: within the window, or in a row since the last success.
    failed: VecDeque<(Instant, DeliveryKey)>,
    in_a_row: usize,
    on: Option<On>,
}

#[derive(Debug)]
struct On {
    since: Timestamp,
    next_trial: Instant,
    pause: Duration,
    /// What was quarantined before it came on, and is to be taken back.
    spell: Vec<DeliveryKey>,
}

impl Brake {
    /// A brake that is off.
    pub fn new(trials: Trials) -> Self {
        Self { trials, ..Self::default() }
    }

    /// Reports one round: how many events were committed, and which failed. Rounds without failures return
    /// [`Verdict::Quarantine`], which then concerns nothing.
    pub fn judge(
        &mut self,
        now: Instant,
        wall: Timestamp,
        committed: usize,
        failed: &[DeliveryKey],
    ) -> Verdict {
        if committed > 0 {
            self.in_a_row = 0;
            self.committed.push_back((now, committed));
        } else {
            self.in_a_row += failed.len();
        }
        let spell = self.keep_spell(now);
        self.failed.extend(failed.iter().map(|key| (now, *key)));
        let recent = self.failed.iter().filter(|(at, _)| now.duration_since(*at) < WINDOW).count();
        let all = recent + self.committed.iter().map(|(_, count)| count).sum::<usize>();
        let many = recent > MANY && recent * 10 >= all;
        if failed.is_empty() {
            return Verdict::Quarantine;
        }
        if self.on.is_none() {
            if !(many || self.in_a_row >= IN_A_ROW) {
                return Verdict::Quarantine;
            }
            let pause = self.trials.first;
            self.on = Some(On { since: wall, next_trial: now + pause, pause, spell });
        }
        Verdict::Brake
    }

    /// Drops what belongs to no spell any more, and returns the keys that remain.
    fn keep_spell(&mut self, now: Instant) -> Vec<DeliveryKey> {
        let old = |at: &Instant| now.duration_since(*at) >= WINDOW;
        while self.committed.front().is_some_and(|(at, _)| old(at)) {
            self.committed.pop_front();
        }
        while self.failed.len() > self.in_a_row && self.failed.front().is_some_and(|(at, _)| old(at)) {
            self.failed.pop_front();
        }
        self.failed.iter().map(|(_, key)| *key).collect()
    }

    /// When it came on, if it is on.
    pub fn on_since(&self) -> Option<Timestamp> {
        self.on.as_ref().map(|on| on.since)
    }

    /// When the next trial is due, if it is on.
    pub fn next_trial(&self) -> Option<Instant> {
        self.on.as_ref().map(|on| on.next_trial)
    }

    /// What was quarantined in this spell before the brake came on.
    pub fn spell(&self) -> Vec<DeliveryKey> {
        self.on.as_ref().map_or_else(Vec::new, |on| on.spell.clone())
    }

    /// A trial begins: should it fail, the next one comes after twice the pause.
    pub fn begin_trial(&mut self, now: Instant) {
        if let Some(on) = &mut self.on {
            on.pause = (on.pause * 2).min(self.trials.slowest);
            on.next_trial = now + on.pause;
        }
    }

    /// An event committed, or a person said so: forgets the spell.
    pub fn lift(&mut self) {
        *self = Self::new(self.trials);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> DeliveryKey {
        DeliveryKey::of(&"jodo".parse().unwrap(), n.to_string().as_bytes())
    }

    fn keys(range: std::ops::Range<usize>) -> Vec<DeliveryKey> {
        range.map(key).collect()
    }

    fn judge(brake: &mut Brake, now: Instant, committed: usize, failed: &[DeliveryKey]) -> Verdict {
        brake.judge(now, Timestamp::UNIX_EPOCH, committed, failed)
    }

    #[test]
    fn a_few_bad_events_among_good_ones_are_quarantined() {
        let (mut brake, now) = (Brake::default(), Instant::now());
        for round in 0..10 {
            let failed = keys(round * 2..round * 2 + 2);
            assert_eq!(judge(&mut brake, now, 498, &failed), Verdict::Quarantine);
        }
        assert_eq!(brake.on_since(), None);
    }

    #[test]
    fn ten_in_a_row_without_a_success_brake_and_return_the_earlier_nine() {
        let (mut brake, start) = (Brake::default(), Instant::now());
        for n in 0..9 {
            // Ten seconds apart: a row may outlast the window.
            let now = start + Duration::from_secs(10 * n as u64);
            assert_eq!(judge(&mut brake, now, 0, &[key(n)]), Verdict::Quarantine);
        }
        let now = start + Duration::from_secs(90);
        assert_eq!(judge(&mut brake, now, 0, &[key(9)]), Verdict::Brake);
        assert_eq!(brake.spell(), keys(0..9));
        assert_eq!(brake.next_trial(), Some(now + Trials::default().first));
    }

    #[test]
    fn a_success_breaks_the_row() {
        let (mut brake, now) = (Brake::default(), Instant::now());
        assert_eq!(judge(&mut brake, now, 0, &keys(0..9)), Verdict::Quarantine);
        judge(&mut brake, now, 500, &[]);
        assert_eq!(judge(&mut brake, now, 0, &keys(9..18)), Verdict::Quarantine);
    }

    #[test]
    fn more_than_twenty_within_a_minute_brake_only_if_they_are_a_tenth_of_all() {
        let (mut brake, now) = (Brake::default(), Instant::now());
        assert_eq!(judge(&mut brake, now, 1_000, &keys(0..21)), Verdict::Quarantine, "2 % of all");
        let mut brake = Brake::default();
        assert_eq!(judge(&mut brake, now, 180, &keys(0..20)), Verdict::Quarantine, "not more than twenty");
        assert_eq!(judge(&mut brake, now, 1, &[key(20)]), Verdict::Brake);
        assert_eq!(brake.spell(), keys(0..20));
    }

    #[test]
    fn while_it_is_on_nothing_more_is_quarantined() {
        let (mut brake, now) = (Brake::default(), Instant::now());
        judge(&mut brake, now, 0, &keys(0..10));
        assert_eq!(judge(&mut brake, now, 400, &[key(10)]), Verdict::Brake);
        assert_eq!(brake.spell(), Vec::new(), "the first ten were never quarantined");
    }

    #[test]
    fn what_failed_a_minute_ago_is_another_spell() {
        let (mut brake, now) = (Brake::default(), Instant::now());
        judge(&mut brake, now, 1, &keys(0..15));
        let later = now + Duration::from_secs(61);
        assert_eq!(judge(&mut brake, later, 1, &keys(15..30)), Verdict::Quarantine);
    }

    #[test]
    fn trials_come_after_30_seconds_doubling_to_five_minutes_until_it_is_lifted() {
        let (mut brake, now) = (Brake::default(), Instant::now());
        judge(&mut brake, now, 0, &keys(0..10));
        let mut at = now;
        let mut pauses = Vec::new();
        for _ in 0..6 {
            let next = brake.next_trial().unwrap();
            pauses.push(next.duration_since(at).as_secs());
            at = next;
            brake.begin_trial(at);
        }
        assert_eq!(pauses, [30, 60, 120, 240, 300, 300]);
        brake.lift();
        assert_eq!(brake.next_trial(), None);
        assert_eq!(judge(&mut brake, at, 0, &[key(99)]), Verdict::Quarantine);
    }
}
