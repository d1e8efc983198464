//! The first line: what the number is, as the views show it.

use jiff::tz::TimeZone;
use jodo_shared::contract::KnownCode;
use jodo_worker::store::inspect::AnyRow;
use jodo_worker::store::reads::StoredEvent;

use super::effects::noun;
use super::record::{Record, cell};
use super::subject::{Subject, What};
use super::values::number_of;
use super::views::Views;
use crate::wording::{count, when_seconds};

/// `GVS/2026/0417 is the pupil Ananya Kulkarni.`
pub(super) fn in_words(number: &str, subject: &Subject, views: &Views, zone: &TimeZone) -> String {
    match &subject.what {
        What::Pupil => {
            let pupil = subject.pupil.as_deref().unwrap_or_default();
            format!("{number} is {}.", pupil_in_words(pupil, Some(number), views))
        }
        What::Record(record) => record_in_words(record, views),
        What::Payer => {
            let orders = count(subject.records.len() as i64, "order", "orders");
            format!("{number} is no known pupil's number, but the payer gave it with {orders}.")
        }
        What::Transfer => transfer_in_words(number, subject, views),
        What::Event(event) => format!("{number} is {}", event_in_words(event, subject, views, zone)),
    }
}

/// `the pupil Ananya Kulkarni (GVS/2026/0417), Grade 3 Marigold`; the number only where it was not `asked` for.
fn pupil_in_words(pupil_key: &str, asked: Option<&str>, views: &Views) -> String {
    let student = views.student(pupil_key);
    let text = |column: &str| student.and_then(|row| cell(row, column));
    let number = number_of(pupil_key);
    let grade = text("grade_name").or(text("grade_code")).filter(|_| asked.is_some());
    let grade = grade.map(|grade| format!(", {grade}")).unwrap_or_default();
    match text("fullname") {
        Some(name) if asked == Some(number) => format!("the pupil {name}{grade}"),
        Some(name) => format!("the pupil {name} ({number}){grade}"),
        None if student.is_none() => "a pupil of whom nothing is in the tables yet".to_owned(),
        None if asked == Some(number) => format!("a pupil whose name Jodo never said{grade}"),
        None => format!("the pupil {number}{grade}"),
    }
}

/// `flex_661204 is an instalment payment of the pupil …: settled, 22000.00.`
fn record_in_words(record: &Record, views: &Views) -> String {
    let row = views.record(record);
    let text = |column: &str| row.and_then(|row| cell(row, column));
    let whose = text("pupil_key").map(|key| format!(" of {}", pupil_in_words(key, None, views)));
    let payer = text("name").map(|name| format!(" of the payer {name} that names no known pupil"));
    let state = row.map_or_else(|| "nothing of it is in the tables yet".to_owned(), state_and_amount);
    let whose = whose.or(payer).unwrap_or_default();
    format!("{} is {}{whose}: {state}.", record.key, kind_in_words(record, text("kind")))
}

/// `an instalment payment`, `a payment link`.
fn kind_in_words(record: &Record, kind: Option<&str>) -> String {
    let what = match (kind, noun(record.entity)) {
        (Some("instalment"), _) => "instalment payment",
        (Some("downpayment"), _) => "down-payment",
        (Some("page"), _) => "payment on a page",
        (Some("payment_link"), _) => "payment link",
        (_, noun) => noun,
    };
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'E']) { "an" } else { "a" };
    format!("{article} {what}")
}

/// `settled, 22000.00`, as far as the view's row has them.
fn state_and_amount(row: &AnyRow) -> String {
    let amount = ["disbursed_amount", "amount", "schedule_total"].iter().find_map(|name| cell(row, name));
    let state = cell(row, "state").map(|state| state.replace('_', " "));
    let parts: Vec<_> = state.into_iter().chain(amount.map(str::to_owned)).collect();
    if parts.is_empty() { "no amount is known".to_owned() } else { parts.join(", ") }
}

/// `HYPB26070711842 is a bank transfer: 20000.00 on 2026-07-07, for 1 fee line of 1 payment.`
fn transfer_in_words(utr: &str, subject: &Subject, views: &Views) -> String {
    let payments = count(subject.records.len() as i64, "payment", "payments");
    let Some(credit) = views.of("jodo_bank_credits").first() else {
        return format!("{utr} was named as a bank transfer with {payments}, none of which counts now.");
    };
    let amount = cell(credit, "amount").unwrap_or("of unknown amount");
    let day = cell(credit, "credited_on").map(|day| format!(" on {day}")).unwrap_or_default();
    let lines = cell(credit, "lines").and_then(|lines| lines.parse::<i64>().ok()).unwrap_or_default();
    let lines = count(lines, "fee line", "fee lines");
    format!("{utr} is a bank transfer: {amount}{day}, for {lines} of {payments}.")
}

/// `an event of 2026-07-05 10:18:10 IST about the payment flex_661204.`
fn event_in_words(event: &StoredEvent, subject: &Subject, views: &Views, zone: &TimeZone) -> String {
    let time = event.event_time.map(|time| format!(" of {}", when_seconds(time, zone)));
    let about =
        subject.records.first().map(|record| format!(" about the {} {}", noun(record.entity), record.key));
    let pupil = subject.pupil.as_deref().map(|key| format!(" about {}", pupil_in_words(key, None, views)));
    format!("an event{}{}.", time.unwrap_or_default(), about.or(pupil).unwrap_or_default())
}

/// The sentence of an event's code; what it is, where this version does not know it.
pub(super) fn code_in_words(code: Option<&str>) -> String {
    match code.map(|code| (code, code.parse::<KnownCode>())) {
        Some((_, Ok(known))) => known.sentence().to_owned(),
        Some((code, Err(_))) => format!("This version does not know events of the kind {code}."),
        None => "It does not say what kind of event it is.".to_owned(),
    }
}
