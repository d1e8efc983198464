//! Words: what one event says of one thing, and what is known of it once all words about it are applied in order.

use std::collections::BTreeMap;
use std::rc::Rc;

/// When a word was said, in the order in which words count.
///
/// A fallback word has no second and so comes before all others: each of its members stands only where no other word
/// has that member. Among fallback words the digits alone decide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Clock {
    pub(super) second: Option<i64>,
    pub(super) rank: u8,
    pub(super) digits: Rc<str>,
}

/// The members that a word has; one that is absent is not among them.
#[derive(Default)]
pub(super) struct Members(Vec<(&'static str, String)>);

impl Members {
    /// Adds a member, unless it is absent.
    pub(super) fn put(&mut self, name: &'static str, value: Option<String>) {
        self.0.extend(value.map(|value| (name, value)));
    }

    /// Takes one member out.
    pub(super) fn take(&mut self, name: &str) -> Members {
        let (taken, left) = std::mem::take(&mut self.0).into_iter().partition(|(own, _)| *own == name);
        self.0 = left;
        Members(taken)
    }
}

/// A fee line's settlement. In this order the settlements of equal lines meet the lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Settlement {
    pub(super) component: String,
    pub(super) amount: String,
    pub(super) utr: String,
    /// 1, 2, … among lines of one event that are equal in all the above.
    pub(super) n: usize,
}

/// What one event says of one thing.
pub(super) struct Word {
    pub(super) clock: Clock,
    /// That something happened, such as `debited`.
    pub(super) facts: Vec<&'static str>,
    pub(super) members: Members,
    /// With the time of each, if named.
    pub(super) settlements: Vec<(Settlement, Option<String>)>,
}

impl Word {
    /// A word that tells only members.
    pub(super) fn telling(clock: Clock, members: Members) -> Self {
        Self { clock, facts: Vec::new(), members, settlements: Vec::new() }
    }

    /// The same word, telling also that this happened.
    pub(super) fn and(mut self, fact: &'static str) -> Self {
        self.facts.push(fact);
        self
    }
}

/// What is known of one thing.
#[derive(Default)]
pub(super) struct Known {
    members: BTreeMap<&'static str, (String, Clock)>,
    facts: BTreeMap<&'static str, Clock>,
    /// The settlements of a payment, each with its time if known.
    pub(super) settlements: BTreeMap<Settlement, Option<String>>,
}

impl Known {
    /// Applies all words about one thing: oldest first, so that the newest stands.
    pub(super) fn after(mut words: Vec<Word>) -> Self {
        words.sort_by(|one, other| one.clock.cmp(&other.clock));
        let mut known = Self::default();
        for word in words {
            for (name, value) in word.members.0 {
                // One event may speak twice of one thing; then the greater text stands.
                let greater = |(old, clock): &(String, Clock)| *clock == word.clock && *old > value;
                if !known.members.get(name).is_some_and(greater) {
                    known.members.insert(name, (value, word.clock.clone()));
                }
            }
            for fact in word.facts {
                known.facts.insert(fact, word.clock.clone());
            }
            for (settlement, time) in word.settlements {
                let known_time = known.settlements.entry(settlement).or_default();
                *known_time = time.or(known_time.take());
            }
        }
        known
    }

    /// Notes that something happened, as another thing tells.
    pub(super) fn report(&mut self, fact: &'static str, clock: Clock) {
        let newest = self.facts.remove(fact).map_or(clock.clone(), |known| known.max(clock));
        self.facts.insert(fact, newest);
    }

    /// A member's value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.members.get(name).map(|(value, _)| value.as_str())
    }

    /// When that value was said.
    pub(super) fn clock(&self, name: &str) -> Option<&Clock> {
        self.members.get(name).map(|(_, clock)| clock)
    }

    /// Puts another value in the place of a member's, said at the same time.
    pub(super) fn rename(&mut self, name: &str, new_name: impl Fn(&str) -> String) {
        if let Some((value, _)) = self.members.get_mut(name) {
            *value = new_name(value);
        }
    }

    /// When something happened last, if it ever did.
    pub(super) fn fact(&self, fact: &str) -> Option<&Clock> {
        self.facts.get(fact)
    }

    /// Whether any of these ever happened.
    pub(super) fn any(&self, facts: &[&str]) -> bool {
        facts.iter().any(|fact| self.facts.contains_key(fact))
    }

    /// Which of these happened last, and when.
    pub(super) fn newest(&self, facts: &[&'static str]) -> Option<(&'static str, &Clock)> {
        facts.iter().filter_map(|&fact| Some((fact, self.fact(fact)?))).max_by_key(|(_, clock)| *clock)
    }
}
