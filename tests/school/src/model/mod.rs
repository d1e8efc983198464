//! The judge. It reads the whole history of event bodies at once and says which rows every view must show.
//!
//! It is naive on purpose. [`replay`] turns every body into words about things (`hearing`), puts the words about one
//! thing together (`book`), sorts them by when they count and applies them one after the other (`words`), so that the
//! newest stands. The views are then read off the things, one function each.
//!
//! A body that is no event, has an unknown code or lacks the id of what it is about says nothing, without complaint:
//! how the pipeline sets such bodies aside is for other tests. Timestamps are believed.

mod anomalies;
mod book;
mod event;
mod hearing;
mod ledger;
mod lines;
mod loans;
mod overview;
mod payments;
mod plans;
mod pupils;
mod reading;
mod receipts;
mod settling;
mod sheet;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use book::{Book, World};
use event::Event;

/// Column to value; a column without a value is not there.
pub type Row = BTreeMap<&'static str, String>;
/// Rows of one view under their keys.
pub type Rows = BTreeMap<String, Row>;
/// View to rows.
pub type Views = BTreeMap<&'static str, Rows>;

/// What the judge must know beside the bodies.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The name of the source that the bodies came to.
    pub source: String,
    /// The tenant that the source is configured for.
    pub tenant: String,
    /// The institute's.
    pub time_zone: TimeZone,
}

/// Every view the judge knows, and the columns that tell its rows apart.
pub static VIEWS: &[(&str, &[&str])] = &[
    ("jodo_receipts", &["product", "payment_id"]),
    ("jodo_fee_lines", &["product", "payment_id", "component", "amount", "n"]),
    ("jodo_bank_credits", &["utr"]),
    ("jodo_unmatched_receipts", &["product", "payment_id"]),
    ("jodo_loan_repayments", &["payment_id"]),
    ("jodo_student_overview", &["pupil_key"]),
    ("jodo_students", &["pupil_key"]),
    ("jodo_subscriptions", &["subscription_id"]),
    ("jodo_plan_instalments", &["subscription_id", "n"]),
    ("jodo_mandates", &["mandate_id"]),
    ("jodo_loans", &["application_id"]),
    ("jodo_disbursements", &["disbursement_id"]),
    ("jodo_manual_payments", &["payment_id"]),
    ("jodo_flex_payments", &["payment_id"]),
    ("jodo_pay_payments", &["payment_id"]),
    ("jodo_orders", &["order_id"]),
    ("jodo_anomalies", &["kind", "subject", "detail", "clock_key"]),
];

/// Replays bodies: what every view of [`VIEWS`] must show once all of them have arrived.
///
/// The order of the slice is of no account, and equal bodies count once.
pub fn replay<B: AsRef<str>>(setting: &Setting, bodies: &[B]) -> Views {
    let bodies: BTreeSet<&str> = bodies.iter().map(AsRef::as_ref).collect();
    let mut book = Book::default();
    let mut event_ids: BTreeMap<&str, String> = BTreeMap::new();
    for body in bodies {
        let Some(event) = Event::parse(&setting.source, body) else { continue };
        hearing::hear(&event, &mut book);
        event_ids.extend(event.id.map(|id| (body, id)));
    }
    let world = World::after(book, &setting.tenant, setting.time_zone.clone());
    let reused = anomalies::reused_event_ids(&setting.source, &event_ids);

    let plans = plans::plans(&world);
    let payments = ledger::payments(&world);
    let receipts = receipts::receipts(&world, &payments);
    let rows_of = |view: &str| match view {
        "jodo_receipts" => receipts::receipt_rows(&world, &receipts),
        "jodo_fee_lines" => ledger::fee_lines(&world, &payments),
        "jodo_bank_credits" => receipts::bank_credits(&world, &payments),
        "jodo_unmatched_receipts" => receipts::unmatched_receipts(&world, &receipts),
        "jodo_loan_repayments" => loans::repayments(&world),
        "jodo_student_overview" => overview::overview(&world, &plans, &receipts),
        "jodo_students" => pupils::students(&world),
        "jodo_subscriptions" => plans::subscriptions(&world, &plans),
        "jodo_plan_instalments" => plans::plan_instalments(&world, &plans),
        "jodo_mandates" => plans::mandates(&world),
        "jodo_loans" => loans::loans(&world),
        "jodo_disbursements" => loans::disbursements(&world),
        "jodo_manual_payments" => ledger::manual_payments(&world, &payments),
        "jodo_flex_payments" => ledger::flex_payments(&world, &payments),
        "jodo_pay_payments" => ledger::pay_payments(&world, &payments),
        "jodo_orders" => ledger::orders(&world, &payments),
        _ => anomalies::anomalies(&world, &payments, &reused),
    };
    VIEWS.iter().map(|(view, columns)| (*view, under_keys(columns, rows_of(view)))).collect()
}

/// The rows of a view with columns of their own, to be compared with those of [`rows_by_key`].
pub fn owned(rows: Rows) -> BTreeMap<String, BTreeMap<String, String>> {
    let row = |row: Row| row.into_iter().map(|(column, value)| (column.to_owned(), value)).collect();
    rows.into_iter().map(|(key, columns)| (key, row(columns))).collect()
}

/// Puts rows as read from a database under the keys that [`replay`] uses, so that two can be compared.
pub fn rows_by_key(
    view: &str,
    rows: impl IntoIterator<Item = BTreeMap<String, Option<String>>>,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let columns = VIEWS.iter().find(|(own, _)| *own == view).map_or(&[][..], |(_, columns)| columns);
    let with_values = |row: BTreeMap<String, Option<String>>| {
        row.into_iter().filter_map(|(column, value)| Some((column, value?))).collect()
    };
    under_keys(columns, rows.into_iter().map(with_values).collect())
}

/// Rows under the values of their key columns. Of rows with the same key, the second and third by content get a number.
fn under_keys<Column>(
    columns: &[&str],
    rows: Vec<BTreeMap<Column, String>>,
) -> BTreeMap<String, BTreeMap<Column, String>>
where
    Column: Borrow<str> + Ord,
{
    let mut alike: BTreeMap<String, Vec<BTreeMap<Column, String>>> = BTreeMap::new();
    for row in rows {
        let values = columns.iter().map(|column| row.get(*column).map_or("", String::as_str));
        alike.entry(values.collect::<Vec<_>>().join(" / ")).or_default().push(row);
    }
    let mut keyed = BTreeMap::new();
    for (key, mut rows) in alike {
        rows.sort();
        for (n, row) in (1..).zip(rows) {
            keyed.insert(if n == 1 { key.clone() } else { format!("{key} #{n}") }, row);
        }
    }
    keyed
}
