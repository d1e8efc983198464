//! What an event did, in sentences for a school's accountant, made from what it wrote and what of that still stands.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use jodo_worker::entities::{SETTLEMENTS, STUDENTS};
use jodo_worker::table::{Entity, Register};

use super::timeline::Timeline;
use super::values::{Told, fee_line, number_of, told, words};
use crate::commands::events::effect::{Effect, Place, Standing, Value};

/// One sentence per row. Lines of sets are left out: the lists that they are made of are told with their row.
pub(super) fn in_words(effects: &[Effect], timeline: &Timeline<'_>, zone: &TimeZone) -> Vec<String> {
    let rows = effects.iter().filter_map(|effect| match effect.to {
        Place::Row(entity) => Some((entity, effect)),
        Place::Lines(_) => None,
    });
    rows.map(|(entity, effect)| {
        let teller = Teller { effect, timeline, zone };
        if entity == &SETTLEMENTS {
            teller.settlement()
        } else if entity == &STUDENTS && teller.facts().next().is_none() {
            teller.profile()
        } else {
            teller.record(entity)
        }
    })
    .collect()
}

/// What a row of an entity is to people.
pub(super) fn noun(entity: &Entity) -> &'static str {
    match entity.name {
        "students" => "pupil",
        "manual_payments" => "manual payment",
        "subscriptions" => "plan",
        "mandates" => "mandate",
        "orders" => "order",
        "loans" => "loan",
        "disbursements" => "tranche",
        "emis" => "EMI",
        _ => "payment",
    }
}

struct Teller<'a> {
    effect: &'a Effect,
    timeline: &'a Timeline<'a>,
    zone: &'a TimeZone,
}

impl<'a> Teller<'a> {
    /// What the row's key has at this place; its tenant is at 0.
    fn key(&self, place: usize) -> &'a str {
        self.effect.key.get(place).map(String::as_str).unwrap_or_default()
    }

    fn facts(&self) -> impl Iterator<Item = &'a Value> {
        self.effect.values.iter().filter(|value| value.written.register.is_none())
    }

    fn registers(&self) -> impl Iterator<Item = (&'a Value, &'static Register)> {
        self.effect.values.iter().filter_map(|value| Some((value, value.written.register?)))
    }

    /// `payment flex_66: amount 22000.00, mode enach; fee lines: TUITION_FEE 22000.00; reported as debited`.
    fn record(&self, entity: &Entity) -> String {
        let key = if entity == &STUDENTS { number_of(self.key(1)) } else { self.key(1) };
        let (mut short, mut parts) = (Vec::new(), Vec::new());
        for (value, register) in self.registers().filter(|(value, _)| !is_plain_pupil(value)) {
            match told(register, &value.written.columns) {
                Told::Short(text) => short.push(text + &self.mark(value)),
                Told::List(text) => parts.push(text + &self.mark(value)),
            }
        }
        if !short.is_empty() {
            parts.insert(0, short.join(", "));
        }
        parts.extend(self.facts().map(|fact| format!("reported as {}{}", words(fact.name), self.mark(fact))));
        if parts.is_empty() {
            parts.push("only mentioned".to_owned());
        }
        format!("{} {key}: {}", noun(entity), parts.join("; "))
    }

    /// `TUITION_FEE 20000.00 reached the bank on 2026-07-07 with UTR HYPB26070711842`.
    fn settlement(&self) -> String {
        let line = fee_line(self.key(3), self.key(4));
        let settled_at = self.registers().next();
        let day = settled_at.and_then(|(value, _)| {
            let columns = &value.written.columns;
            Some(format!(" on {}", columns.get(2)?.as_ref().or(columns.first()?.as_ref())?))
        });
        let marks = self.effect.values.iter().map(|value| self.mark(value)).find(|mark| !mark.is_empty());
        let (day, mark) = (day.unwrap_or_default(), marks.unwrap_or_default());
        format!("{line} reached the bank{day} with UTR {}{mark}", self.key(5))
    }

    /// `says of the pupil: identifier, academic year, contact, grade; all of it still stands`. That an event of
    /// something else repeats the pupil's profile is worth a line, not a list.
    fn profile(&self) -> String {
        let said = groups(self.registers());
        let marked = self.registers().map(|(value, register)| (value, register, self.mark(value)));
        let gone: Vec<_> = marked.filter(|(.., mark)| !mark.is_empty()).collect();
        let standing = if said.is_empty() {
            return format!("names the pupil {}", number_of(self.key(1)));
        } else if gone.is_empty() {
            "all of it still stands".to_owned()
        } else {
            let gone = gone.iter().map(|(_, register, mark)| format!("{}{mark}", words(register.name)));
            format!("of this no longer stands: {}", gone.collect::<Vec<_>>().join(", "))
        };
        format!("says of the pupil: {}; {standing}", said.join(", "))
    }

    /// What no longer stands, or never counted; nothing where the row says the same today.
    fn mark(&self, value: &Value) -> String {
        let ended = match &value.standing {
            Standing::Current => return String::new(),
            Standing::Absent => return " (not in the table)".to_owned(),
            Standing::Replaced { .. } if value.written.still_so => return String::new(),
            now if value.written.last_resort => now.clone(),
            now => {
                let first = self.timeline.ended(self.effect, value);
                first.map_or_else(|| now.clone(), |clock| Standing::replaced_by(clock.as_str()))
            }
        };
        let Standing::Replaced { by, at } = ended else { return String::new() };
        let day = at.and_then(|at| Timestamp::from_second(at).ok());
        let day = day.map(|at| format!(" on {}", at.to_zoned_datetime(self.zone.clone()).date()));
        let verb = if value.written.last_resort { "not counted: said otherwise" } else { "replaced" };
        format!(" ({verb}{} by {by})", day.unwrap_or_default())
    }
}

/// Whether a value only says whose the record is, and still does: that stands in the first line of all.
fn is_plain_pupil(value: &Value) -> bool {
    value.name == "pupil" && value.written.still_so
}

/// The names of registers, those that begin alike as one: `grade_code` and `grade_name` are `grade`.
fn groups<'a>(registers: impl Iterator<Item = (&'a Value, &'static Register)>) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for (_, register) in registers {
        let stem = stem(register.name);
        if !groups.contains(&stem) {
            groups.push(stem);
        }
    }
    groups
}

/// The words that a register of the pupil's profile shares with another one, else its whole name.
fn stem(name: &str) -> String {
    let common = |other: &str| {
        let pairs = name.split('_').zip(other.split('_'));
        pairs.take_while(|(one, other)| one == other).map(|(word, _)| word).collect::<Vec<_>>().join(" ")
    };
    let others = STUDENTS.registers.iter().map(|register| register.name).filter(|other| *other != name);
    let shared = others.map(common).max_by_key(String::len).unwrap_or_default();
    if shared.is_empty() { words(name) } else { shared }
}

#[cfg(test)]
pub(super) mod tests {
    use jodo_shared::ids::DeliveryKey;
    use jodo_worker::entities::SUBSCRIPTIONS;
    use jodo_worker::table::Clock;

    use super::*;
    use crate::commands::events::effect::Written;

    /// What an event did to a plan.
    pub(crate) fn effect(plan: &str, values: Vec<Value>) -> Effect {
        let key = vec!["main".to_owned(), plan.to_owned()];
        Effect { table: "jodo_r_subscriptions".to_owned(), key, values, to: Place::Row(&SUBSCRIPTIONS) }
    }

    /// A register of a plan with the value that it still has.
    pub(crate) fn register(name: &'static str, seconds: i64, text: &str) -> Value {
        let register = SUBSCRIPTIONS.registers.iter().find(|register| register.name == name);
        let columns = vec![Some(text.to_owned())];
        value(name, seconds, Written { register, columns, ..nothing() })
    }

    fn fact(name: &'static str) -> Value {
        value(name, 1, nothing())
    }

    fn nothing() -> Written {
        let key = DeliveryKey::of(&"jodo".parse().unwrap(), b"");
        let clock = Clock::new(1, 10, &key);
        Written { clock, register: None, columns: Vec::new(), still_so: true, last_resort: false }
    }

    fn value(name: &'static str, seconds: i64, written: Written) -> Value {
        let key = DeliveryKey::of(&"jodo".parse().unwrap(), &seconds.to_be_bytes());
        let clock = Clock::new(seconds, 10, &key);
        Value { name, standing: Standing::Current, written: Written { clock, ..written } }
    }

    fn tell(effect: &Effect) -> String {
        in_words(std::slice::from_ref(effect), &Timeline::default(), &TimeZone::UTC).join("\n")
    }

    #[test]
    fn a_record_is_told_with_its_values_lists_and_facts() {
        let schedule = r#"[{"amount":"5.00","due_date":"2026-07-05"}]"#;
        let values = vec![register("schedule", 1, schedule), register("status", 1, "setup"), fact("set_up")];
        assert_eq!(
            tell(&effect("88140", values)),
            "plan 88140: status setup; schedule: 1 instalment on 2026-07-05; reported as set up"
        );
        assert_eq!(tell(&effect("88140", vec![register("pupil", 1, "erp:1")])), "plan 88140: only mentioned");
    }

    #[test]
    fn what_no_longer_stands_is_marked() {
        let replaced = Standing::Replaced { by: "9f".to_owned(), at: Some(1_781_352_301) };
        let cases = [
            (Standing::Absent, false, false, "status setup (not in the table)"),
            (replaced.clone(), true, false, "status setup"),
            (replaced.clone(), false, false, "status setup (replaced on 2026-06-13 by 9f)"),
            (replaced, false, true, "status setup (not counted: said otherwise on 2026-06-13 by 9f)"),
        ];
        for (standing, still_so, last_resort, words) in cases {
            let mut value = Value { standing, ..register("status", 1, "setup") };
            value.written = Written { still_so, last_resort, ..value.written };
            assert_eq!(tell(&effect("88140", vec![value])), format!("plan 88140: {words}"));
        }
    }

    #[test]
    fn registers_that_begin_alike_are_one_word() {
        for (name, word) in [("grade_code", "grade"), ("contact_email", "contact"), ("fullname", "full name")]
        {
            assert_eq!(stem(name), word);
        }
        assert_eq!(stem("academic_year_start"), "academic year");
    }
}
