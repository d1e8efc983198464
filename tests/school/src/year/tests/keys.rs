//! Keys tell their run, and the pupil's two ids have nothing in common.

use super::*;

/// Members that hold keys.
const KEYS: [&str; 9] = [
    "event_id",
    "id",
    "order_id",
    "jodo_student_id",
    "identifier",
    "reference_id",
    "transaction_id",
    "settlement_utr",
    "erp_reference_id",
];

/// Every key in a body, as text.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| keys(value, found)),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if KEYS.contains(&name.as_str()) && !text.is_empty() => {
                        found.insert(text.clone());
                    }
                    Value::Number(number) if KEYS.contains(&name.as_str()) => {
                        found.insert(number.to_string());
                    }
                    _ => keys(value, found),
                }
            }
        }
        _ => (),
    }
}

fn keys_of(run: Run) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    history(run).iter().for_each(|body| keys(body, &mut found));
    found
}

#[test]
fn every_key_names_its_run_and_runs_share_none() {
    let ours = keys_of(RUN);
    for key in &ours {
        match key.parse::<u64>() {
            Ok(number) => assert_eq!(number / 100_000_000, 1_000_000 + 7 * 1_000_003 + 200, "{key}"),
            Err(_) => assert!(key.starts_with(&format!("{PREFIX}y7_200_")) || key.starts_with("sim_y7_200/")),
        }
    }
    for other in [run(8, 200), run(7, 201)] {
        assert!(keys_of(other).is_disjoint(&ours), "{other}");
    }
}

#[test]
fn an_id_belongs_to_one_pupil_and_can_be_told_from_some_event() {
    let mut pupils: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for body in YEAR.iter() {
        let payload = &body["payload"];
        if !says(&payload["jodo_student_id"]) {
            continue;
        }
        let id = payload["jodo_student_id"].to_string().replace('"', "");
        let identifier = &payload["student"]["identifier"];
        let numbers = pupils.entry(id).or_default();
        numbers.extend(identifier.as_str().filter(|text| !text.is_empty()).map(str::to_owned));
    }
    // One id for a pupil without a number, and two for the others as far as they were needed.
    let (nameless, named): (Vec<_>, Vec<_>) = pupils.iter().partition(|(_, numbers)| numbers.is_empty());
    assert!(named.iter().all(|(_, numbers)| numbers.len() == 1), "{named:?}");
    assert_eq!(nameless.len(), 200 / 25);
    assert!(nameless.iter().all(|(id, _)| id.parse::<u64>().is_ok()), "{nameless:?}");
    let in_master_data = |id: &&&String| id.contains("_student_");
    assert!(named.iter().map(|(id, _)| id).filter(in_master_data).count() > 150);
}

#[test]
fn about_half_of_the_orders_name_a_pupil() {
    let history = &*YEAR;
    let orders: BTreeMap<_, _> = history
        .iter()
        .filter_map(|body| Some((body["payload"]["order_id"].as_str()?, &body["payload"]["order"])))
        .collect();
    let named = |order: &&&Value| order["identifier"].as_str().unwrap().contains("/A/");
    let count = orders.values().filter(named).count();
    assert!((orders.len() / 3..=orders.len() * 2 / 3).contains(&count), "{count} of {}", orders.len());
}
