//! What the views must show.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::World;
use super::payment::Payment;
use super::pupil::{Pupil, Told};
use super::spelling::rupees;

/// A view's row: column to text. A column that is not named holds nothing.
pub(crate) type Row = BTreeMap<&'static str, String>;
/// View to rows, each under its key: `pupil_key` or `payment_id`.
pub(crate) type Views = BTreeMap<&'static str, BTreeMap<String, Row>>;

impl World {
    /// What the views must show once everything that happened so far has arrived; days are those of `zone`.
    pub(crate) fn truth(&self, zone: &TimeZone) -> Views {
        let payments: BTreeMap<_, _> =
            self.payments.iter().map(|payment| (payment.id.clone(), self.payment(payment, zone))).collect();
        let mut sums: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for row in payments.values().filter(|row| row["state"] == "recorded") {
            if let (Some(pupil), paise) = (row.get("pupil_key"), row.get("amount_paise")) {
                let sum = sums.entry(pupil).or_default();
                sum.0 += 1;
                sum.1 += paise.and_then(|paise| paise.parse().ok()).unwrap_or(0);
            }
        }
        let named = || self.pupils.iter().filter(|pupil| pupil.named);
        let overview = named().map(|pupil| {
            let key = pupil.key();
            let sum = sums.get(key.as_str()).copied().unwrap_or_default();
            (key, overview(pupil, sum))
        });
        let overview = overview.collect();
        let students = named().map(|pupil| (pupil.key(), student(pupil))).collect();
        [("jodo_students", students), ("jodo_student_overview", overview), ("jodo_manual_payments", payments)]
            .into()
    }

    fn payment(&self, payment: &Payment, zone: &TimeZone) -> Row {
        let mut row = payment.last_words.told.clone();
        row.extend(payment.content.told.clone());
        row.insert("payment_id", payment.id.clone());
        if let Some(owner) = payment.content.owner.or(payment.last_words.owner) {
            let owner = &self.pupils[owner];
            row.insert("pupil_key", owner.key());
            row.extend(owner.identifier.clone().map(|identifier| ("identifier", identifier)));
        }
        let paid_at = row.get("paid_at_utc").and_then(|utc| utc.parse::<Timestamp>().ok());
        row.extend(paid_at.map(|instant| ("paid_on", zone.to_datetime(instant).date().to_string())));
        row.insert("state", if payment.cancelled { "cancelled" } else { "recorded" }.to_owned());
        row
    }
}

fn student(pupil: &Pupil) -> Row {
    let mut row = pupil.told.clone();
    row.insert("pupil_key", pupil.key());
    row
}

fn overview(pupil: &Pupil, (payments, paise): (u64, u64)) -> Row {
    let told = |column: &str, told: &Told| told.get(column).cloned();
    let mut row: Row = [
        ("pupil_key", pupil.key()),
        ("manual_payments", payments.to_string()),
        ("manual_paid_paise", paise.to_string()),
        ("manual_paid", rupees(paise)),
    ]
    .into();
    for (shown, column) in [("identifier", "identifier"), ("grade", "grade_name"), ("enrolment", "enrolment")]
    {
        row.extend(told(column, &pupil.told).map(|value| (shown, value)));
    }
    row
}
