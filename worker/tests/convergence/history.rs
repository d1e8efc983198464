//! Random histories of the six codes, over few ids and few instants, so that events meet.

use jiff::Timestamp;
use jodo_shared::ids::{DeliveryKey, SourceName};
use jodo_shared::message::{Message, Peeked};
use jodo_test_support::school::Sent;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// The source that all of them come from.
pub(crate) const SOURCE: &str = "jodo";

/// The message that the ingress would make of a delivery.
pub(crate) fn message(sent: &Sent) -> Message {
    let source: SourceName = SOURCE.parse().expect("a name");
    Message {
        key: DeliveryKey::of(&source, sent.bytes.as_bytes()),
        source,
        tenant: "main".parse().expect("a tenant"),
        target: "main".parse().expect("a name"),
        received_at: Timestamp::UNIX_EPOCH,
        peeked: Peeked::default(),
        verified: true,
        redrive: false,
        trace: None,
        body: sent.bytes.clone().into_bytes().into(),
    }
}

/// Absent in one of its three forms, or a value.
fn maybe(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![1 => Just(Value::Null), 1 => Just(json!("")), 4 => select(values).prop_map(|text| json!(text))]
}

fn student() -> impl Strategy<Value = Value> {
    let identifier = maybe(&["A/1", "A/2", "A/3"]);
    let grade = (maybe(&["G6", "G7"]), maybe(&["Grade 6", "Grade 7"]));
    (identifier, maybe(&["90001", "90002"]), grade, maybe(&["Asha", "Ravi"])).prop_map(
        |(identifier, phone, (code, name), fullname)| {
            json!({
                "identifier": identifier,
                "primary_contact_number": phone,
                "fullname": fullname,
                "grade": { "code": code, "name": name },
                "academic_year_start": if fullname == "Asha" { json!(2026) } else { json!("2025") },
            })
        },
    )
}

fn jodo_id() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), Just(json!("s1")), Just(json!("7")), Just(json!(7)), Just(json!(8))]
}

fn payment() -> impl Strategy<Value = Value> {
    let amount = prop_oneof![
        Just(Value::Null),
        Just(json!(1000)),
        Just(json!("1000.00")),
        Just(json!(999.5)),
        Just(json!("20000.25")),
    ];
    let id = select(&["p1", "p2", "p3"][..]);
    // Registers of several columns, some of which are derived from the first and may be null.
    let paid_at = maybe(&["2026-06-01T20:00:00Z", "2026-06-02T09:45:00+05:30", "2026-06-02T05:00:00"]);
    let lines = prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!([{ "fee_component": "TUITION", "amount": "900" }, { "fee_component": "BUS" }])),
        Just(json!([{ "component_type": "TUITION", "amount": 1000.0 }])),
    ];
    let texts = (
        maybe(&["cash", "cheque"]),
        maybe(&["UTR1", "UTR2"]),
        maybe(&["RCPT-1", "RCPT-2"]),
        maybe(&["x", "y"]),
    );
    (id, amount, texts, paid_at, lines).prop_map(|(id, amount, (mode, utr, transaction, notes), paid_at, details)| {
        json!({
            "id": id, "amount": amount, "mode": mode, "settlement_utr": utr, "transaction_id": transaction,
            "notes": notes, "paid_at": paid_at, "details": details,
        })
    })
}

fn sent() -> impl Strategy<Value = Sent> {
    let code = select(
        &[
            "masterdata.student.registered",
            "masterdata.student.dropped",
            "masterdata.student.activated",
            "direct.payment.added",
            "direct.payment.updated",
            "direct.payment.cancelled",
        ][..],
    );
    (code, 0..5i64, 0..1000u32, jodo_id(), student(), payment()).prop_map(
        |(code, second, serial, jodo_student_id, student, payment)| {
            let mut payload = json!({ "jodo_student_id": jodo_student_id, "student": student });
            if code.starts_with("direct.") {
                payload["payment"] = payment;
            }
            let body = json!({
                "event_id": format!("event-{serial}"),
                "event": code,
                "timestamp": 1_780_000_000 + second,
                "payload": payload,
            });
            Sent::from(body)
        },
    )
}

/// A history, an order in which it arrives with repeats, and where its batches are cut.
#[derive(Debug, Clone)]
pub(crate) struct History {
    /// What happened.
    pub sent: Vec<Sent>,
    /// Indices into `sent`, each at least once.
    pub arrivals: Vec<usize>,
    /// Sizes of the batches; the last one repeats.
    pub batches: Vec<usize>,
}

/// Random histories.
pub(crate) fn histories() -> impl Strategy<Value = History> {
    prop::collection::vec(sent(), 1..40)
        .prop_flat_map(|sent| {
            let count = sent.len();
            let repeats = prop::collection::vec(0..count, 0..count);
            let arrivals =
                repeats.prop_map(move |more| (0..count).chain(more).collect::<Vec<_>>()).prop_shuffle();
            (Just(sent), arrivals, prop::collection::vec(1..8usize, 1..6))
        })
        .prop_map(|(sent, arrivals, batches)| History { sent, arrivals, batches })
}
