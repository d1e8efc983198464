//! What happens in the school, from a seed.

use fastrand::Rng;
use serde_json::{Value, json};

use super::Sent;

const START: i64 = 1_780_000_000;

/// `count` deliveries about `students` pupils, each body different, in order of occurrence. The same seed gives the
/// same bytes. About a third are enrolments; the rest are manual payments, most of them recorded, some corrected, a
/// few voided.
pub fn history(seed: u64, count: usize, students: usize) -> Vec<Sent> {
    let mut rng = Rng::with_seed(seed);
    let mut payments: Vec<(usize, usize)> = Vec::new();
    (0..count)
        .map(|n| {
            // Several events share a second, as they do with the sender.
            let timestamp = START + (n / 3) as i64;
            let student = rng.usize(..students.max(1));
            let (code, payload) = match rng.u8(..12) {
                0..2 => ("masterdata.student.registered", enrolment(&mut rng, student)),
                2 => ("masterdata.student.dropped", enrolment(&mut rng, student)),
                3 => ("masterdata.student.activated", enrolment(&mut rng, student)),
                4..9 => {
                    payments.push((payments.len(), student));
                    ("direct.payment.added", payment(&mut rng, payments.len() - 1, student))
                }
                kind => {
                    let (payment_id, student) = rng.choice(&payments).copied().unwrap_or((0, student));
                    let code = if kind == 11 { "direct.payment.cancelled" } else { "direct.payment.updated" };
                    (code, payment(&mut rng, payment_id, student))
                }
            };
            let event_id = format!("{seed:08x}-0000-4000-8000-{n:012x}");
            Sent::from(json!({
                "event_id": event_id, "event": code, "timestamp": timestamp, "version": "1.0", "payload": payload,
            }))
        })
        .collect()
}

fn block(rng: &mut Rng, student: usize) -> Value {
    let grade = rng.u8(1..=12);
    let mut block = json!({
        "identifier": format!("SCH/{student:05}"),
        "custom_identifier": null,
        "grade": { "code": format!("G{grade}"), "name": format!("Grade {grade}") },
        "academic_year_start": 2026,
        "academic_year_end": 2027,
        "primary_contact_number": format!("90000{:05}", rng.u32(..100_000)),
        "primary_contact_email": format!("parent{student}@parents.example"),
    });
    if rng.u8(..10) == 0 {
        block["identifier"] = Value::Null;
    }
    block
}

fn enrolment(rng: &mut Rng, student: usize) -> Value {
    json!({ "jodo_student_id": format!("student_{student}"), "student": block(rng, student) })
}

fn payment(rng: &mut Rng, payment: usize, student: usize) -> Value {
    let paise = rng.u32(100..5_000_000);
    let amount = format!("{}.{:02}", paise / 100, paise % 100);
    let utr = if rng.bool() { json!(format!("UTR{}", rng.u32(..))) } else { Value::Null };
    json!({
        "payment": {
            "id": format!("direct_{payment}"),
            // A number or a text, as the sender does.
            "amount": if rng.bool() { json!(amount) } else { json!(f64::from(paise) / 100.0) },
            "mode": rng.choice(["cash", "cheque", "bank_transfer"]),
            "transaction_id": format!("RCPT-{payment}"),
            "settlement_utr": utr,
            "paid_at": "2026-06-02T05:00:00Z",
            "details": [{ "fee_component": "TUITION_FEE", "amount": amount }],
        },
        "student": block(rng, student),
    })
}
