//! Instalment plans (Flex, C§3.3): from the set-up to the end.

use fastrand::Rng;

use super::block::{Page, block, naming};
use super::calendar::{DAY, MINUTE, date, day_of_month, office_hour, parents_hour};
use super::fees::{Line, lines, sum, unsettled};
use super::pupil::Pupil;
use super::school::School;
use super::{instalments, mandates};
use crate::spelling::{Members, list, number, one_in, pick, quoted};

/// An instalment of a schedule.
#[derive(Clone)]
pub(super) struct Instalment {
    /// Midnight of the day on which it is due.
    pub(super) due: i64,
    pub(super) lines: Vec<Line>,
}

/// What becomes of a plan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    GoesOn,
    /// It is closed after its last instalment.
    Completed,
    /// The bank never confirms it.
    NeverActive,
    Cancelled,
    Closed,
    CancelledThenClosed,
    ClosedThenCancelled,
    /// It is cancelled and active again days later.
    Revived,
}

const FATES: [Fate; 14] = [
    Fate::GoesOn,
    Fate::Completed,
    Fate::GoesOn,
    Fate::Cancelled,
    Fate::GoesOn,
    Fate::Completed,
    Fate::NeverActive,
    Fate::GoesOn,
    Fate::Closed,
    Fate::GoesOn,
    Fate::CancelledThenClosed,
    Fate::Completed,
    Fate::Revived,
    Fate::ClosedThenCancelled,
];

/// A plan of a pupil.
pub(super) struct Plan<'a> {
    pub(super) pupil: &'a Pupil,
    pub(super) id: u64,
}

/// From when a plan is ended, and until when if it is active again.
type Ended = Option<(i64, Option<i64>)>;

/// A pupil's parents take a plan.
pub(super) fn take(school: &mut School, pupil: &Pupil) {
    let plan = Plan { pupil, id: school.ids.number() };
    let fate = school.next_of(FATES, "the fate of a plan");
    let mut schedule = schedule(school);
    let set_up_day = schedule[0].due - school.rng.i64(12..30) * DAY;
    let set_up = parents_hour(&mut school.rng, set_up_day);
    // Some were set up before the sender was told our address.
    if !school.every(12, "a plan whose set-up is not told") {
        plan.say(school, "flex.subscription.setup", "setup", set_up, Some(&schedule));
    }
    if fate == Fate::NeverActive {
        return;
    }
    let wait = school.rng.i64(1..40) * MINUTE;
    let wait = if school.every(3, "confirmed days later") { wait + school.rng.i64(1..7) * DAY } else { wait };
    if !school.every(15, "a plan whose confirmation is not told") {
        plan.say(school, "flex.subscription.active", "active", set_up + wait, None);
    }
    let ended = end(school, &plan, &schedule, fate);
    let is_ended = |at: i64| ended.is_some_and(|(from, to)| at >= from && to.is_none_or(|to| at < to));
    change(school, &plan, &mut schedule, is_ended);
    mandates::end(school, &plan, &schedule, is_ended);
    for instalment in &schedule {
        if !is_ended(instalment.due) || school.every(12, "a debit after the plan's end") {
            instalments::collect(school, &plan, instalment);
        }
    }
}

fn schedule(school: &mut School) -> Vec<Instalment> {
    let (first, step, count) = school.next_of(
        [(1, 1, 10_i64), (2, 3, 3), (1, 2, 5), (2, 1, 10), (1, 3, 4), (2, 2, 5)],
        "the months of a plan",
    );
    let day = pick(&mut school.rng, [5, 7, 10, 15]);
    let usual = lines(school);
    let instalment = |n| {
        let lines = if n > 0 && one_in(&mut school.rng, 3) { lines(school) } else { usual.clone() };
        Instalment { due: day_of_month(first + n * step, day), lines }
    };
    (0..count).map(instalment).collect()
}

/// The plan's end as its fate wants it.
fn end(school: &mut School, plan: &Plan<'_>, schedule: &[Instalment], fate: Fate) -> Ended {
    let rng = &mut school.rng;
    let day = match fate {
        Fate::Completed => schedule[schedule.len() - 1].due + rng.i64(15..25) * DAY,
        _ => schedule[rng.usize(1..schedule.len())].due + rng.i64(2..12) * DAY,
    };
    let first = office_hour(rng, day);
    let later_day = day + rng.i64(1..12) * DAY;
    let second = office_hour(rng, later_day);
    let (cancelled, closed, active) = match fate {
        Fate::GoesOn | Fate::NeverActive => return None,
        Fate::Completed | Fate::Closed => (None, Some(first), None),
        Fate::Cancelled => (Some(first), None, None),
        Fate::CancelledThenClosed => (Some(first), Some(second), None),
        Fate::ClosedThenCancelled => (Some(second), Some(first), None),
        Fate::Revived => (Some(first), None, Some(second)),
    };
    for (at, code, status) in [
        (cancelled, "flex.subscription.cancelled", "cancelled"),
        (closed, "flex.subscription.closed", "closed"),
        (active, "flex.subscription.active", "active"),
    ] {
        if let Some(at) = at {
            plan.say(school, code, status, at, None);
        }
    }
    Some((first, active))
}

/// Now and then the rest of the schedule is put off, or an instalment gets other lines; the sender says all of it.
fn change(school: &mut School, plan: &Plan<'_>, schedule: &mut [Instalment], is_ended: impl Fn(i64) -> bool) {
    for place in 1..schedule.len() {
        let day = schedule[place].due - school.rng.i64(3..10) * DAY;
        let at = office_hour(&mut school.rng, day);
        if is_ended(at) || !school.every(9, "a plan is changed") {
            continue;
        }
        if school.rng.bool() {
            schedule[place..].iter_mut().for_each(|instalment| instalment.due += 7 * DAY);
        } else {
            schedule[place].lines = lines(school);
        }
        plan.say(school, "flex.subscription.updated", "active", at, Some(schedule));
    }
}

impl Plan<'_> {
    /// Notes an event about the plan.
    pub(super) fn say(
        &self,
        school: &mut School,
        code: &'static str,
        status: &str,
        at: i64,
        schedule: Option<&[Instalment]>,
    ) {
        let rng = &mut school.rng;
        // This page alone has texts for ids (C§3.3).
        let as_text = code == "flex.subscription.active";
        let naming = naming(rng, self.pupil, at);
        let page = if as_text { Page::Active } else { Page::Plan };
        let block = block(rng, self.pupil, page, naming, at);
        let mut payload = Members::default();
        payload
            .put("jodo_student_id", &self.pupil.number_as(as_text))
            .put("student", &block)
            .put("subscription", &self.subscription(status, as_text));
        if let Some(schedule) = schedule {
            // The read API calls a component otherwise (C§7 row 4).
            let name = if one_in(rng, 20) { "component_type" } else { "fee_component" };
            let said: Vec<_> = schedule.iter().map(|instalment| said(rng, instalment, name)).collect();
            payload.put("payment_schedule", &list(&said));
        }
        school.diary.note(at, code, payload.done());
    }

    /// The `subscription` of an event.
    pub(super) fn subscription(&self, status: &str, as_text: bool) -> String {
        let id = self.id.to_string();
        let id = if as_text { quoted(&id) } else { id };
        Members::default().put("id", &id).text("status", status).done()
    }
}

fn said(rng: &mut Rng, instalment: &Instalment, name: &str) -> String {
    let amount = number(rng, sum(&instalment.lines));
    let details = list(&unsettled(rng, &instalment.lines, name));
    let due = date(instalment.due);
    Members::default().put("due_date", &due).put("amount", &amount).put("details", &details).done()
}
