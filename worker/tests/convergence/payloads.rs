//! Random payloads of every family.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// A payload that an event of this code may have.
pub(crate) fn payload(code: &str) -> BoxedStrategy<Value> {
    let with_student = |more: BoxedStrategy<Value>| {
        (jodo_id(), student(), more)
            .prop_map(|(jodo_student_id, student, mut more)| {
                more["jodo_student_id"] = jodo_student_id;
                more["student"] = student;
                more
            })
            .boxed()
    };
    let mut words = code.split('.');
    match (words.next().unwrap_or_default(), words.next().unwrap_or_default()) {
        ("masterdata", _) => with_student(Just(json!({})).boxed()),
        ("direct", _) => with_student(manual().boxed()),
        ("flex", "subscription") => with_student(plan().boxed()),
        ("flex", "mandate") => with_student(mandate().boxed()),
        ("flex", _) | ("pay", _) => with_student(payment().boxed()),
        ("cred", "emi") => with_student(repayment().boxed()),
        ("cred", _) => with_student(loan().boxed()),
        _ => order().boxed(),
    }
}

/// Absent in one of its three forms, or a value.
fn maybe(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![1 => Just(Value::Null), 1 => Just(json!("")), 4 => select(values).prop_map(|text| json!(text))]
}

/// One of these values.
fn one<const N: usize>(values: [Value; N]) -> impl Strategy<Value = Value> {
    select(Vec::from(values))
}

fn student() -> impl Strategy<Value = Value> {
    let grade = (maybe(&["G6", "G7"]), maybe(&["Grade 6", "Grade 7"]));
    (maybe(&["A/1", "A/2", "A/3"]), maybe(&["90001", "90002"]), grade, maybe(&["Asha", "Ravi"])).prop_map(
        |(identifier, phone, (code, name), fullname)| {
            json!({
                "identifier": identifier,
                "primary_contact_number": phone,
                "fullname": fullname,
                "grade": { "code": code, "name": name },
                "academic_year_start": if fullname == "Asha" { json!(2026) } else { json!("2025") },
                "notes": if phone == "90001" { json!([{ "value": "x", "key": "house" }]) } else { json!([]) },
            })
        },
    )
}

fn jodo_id() -> impl Strategy<Value = Value> {
    one([Value::Null, json!("s1"), json!("7"), json!(7), json!(8)])
}

fn amount() -> impl Strategy<Value = Value> {
    one([Value::Null, json!(1000), json!("1000.00"), json!(999.5), json!("20000.25"), json!(-3.01)])
}

fn instant() -> impl Strategy<Value = Value> {
    maybe(&[
        "2026-06-01T20:00:00Z",
        "2026-06-02T09:45:00+05:30",
        "2026-06-02T05:00:00.75Z",
        "2026-06-02T05:00:00",
    ])
}

fn day() -> impl Strategy<Value = Value> {
    maybe(&["2026-07-05", "2026-08-05"])
}

/// Fee lines, equal ones among them, some settled.
fn lines() -> impl Strategy<Value = Value> {
    let line = (
        any::<bool>(),
        maybe(&["TUITION", "BUS"]),
        one([json!(1000), json!("1000.0"), json!(500.25), Value::Null]),
        maybe(&["UTR1", "UTR2"]),
        instant(),
    );
    let line = line.prop_map(|(label, component, amount, utr, at)| {
        let name = if label { "component_type" } else { "fee_component" };
        json!({ name: component, "amount": amount, "settlement_utr": utr, "settled_at": at })
    });
    prop::collection::vec(line, 0..5).prop_map(Value::from)
}

fn manual() -> impl Strategy<Value = Value> {
    let texts = (
        maybe(&["cash", "cheque"]),
        maybe(&["UTR1", "UTR3"]),
        maybe(&["RCPT-1", "RCPT-2"]),
        maybe(&["x", "y"]),
    );
    (select(&["p1", "p2"][..]), amount(), texts, instant(), lines()).prop_map(
        |(id, amount, (mode, utr, transaction, notes), paid_at, details)| {
            json!({ "payment": {
                "id": id, "amount": amount, "mode": mode, "settlement_utr": utr, "transaction_id": transaction,
                "notes": notes, "paid_at": paid_at, "details": details,
            } })
        },
    )
}

fn subscription() -> impl Strategy<Value = Value> {
    (one([json!("7"), json!(7), json!("sub_7"), Value::Null]), maybe(&["active", "locked"]))
        .prop_map(|(id, status)| json!({ "id": id, "status": status }))
}

fn plan() -> impl Strategy<Value = Value> {
    let instalment = (day(), amount(), lines()).prop_map(
        |(due_date, amount, details)| json!({ "due_date": due_date, "amount": amount, "details": details }),
    );
    let schedule = prop::collection::vec(instalment, 0..3);
    (one([json!("7"), json!(7), json!("sub_7")]), maybe(&["active", "locked"]), schedule).prop_map(
        |(id, status, schedule)| {
            json!({ "subscription": { "id": id, "status": status }, "payment_schedule": schedule })
        },
    )
}

fn mandate() -> impl Strategy<Value = Value> {
    let mandate = (
        select(&["m1", "m2"][..]),
        maybe(&["cancelled", "expired"]),
        maybe(&["customer_revoked", "mandate_error"]),
        day(),
    );
    (subscription(), mandate).prop_map(|(subscription, (id, status, category, end))| {
        json!({
            "subscription": subscription,
            "mandate": { "id": id, "status": status, "npci_category_code": category, "end_date": end },
        })
    })
}

/// A payment under a plan, or one without; the ids of both kinds meet.
fn payment() -> impl Strategy<Value = Value> {
    let texts = (maybe(&["upi", "enach"]), maybe(&["REF1", "REF2"]), maybe(&["flex", "pg"]));
    (select(&["f1", "f2"][..]), amount(), texts, instant(), lines(), subscription()).prop_map(
        |(id, amount, (mode, reference, product), paid_at, details, subscription)| {
            json!({
                "subscription": subscription,
                "payment": {
                    "id": id, "amount": amount, "mode": mode, "reference_id": reference, "product": product,
                    "paid_at": paid_at, "details": details,
                },
            })
        },
    )
}

fn order() -> impl Strategy<Value = Value> {
    let texts = (maybe(&["Asha", "Ravi"]), maybe(&["A/1", "x9f"]), maybe(&["T1", "T2"]), maybe(&["paid"]));
    let learner = (one([json!(true), json!(false), Value::Null]), day(), maybe(&["grade_1"]));
    (select(&["o1", "o2"][..]), texts, learner, instant(), lines()).prop_map(
        |(id, (name, identifier, transaction, status), (new, born, grade), paid_at, details)| {
            json!({ "order_id": id, "order": {
                "name": name, "phone": name, "email": name, "student_name": name, "identifier": identifier,
                "transaction_id": transaction, "status": status, "new_admission": new, "date_of_birth": born,
                "grade": grade, "academic_year_start": "2026", "paid_at": paid_at, "details": details,
            } })
        },
    )
}

fn application() -> impl Strategy<Value = Value> {
    let id = one([json!("41"), json!(41), json!(42)]);
    (id, maybe(&["started", "signed"]), amount(), instant()).prop_map(|(id, status, amount, signed_at)| {
        json!({ "id": id, "status": status, "amount": amount, "agreement_signed_at": signed_at })
    })
}

/// What any event of a loan says; those that have no use for the tranches do not read them.
fn loan() -> impl Strategy<Value = Value> {
    let tranche = || (one([json!(601), json!("601"), json!(602)]), day(), amount());
    let planned = (tranche(), one([json!(true), json!(false), Value::Null]));
    let planned = planned.prop_map(|((id, date, amount), paid_out)| {
        json!({ "id": id, "date": date, "amount": amount, "is_disbursed": paid_out })
    });
    let disbursed = tranche()
        .prop_map(|(id, date, amount)| json!({ "id": id, "date": date, "disbursed_amount": amount }));
    (application(), prop::collection::vec(planned, 0..3), disbursed).prop_map(
        |(application, planned, disbursed)| {
            json!({ "application": application, "disbursements": planned, "disbursement": disbursed })
        },
    )
}

fn repayment() -> impl Strategy<Value = Value> {
    (application(), select(&["e1", "e2"][..]), amount(), day(), instant()).prop_map(
        |(application, id, amount, due_date, paid_at)| {
            json!({
                "application": application,
                "payment": { "id": id, "amount": amount, "due_date": due_date, "paid_at": paid_at },
            })
        },
    )
}
