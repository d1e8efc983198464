//! Everything that was said, by what it was said of; and the world that follows from it.

use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

use super::event::Event;
use super::words::{Known, Members, Word};

/// The kinds of things that events speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Pupil,
    Manual,
    Flex,
    Pay,
    Order,
    Plan,
    Mandate,
    Loan,
    Tranche,
    Emi,
}

/// All words, by the thing they are about.
#[derive(Default)]
pub(super) struct Book {
    words: BTreeMap<Kind, BTreeMap<String, Vec<Word>>>,
    /// The ERP's numbers that were seen beside one of Jodo's ids.
    numbers: BTreeMap<String, BTreeSet<String>>,
}

impl Book {
    /// Notes a word.
    pub(super) fn note(&mut self, kind: Kind, key: &str, word: Word) {
        self.words.entry(kind).or_default().entry(key.to_owned()).or_default().push(word);
    }

    /// Notes that something happened, and nothing else.
    pub(super) fn note_fact(&mut self, kind: Kind, key: &str, event: &Event, rank: u8, fact: &'static str) {
        self.note(kind, key, Word::telling(event.clock(rank), Members::default()).and(fact));
    }

    /// Notes which number the event names beside which of Jodo's ids.
    pub(super) fn note_number(&mut self, event: &Event) {
        if let (Some(id), Some(number)) = (event.jodo_id(), event.identifier()) {
            self.numbers.entry(id).or_default().insert(number);
        }
    }
}

/// What is known of everything, once all words are applied.
pub(super) struct World {
    pub(super) tenant: String,
    pub(super) time_zone: TimeZone,
    things: BTreeMap<Kind, BTreeMap<String, Known>>,
    numbers: BTreeMap<String, BTreeSet<String>>,
}

impl World {
    /// Applies all words.
    pub(super) fn after(book: Book, tenant: &str, time_zone: TimeZone) -> Self {
        let one_name = |pupil: &str| one_name(pupil, &book.numbers);
        let mut things: BTreeMap<Kind, BTreeMap<String, Known>> = BTreeMap::new();
        for (kind, mut words) in book.words {
            if kind == Kind::Pupil {
                words = under_one_name(words, one_name);
            }
            let of_kind = things.entry(kind).or_default();
            for (key, words) in words {
                let mut known = Known::after(words);
                known.rename("pupil", one_name);
                of_kind.insert(key, known);
            }
        }
        pay_out_loans(&mut things);
        Self { tenant: tenant.to_owned(), time_zone, things, numbers: book.numbers }
    }

    /// All things of one kind, by their keys.
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = (&str, &Known)> {
        self.things.get(&kind).into_iter().flatten().map(|(key, known)| (key.as_str(), known))
    }

    /// One thing.
    pub(super) fn find(&self, kind: Kind, key: &str) -> Option<&Known> {
        self.things.get(&kind)?.get(key)
    }

    /// The key of a thing, if there is such a thing.
    pub(super) fn find_key(&self, kind: Kind, key: &str) -> Option<&str> {
        Some(self.things.get(&kind)?.get_key_value(key)?.0)
    }

    /// Every one of Jodo's ids that was seen with more than one number, beside each of these.
    pub(super) fn ambiguous_ids(&self) -> impl Iterator<Item = (&str, &str)> {
        let ambiguous = self.numbers.iter().filter(|(_, numbers)| numbers.len() > 1);
        ambiguous.flat_map(|(id, numbers)| numbers.iter().map(move |number| (id.as_str(), number.as_str())))
    }
}

/// A loan is paid out when one of its tranches is.
fn pay_out_loans(things: &mut BTreeMap<Kind, BTreeMap<String, Known>>) {
    let tranches = things.get(&Kind::Tranche).into_iter().flatten();
    let paid_out = tranches.filter_map(|(_, tranche)| {
        Some((tranche.get("application_id")?.to_owned(), tranche.fact("disbursed")?.clone()))
    });
    for (loan, clock) in paid_out.collect::<Vec<_>>() {
        if let Some(loan) = things.get_mut(&Kind::Loan).and_then(|loans| loans.get_mut(&loan)) {
            loan.report("disbursed", clock);
        }
    }
}

/// A pupil's words may stand under two names, and are the words of one pupil.
fn under_one_name(
    words: BTreeMap<String, Vec<Word>>,
    one_name: impl Fn(&str) -> String,
) -> BTreeMap<String, Vec<Word>> {
    let mut together: BTreeMap<String, Vec<Word>> = BTreeMap::new();
    for (key, own) in words {
        together.entry(one_name(&key)).or_default().extend(own);
    }
    together
}

/// A pupil's name by the ERP's number, if Jodo's id in it was seen with exactly one.
fn one_name(pupil: &str, numbers: &BTreeMap<String, BTreeSet<String>>) -> String {
    let seen = pupil.strip_prefix("jodo:").and_then(|id| numbers.get(id));
    match seen.filter(|numbers| numbers.len() == 1).and_then(BTreeSet::first) {
        Some(number) => format!("erp:{number}"),
        None => pupil.to_owned(),
    }
}
