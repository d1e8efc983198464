//! Authentic but broken: always 200, a row with the exact bytes, and no harm to the neighbours.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jodo_test_support::school::{expected, history, shown};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::cluster::{Cluster, SECRET, until};

/// Personal data that must never be seen outside the database.
const CANARY: &str = "canary-parent@parents.example";

fn sign(body: &[u8]) -> String {
    sign_with(SECRET, body)
}

fn sign_with(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn payment(id: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut body = json!({
        "event": "direct.payment.added", "event_id": format!("id-of-{id}"), "version": "1.0", "timestamp": 1_780_000_000,
        "payload": {
            "payment": { "id": id, "amount": 10 },
            "student": { "identifier": "B/1", "primary_contact_email": CANARY },
        },
    });
    change(&mut body);
    body.to_string().into_bytes()
}

/// What is sent, the ending it must have, and how many warnings.
fn cases() -> Vec<(&'static str, Vec<u8>, &'static str, usize)> {
    let with = |id: &str, pointer: &'static str, value: Value| {
        payment(id, |body| *body.pointer_mut(pointer).expect("a member") = value)
    };
    let text = |id: &str, from: &str, to: &str| {
        let body = String::from_utf8(payment(id, |_| {})).expect("UTF-8");
        assert!(body.contains(from), "{from}");
        body.replacen(from, to, 1).into_bytes()
    };
    let deep = format!("\"amount\":10,\"unread\":{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let digits = format!("\"amount\":10,\"unread\":{}", "9".repeat(400));
    vec![
        ("empty body", Vec::new(), "quarantined empty_body", 0),
        ("not JSON", b"{\"event\": ".to_vec(), "quarantined not_json", 0),
        ("not UTF-8", b"{\"event\": \"\xff\"}".to_vec(), "quarantined not_utf8", 0),
        ("no code", with("no_code", "/event", Value::Null), "quarantined missing_event_code", 0),
        (
            "unknown code",
            with("unknown_code", "/event", json!("flex.new")),
            "quarantined unknown_event_code",
            0,
        ),
        ("no timestamp", with("no_time", "/timestamp", Value::Null), "quarantined missing_timestamp", 0),
        (
            "milliseconds",
            with("ms", "/timestamp", json!(1_780_000_000_000_i64)),
            "quarantined implausible_timestamp",
            0,
        ),
        ("no key", with("no_key", "/payload/payment/id", Value::Null), "quarantined missing_key", 0),
        ("long key", with("x", "/payload/payment/id", json!("k".repeat(192))), "quarantined key_too_long", 0),
        ("NUL in key", with("x", "/payload/payment/id", json!("k\0k")), "quarantined unreadable_key", 0),
        (
            "surrogate in key",
            text("sur_key", "\"id\":\"sur_key\"", r#""id":"\ud800""#),
            "quarantined unreadable_key",
            0,
        ),
        (
            "amount in words",
            with("words", "/payload/payment/amount", json!("ten")),
            "quarantined unreadable_amount",
            0,
        ),
        (
            "three decimals",
            with("three", "/payload/payment/amount", json!("1.001")),
            "quarantined unreadable_amount",
            0,
        ),
        ("longest key", with("x", "/payload/payment/id", json!("k".repeat(191))), "applied -", 0),
        ("no event_id", with("no_id", "/event_id", Value::Null), "applied -", 1),
        ("event_id of another type", with("id_type", "/event_id", json!([1])), "applied -", 1),
        ("long event_id", with("long_id", "/event_id", json!("e".repeat(192))), "applied -", 1),
        (
            "field of another type",
            payment("type", |b| b["payload"]["payment"]["mode"] = json!({"a": 1})),
            "applied -",
            1,
        ),
        (
            "NUL in a field",
            payment("nul", |b| b["payload"]["payment"]["mode"] = json!("ca\0sh")),
            "applied -",
            1,
        ),
        (
            "surrogate in a field",
            text("sur", "\"amount\":10", r#""amount":10,"mode":"\udfff""#),
            "applied -",
            1,
        ),
        ("400 digits unread", text("digits", "\"amount\":10", &digits), "applied -", 0),
        ("20,000 deep unread", text("deep", "\"amount\":10", &deep), "applied -", 0),
        ("repeated member", text("twice", "\"amount\":10", "\"amount\":1,\"amount\":2"), "applied -", 0),
        ("exponent", text("exp", "\"amount\":10", "\"amount\":1e3"), "applied -", 0),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_deliveries_get_200_and_a_row_with_their_bytes_and_leave_their_neighbours_alone() {
    let cluster = Cluster::start(1).await;
    let neighbours = history(31, 476);
    let client = reqwest::Client::new();
    let post = async |body: Vec<u8>| {
        let request = client.post(&cluster.url).header("X-Jodo-Signature", sign(&body));
        let answer = request.body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let answer: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
        answer["delivery_key"].as_str().expect("a key").to_owned()
    };
    let mut keys = BTreeMap::new();
    for (name, body, ..) in cases() {
        keys.insert(name, post(body).await);
    }
    let order: Vec<_> = (0..neighbours.len()).collect();
    let answers = cluster.send(&neighbours, &order).await;
    assert_eq!(answers.get("200 OK"), Some(&order.len()), "{answers:?}");
    cluster.settled(neighbours.len() + keys.len()).await;

    for (name, body, ending, warnings) in cases() {
        let found = |column: &str| {
            let query = format!("SELECT {column} FROM jodo_events WHERE delivery_key = '{}'", keys[name]);
            let cluster = &cluster;
            async move { cluster.ask(&query).await }
        };
        assert_eq!(found("outcome || ' ' || coalesce(reason, '-')").await.as_deref(), Some(ending), "{name}");
        assert_eq!(found("encode(body, 'hex')").await, Some(hex::encode(body)), "{name}");
        let list: Vec<Value> =
            found("warnings").await.map_or(Vec::new(), |w| serde_json::from_str(&w).expect("JSON"));
        assert_eq!(list.len(), warnings, "{name}: {list:?}");
    }
    for (id, amount) in [("twice", "2.00"), ("exp", "1000.00"), ("deep", "10.00"), ("nul", "10.00")] {
        let query = format!("SELECT amount FROM jodo_manual_payments WHERE payment_id = '{id}'");
        assert_eq!(cluster.ask(&query).await.as_deref(), Some(amount), "{id}");
    }
    let cleaned = "SELECT mode FROM jodo_manual_payments WHERE payment_id = 'nul'";
    assert_eq!(cluster.ask(cleaned).await.as_deref(), Some("cash"));

    let shown = shown(&cluster.database).await.expect("the views");
    for (view, rows) in expected("jodo", &neighbours).expect("rows") {
        for (key, row) in rows {
            assert_eq!(shown[view].get(&key), Some(&row), "the neighbours are as they should be: {view}");
        }
    }
    for process in cluster.workers.iter().chain([&cluster.ingress]) {
        for line in process.lines() {
            let leaks = line.contains(CANARY) || line.contains(SECRET) || line.contains("B/1");
            assert!(!leaks, "personal data or a secret in a log line: {line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_badly_signed_delivery_from_a_listed_address_is_kept_aside_until_its_secret_is_known() {
    let cluster = Cluster::start_with(1, &[("SOURCES__JODO__ALLOW", "127.0.0.0/8")]).await;
    let body = payment("held", |_| {});
    let client = reqwest::Client::new();
    for _ in 0..2 {
        let request = client
            .post(&cluster.url)
            .header("X-Jodo-Signature", sign_with("the next one", &body))
            .body(body.clone());
        assert_eq!(request.send().await.expect("an answer").status(), 200);
    }
    // A good delivery behind them shows that they hold nothing up.
    let behind = payment("behind", |_| {});
    let request = client.post(&cluster.url).header("X-Jodo-Signature", sign(&behind)).body(behind);
    assert_eq!(request.send().await.expect("an answer").status(), 200);
    cluster.settled(1).await;
    let count = "SELECT count(*) FROM jodo_unverified";
    until("it is kept aside", async || cluster.ask(count).await.is_some_and(|held| held != "0")).await;
    assert_eq!(cluster.ask(count).await.as_deref(), Some("1"));
    let stored = cluster.ask("SELECT encode(body, 'hex') FROM jodo_unverified").await;
    assert_eq!(stored, Some(hex::encode(&body)));
    assert_eq!(
        cluster.ask("SELECT string_agg(payment_id, '') FROM jodo_manual_payments").await.as_deref(),
        Some("behind")
    );
    let mut retry = cluster.operator();
    retry.env("JODO_SYNC__SOURCES__JODO__SECRETS", "the next one").args(["unverified", "retry"]);
    let output = tokio::task::spawn_blocking(move || retry.output()).await.expect("no panic").expect("runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains(": 1 delivery let in"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    cluster.settled(2).await;
    assert_eq!(cluster.ask(count).await.as_deref(), Some("0"));
}
