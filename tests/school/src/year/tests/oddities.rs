//! What a year has to offer to whoever reads it: everything odd that the sender may say, each often enough.

use super::*;

/// What is said of one thing: the last word of the code, and the payload.
type Told = [(&'static str, &'static Value)];
type Things = BTreeMap<String, Vec<(&'static str, &'static Value)>>;

/// The year's events by the key that a member of the payload says.
fn by_key(keys: &[&str]) -> Things {
    let mut told = Things::new();
    for body in YEAR.iter() {
        let payload = &body["payload"];
        for key in keys.iter().filter_map(|path| payload.pointer(path)) {
            let word = code(body).rsplit('.').next().unwrap();
            told.entry(key.to_string().replace('"', "")).or_default().push((word, payload));
        }
    }
    told
}

/// Where a word stands first.
fn first(told: &Told, word: &str) -> Option<usize> {
    told.iter().position(|(found, _)| *found == word)
}

/// Whether one word stands somewhere after the first of another.
fn follows(told: &Told, later: &str, earlier: &str) -> bool {
    first(told, earlier).is_some_and(|at| first(&told[at..], later).is_some())
}

fn count(told: &Told, word: &str) -> usize {
    told.iter().filter(|(found, _)| *found == word).count()
}

/// How many of the things are so.
fn assert_some(things: &Things, at_least: usize, what: &str, so: impl Fn(&Told) -> bool) {
    let found = things.values().filter(|told| so(told)).count();
    assert!(found >= at_least, "{what}: {found}");
}

/// The lines that the settled events of a payment name, and whether each has a UTR.
fn settled_lines(told: &Told) -> Vec<bool> {
    let lines = |payload: &Value| {
        let details = payload.pointer("/payment/details").or(payload.pointer("/order/details")).unwrap();
        details.as_array().unwrap().iter().map(|line| says(&line["settlement_utr"])).collect::<Vec<_>>()
    };
    told.iter().filter(|(word, _)| *word == "settled").flat_map(|(_, payload)| lines(payload)).collect()
}

#[test]
fn payments_go_every_way() {
    let payments = by_key(&["/payment/id", "/order_id"]);
    let some = |at_least, what, so: &dyn Fn(&Told) -> bool| assert_some(&payments, at_least, what, so);
    some(20, "settled and never debited", &|told| {
        first(told, "settled").is_some() && first(told, "debited").is_none()
    });
    some(80, "settled in several events", &|told| count(told, "settled") > 1);
    some(5, "bounced, and debited as the same payment", &|told| follows(told, "debited", "bounced"));
    some(3, "bounced after it was debited", &|told| follows(told, "bounced", "debited"));
    some(20, "bounced for good", &|told| first(told, "bounced").is_some() && told.len() == 1);
    some(3, "paid after it expired", &|told| follows(told, "debited", "expired"));
    some(8, "expired", &|told| first(told, "expired").is_some());
    some(10, "a UTR that comes later", &|told| {
        let lines = settled_lines(told);
        lines.contains(&false) && *lines.last().unwrap()
    });
    some(2, "a UTR that never comes", &|told| {
        count(told, "settled") == 1 && settled_lines(told).contains(&false)
    });
    some(5, "a voided payment is corrected", &|told| follows(told, "updated", "cancelled"));
    some(5, "a manual payment never added", &|told| {
        first(told, "updated").is_some() && first(told, "added").is_none()
    });
    some(10, "entered for the wrong child", &|told| {
        let whose = told.iter().filter(|(word, _)| ["added", "updated"].contains(word));
        let whose: BTreeSet<_> = whose.filter_map(|(_, p)| p["student"]["identifier"].as_str()).collect();
        whose.iter().filter(|identifier| !identifier.is_empty()).count() > 1
    });
    some(5, "a manual payment of nobody", &|told| {
        let (word, payload) = told[0];
        word == "added" && !says(&payload["jodo_student_id"]) && !says(&payload["student"]["identifier"])
    });
}

#[test]
fn plans_go_every_way() {
    let plans = by_key(&["/subscription/id"]);
    let some = |at_least, what, so: &dyn Fn(&Told) -> bool| assert_some(&plans, at_least, what, so);
    some(5, "never set up", &|told| first(told, "setup").is_none());
    some(5, "never active", &|told| first(told, "setup").is_some() && first(told, "active").is_none());
    some(3, "cancelled, then closed", &|told| follows(told, "closed", "cancelled"));
    some(3, "closed, then cancelled", &|told| follows(told, "cancelled", "closed"));
    some(3, "active after it was cancelled", &|told| follows(told, "active", "cancelled"));
    some(3, "debited after the end", &|told| follows(told, "debited", "closed"));
    some(3, "updated several times", &|told| count(told, "updated") > 1);
    some(5, "a mandate ends and the plan goes on", &|told| {
        told.iter().position(|(_, payload)| payload.get("mandate").is_some()).is_some_and(|at| {
            let after = &told[at..];
            first(after, "debited").is_some() && first(after, "active").is_none()
        })
    });
    let mandates = YEAR.iter().filter_map(|body| body.pointer("/payload/mandate/npci_category_code"));
    assert_eq!(mandates.filter_map(Value::as_str).collect::<BTreeSet<_>>().len(), 4);
}

#[test]
fn loans_go_every_way() {
    let loans = by_key(&["/application/id"]);
    let some = |at_least, what, so: &dyn Fn(&Told) -> bool| assert_some(&loans, at_least, what, so);
    let ends = ["rejected", "canceled", "application_expired"];
    some(3, "signed before it was approved", &|told| follows(told, "final_approved", "agreement_signed"));
    some(2, "start not told", &|told| first(told, "application_started").is_none());
    some(3, "ended after the signature", &|told| {
        ends.iter().any(|end| follows(told, end, "agreement_signed"))
    });
    some(1, "ended after the money", &|told| follows(told, "canceled", "disbursed"));
    some(1, "repaid after its end", &|told| ends.iter().any(|end| follows(told, "debited", end)));
    for end in ends {
        some(2, end, &|told| first(told, end).is_some());
    }
    some(3, "several tranches", &|told| count(told, "disbursed") > 1);
    assert!(RUN.bodies().any(|body| body.contains("\"is_disbursed\":true")));
}

#[test]
fn pupils_come_and_go() {
    let pupils = by_key(&["/jodo_student_id"]);
    let some = |at_least, what, so: &dyn Fn(&Told) -> bool| assert_some(&pupils, at_least, what, so);
    some(150, "registered", &|told| first(told, "registered").is_some());
    some(10, "dropped", &|told| first(told, "dropped").is_some());
    some(5, "back again", &|told| follows(told, "activated", "dropped"));
}
