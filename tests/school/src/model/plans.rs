//! Instalment plans and their mandates: what is said of them, and their views.

use std::collections::BTreeMap;

use super::Row;
use super::book::{Book, Kind, World};
use super::event::Event;
use super::lines::{schedule_json, schedule_of, schedule_sum};
use super::reading::{date, key, paise, text};
use super::sheet::Sheet;
use super::words::{Clock, Known, Members, Word};

/// What ends a plan.
pub(super) const PLAN_ENDS: &[&str] = &["cancelled", "closed"];
const MANDATE_ENDS: &[&str] = &["cancelled", "expired"];

/// What an event of a plan itself says of it.
pub(super) fn hear_plan(event: &Event, book: &mut Book, rank: u8, fact: &'static str) {
    let Some(id) = plan_id(event) else { return };
    let mut said = mention(event);
    said.put("schedule", schedule_json(&event.payload["payment_schedule"]));
    book.note(Kind::Plan, &id, Word::telling(event.clock(rank), said).and(fact));
}

/// What an event of a mandate says of it, and of the plan that it mentions.
pub(super) fn hear_mandate(event: &Event, book: &mut Book, rank: u8, fact: &'static str) {
    let mandate = &event.payload["mandate"];
    let Some(id) = key(&mandate["id"]) else { return };
    let mut said = Members::default();
    said.put("pupil", event.pupil());
    said.put("subscription_id", plan_id(event));
    said.put("status", text(&mandate["status"]));
    said.put("npci_category_code", text(&mandate["npci_category_code"]));
    said.put("end_date", date(&mandate["end_date"]));
    book.note(Kind::Mandate, &id, Word::telling(event.clock(rank), said).and(fact));
    hear_plan_mentioned(event, book);
}

/// What an event of something else says of the plan that it mentions.
pub(super) fn hear_plan_mentioned(event: &Event, book: &mut Book) {
    if let Some(id) = plan_id(event) {
        book.note(Kind::Plan, &id, Word::telling(event.clock(5), mention(event)));
    }
}

/// The plan that an event names.
pub(super) fn plan_id(event: &Event) -> Option<String> {
    key(&event.payload["subscription"]["id"])
}

fn mention(event: &Event) -> Members {
    let mut said = Members::default();
    said.put("pupil", event.pupil());
    said.put("status", text(&event.payload["subscription"]["status"]));
    said
}

/// One plan, with what follows from its words and those of its mandates.
pub(super) struct Plan<'a> {
    pub(super) id: &'a str,
    pub(super) known: &'a Known,
    pub(super) state: &'static str,
    pub(super) total: Option<i64>,
    pub(super) mandate: Option<&'static str>,
    mandate_id: Option<&'a str>,
}

/// All plans.
pub(super) fn plans(world: &World) -> Vec<Plan<'_>> {
    // The newest end of a mandate, by plan.
    let mut ends: BTreeMap<&str, (&Clock, &'static str, &str)> = BTreeMap::new();
    for (id, mandate) in world.all(Kind::Mandate) {
        let end = mandate.newest(MANDATE_ENDS);
        if let (Some(plan), Some((word, clock))) = (mandate.get("subscription_id"), end) {
            let newest = ends.entry(plan).or_insert((clock, word, id));
            *newest = (*newest).max((clock, word, id));
        }
    }
    world.all(Kind::Plan).map(|(id, known)| plan(id, known, ends.get(id).copied())).collect()
}

fn plan<'a>(id: &'a str, known: &'a Known, end: Option<(&Clock, &'static str, &'a str)>) -> Plan<'a> {
    let state = match known.newest(PLAN_ENDS) {
        Some((end, _)) => end,
        None if known.any(&["active"]) => "active",
        None if known.any(&["setup"]) => "set_up",
        None => "unknown",
    };
    let total = schedule_sum(&schedule_of(known.get("schedule")));
    // A set-up or activation after the mandate's end means that there is another one.
    let begun = known.newest(&["setup", "active"]).map(|(_, clock)| clock.second);
    let standing_end = end.filter(|(clock, ..)| begun.is_none_or(|begun| clock.second >= begun));
    let (mandate, mandate_id) = match standing_end {
        Some((_, word, mandate_id)) => (Some(word), Some(mandate_id)),
        None => ((state == "active").then_some("valid"), None),
    };
    Plan { id, known, state, total, mandate, mandate_id }
}

/// `jodo_subscriptions`.
pub(super) fn subscriptions(world: &World, plans: &[Plan<'_>]) -> Vec<Row> {
    let row = |plan: &Plan<'_>| {
        let sheet = Sheet::new(world).set("subscription_id", plan.id).pupil(plan.known.get("pupil"));
        let sheet = sheet.set("state", plan.state).copy(plan.known, &["status", "schedule"]);
        let sheet = sheet.money(["schedule_total", "schedule_total_paise"], plan.total);
        sheet.put("mandate", plan.mandate).put("mandate_id", plan.mandate_id).done()
    };
    plans.iter().map(row).collect()
}

/// `jodo_plan_instalments`.
pub(super) fn plan_instalments(world: &World, plans: &[Plan<'_>]) -> Vec<Row> {
    let mut rows = Vec::new();
    for plan in plans {
        for (n, due) in (1..).zip(schedule_of(plan.known.get("schedule"))) {
            let sheet = Sheet::new(world).set("subscription_id", plan.id).pupil(plan.known.get("pupil"));
            let sheet = sheet.set("n", format!("{n}")).put("due_on", due.on);
            let amount = due.amount.as_deref().and_then(paise);
            rows.push(sheet.money(["amount", "amount_paise"], amount).done());
        }
    }
    rows
}

/// `jodo_mandates`.
pub(super) fn mandates(world: &World) -> Vec<Row> {
    let row = |(id, mandate): (&str, &Known)| {
        let sheet = Sheet::new(world).set("mandate_id", id).pupil(mandate.get("pupil"));
        let sheet = sheet.put("state", mandate.newest(MANDATE_ENDS).map(|(word, _)| word));
        sheet.copy(mandate, &["subscription_id", "status", "npci_category_code", "end_date"]).done()
    };
    world.all(Kind::Mandate).map(row).collect()
}
