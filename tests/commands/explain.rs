//! `explain`.

use jodo_shared::clock::now;
use jodo_shared::contract::KnownCode;
use jodo_shared::outcome::Reason;
use jodo_sync::Exit;
use jodo_worker::decide::{SourceRules, decide};
use jodo_worker::event::Event;
use jodo_worker::store::postgres::PgStore;
use jodo_worker::store::{self, Store as _, WorkerName, Write, Written};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_postgres::NoTls;

use crate::school::{PAID, School, apply_to, changed, message, run_with};

/// The pupil GVS/2026/0417 and their plan 88140, loan 41806, and an order that names no pupil; in no order of time.
const HISTORY: &[&str] = &[
    "flex.instalment.settled",
    "flex.subscription.setup",
    "flex.subscription.active",
    "flex.downpayment.debited",
    "flex.downpayment.settled",
    "flex.subscription.updated",
    "flex.instalment.debited",
    "flex.instalment.bounced",
    "flex.mandate.cancelled",
    "cred.loan.application_started",
    "cred.loan.agreement_signed",
    "cred.loan.disbursed",
    "cred.emi.debited",
    "order.payment.debited",
    "order.payment.settled",
];

fn fixture(code: &str) -> String {
    let path = format!("{}/tests/fixtures/events/{code}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("a fixture")
}

async fn school() -> School {
    let school = School::new().await;
    for code in HISTORY {
        school.apply(&fixture(code)).await;
    }
    school
}

/// What is said of `what`; each of `words` is in it.
async fn explained(school: &School, what: &str, words: &[&str]) -> String {
    let (exit, text) = school.run(&["explain", what]).await;
    assert_eq!(exit, Exit::Well, "{text}");
    for words in words {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pupils_history_is_told_in_the_order_in_which_it_happened() {
    let school = school().await;
    let words = [
        "GVS/2026/0417 is the pupil Ananya Kulkarni, Grade 3 Marigold.\n",
        "ERP database main, tenant main; 9 events.",
        "The upfront payment of a plan was taken. Outcome: applied – recorded.",
        "  - plan 88140: status setup (replaced on 2026-06-13 by ",
        "schedule: 3 instalments from 2026-07-05 to 2026-11-05, 62000.00 in all (replaced on 2026-08-21 by ",
        "  - payment flex_661204: kind instalment, amount 22000.00, reference ID NACH2607050091,",
        "  - TUITION_FEE 20000.00 reached the bank on 2026-07-07 with UTR HYPB26070711842\n",
        "  - mandate mandate_30926: status cancelled, NPCI category code account_not_active, plan 88140; reported as cancelled",
        "  - says of the pupil: identifier, custom identifier, collector code, academic year, contact, grade; all of it still stands",
        "  - pupil GVS/2026/0417: plan active, 68000.00 in all, mandate cancelled; paid 30000.00, settled 30000.00, pending 0.00",
        "  - payment flex_661204: settled, amount 22000.00, paid on 2026-07-05; settled 22000.00, pending 0.00",
        "  - payment flex_702518: bounced, amount 26000.00\n",
    ];
    let text = explained(&school, "GVS/2026/0417", &words).await;
    let times: Vec<_> = text.lines().filter(|line| line.starts_with("2026-")).collect();
    assert!(times.is_sorted() && times.len() == 9, "{times:?}");
    assert!(!text.contains("loan 41806"), "{text}");
    explained(&school, "90412", &["90412 is the pupil Ananya Kulkarni (GVS/2026/0417), Grade 3"]).await;

    let (_, newest) = school.run(&["explain", "GVS/2026/0417", "--limit", "2"]).await;
    assert!(newest.contains("; the newest 2 events, older ones with a higher --limit."), "{newest}");
    assert!(
        newest.contains("flex.instalment.bounced") && !newest.contains("flex.subscription.setup"),
        "{newest}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_a_plan_a_loan_and_a_tranche_are_told() {
    let school = school().await;
    let payment = explained(
        &school,
        "flex_661204",
        &["flex_661204 is an instalment payment of the pupil Ananya Kulkarni (GVS/2026/0417): settled, 22000.00.\n"],
    )
    .await;
    assert!(payment.contains("; 2 events."), "{payment}");
    let plan = ["88140 is a plan of the pupil Ananya", "; 7 events.", "mandate mandate_30926: cancelled"];
    explained(&school, "88140", &plan).await;
    let loan = [
        "41806 is a loan of the pupil MBA26-0058: disbursed, 240000.00.",
        "; 4 events.",
        "  - tranche 60217: planned on 2026-06-10, amount 120000.00, loan 41806; reported as planned",
        "  - EMI emi_41806_90021: ",
        "  - tranche 60217: disbursed, amount 120000.00, planned for 2026-06-10, paid out 117600.00, paid out on 2026-06-10; settled 117600.00, pending 0.00",
    ];
    explained(&school, "41806", &loan).await;
    explained(&school, "60218", &["60218 is a tranche of the pupil MBA26-0058: planned", "; 3 events."])
        .await;
    explained(&school, "mandate_30926", &["mandate_30926 is a mandate", "; 1 event."]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_found_by_its_id_and_by_the_number_that_the_payer_gave() {
    let school = school().await;
    let order = [
        "order_7710294488213 is an order of the payer Lakshmi Narayanan that names no known pupil: settled, 4500.00.",
        "; 2 events.",
        "fee lines: Science Camp Fee 4500.00; reported as debited",
        "notes: erp reference id ERP-EVT-0093",
    ];
    explained(&school, "order_7710294488213", &order).await;
    let payer = "EVT-SCI-0093 is no known pupil's number, but the payer gave it with 1 order.";
    explained(&school, "EVT-SCI-0093", &[payer, "; 2 events."]).await;

    let of_pupil = changed(
        &fixture("order.payment.debited"),
        &[("/payload/order_id", json!("order_7")), ("/payload/order/identifier", json!("GVS/2026/0417"))],
    );
    school.apply(&of_pupil).await;
    explained(
        &school,
        "GVS/2026/0417",
        &["; 10 events.", "  - order order_7: paid, amount 4500.00, paid on 2026-07-14"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_transfer_is_told_with_its_payments() {
    let school = school().await;
    let words = [
        "HYPB26070711842 is a bank transfer: 20000.00 on 2026-07-07, for 1 fee line of 1 payment.\n",
        "; 2 events.",
        "A scheduled debit succeeded.",
        "payment flex_661204: settled",
    ];
    explained(&school, "HYPB26070711842", &words).await;
    school.apply(&fixture("direct.payment.updated")).await;
    let by_hand =
        ["UTRX26060400071 is a bank transfer: 18250.50 on 2026-06-03", "manual payment direct_40177"];
    explained(&school, "UTRX26060400071", &by_hand).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_event_is_told_in_words() {
    let school = School::new().await;
    for code in KnownCode::ALL {
        let body = fixture(code.as_str());
        let key = school.apply(&body).await.short();
        let id = serde_json::from_str::<Value>(&body).expect("JSON")["event_id"].clone();
        let id = id.as_str().expect("an id").to_owned();
        let text = explained(&school, &id, &[code.as_str(), code.sentence(), &key, "; 1 event."]).await;
        assert!(text.contains("  - "), "{text}");
        assert!(text.contains("reported as "), "{text}");
        for raw in ["[{", "null", "erp:", "jodo_r_", "not in the table"] {
            assert!(!text.contains(raw), "{raw} is in\n{text}");
        }
        explained(&school, &key, &[&format!("{key} is an event of ")]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_back_or_odd_is_said() {
    let school = School::new().await;
    let unreadable = changed(PAID, &[("/payload/payment/amount", json!("12.345"))]);
    let key = school.apply(&unreadable).await.short();
    let words = [
        "Reason: an amount of money cannot be read exactly (payload.payment.amount).",
        &format!("It waits for a person; `jodo-sync events show {key}` tells all that is known of it."),
    ];
    explained(&school, &key, &words).await;

    school.apply(&fixture("flex.instalment.debited")).await;
    let bounced =
        changed(&fixture("flex.instalment.bounced"), &[("/payload/payment/id", json!("flex_661204"))]);
    school.apply(&bounced).await;
    let odd = "  - flex_661204: a debit was reported as failed after it had succeeded: the bank may have taken it back (events ";
    explained(&school, "flex_661204", &["What a person should look at:", odd]).await;

    let (exit, text) = school.run(&["explain", "0123456789"]).await;
    assert_eq!(exit, Exit::Wrong);
    assert!(text.starts_with("Nothing is known by this number"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_applied_yet_is_found_all_the_same() {
    let school = School::new().await;
    let message = message(&fixture("flex.instalment.debited"));
    let rules = SourceRules { time_zone: jiff::tz::TimeZone::UTC, ignore: Default::default() };
    let event = Event::decided(&message, decide(&message, Some(&rules))).retrying(Reason::Brake, now());
    let write = Write { events: vec![&event.row], ..Write::default() };
    assert_eq!(school.store.write(&write).await, Ok(Written::Committed));
    let words = [
        "flex_661204 is a payment: nothing of it is in the tables yet.",
        "Reason: too many events failed at once; the set-up is suspected, not the event.",
        "It is tried again by itself at ",
    ];
    explained(&school, "flex_661204", &words).await;
    explained(&school, "GVS/2026/0417", &["is a pupil of whom nothing is in the tables yet.", words[2]])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_body_is_gone_says_so() {
    let school = school().await;
    let (client, connection) = tokio_postgres::connect(&school.database.url, NoTls).await.expect("connected");
    tokio::spawn(connection);
    client.batch_execute("UPDATE jodo_events SET body = NULL").await.expect("updated");
    let text =
        explained(&school, "flex_661204", &["What it wrote cannot be told: its body has been removed."])
            .await;
    assert!(text.contains("payment flex_661204: settled, amount 22000.00"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_wrote_cannot_steer_the_terminal() {
    let school = School::new().await;
    school.apply(&changed(PAID, &[("/payload/payment/notes", json!("a\u{9b}2J\nb"))])).await;
    let text = explained(&school, "direct_40177", &["notes “a\\u{9b}2J\\u{a}b”"]).await;
    assert!(!text.contains('\u{9b}'), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_is_there_for_programs() {
    let school = school().await;
    let told = school.json(&["explain", "flex_661204", "--json"]).await;
    assert_eq!(told.as_array().map(Vec::len), Some(1));
    let story = &told[0];
    assert_eq!(story["target"], "main");
    assert_eq!(story["subject"]["kind"], "flex_payments");
    assert_eq!(story["subject"]["records"], json!(["flex_payments:flex_661204"]));
    assert_eq!(story["events"].as_array().map(Vec::len), Some(2));
    let debited = &story["events"][0];
    assert_eq!(
        (&debited["happened"], &debited["code"]),
        (&json!("2026-07-05T04:48:10Z"), &json!("flex.instalment.debited"))
    );
    let values = debited["effects"][0]["values"].as_array().expect("values");
    let amount = values.iter().find(|value| value["name"] == "amount").expect("an amount");
    assert_eq!(amount["written"], json!({ "amount": "22000.00", "amount_paise": "2200000" }));
    assert_eq!((&amount["state"], &amount["still_so"]), (&json!("replaced"), &json!(true)));
    assert_eq!(story["views"]["jodo_receipts"][0]["pending"], "0.00");
    assert_eq!(story["views"]["jodo_flex_payments"][0]["state"], "settled");
    assert_eq!(story["anomalies"], json!([]));
    let nothing = school.json(&["explain", "nothing", "--json"]).await;
    assert_eq!(nothing, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_tells_the_same_as_postgresql() {
    let school = school().await;
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("erp.sqlite3").display());
    let config = folder.path().join("jodo-sync.toml");
    let text = format!("[erp.main]\nurl = '{url}'\n[sources.jodo]\nsecrets = ['hush']\n");
    std::fs::write(&config, text).expect("written");
    run_with(&config, &["migrate"]).await.expect("migrated");
    let store =
        store::open(&SecretString::from(url), 1, PgStore::STATEMENT_TIMEOUT, WorkerName::of_this_process());
    let store = store.expect("a store");
    for code in HISTORY {
        apply_to(store.as_ref(), &config, &fixture(code)).await;
    }
    let order = "order_7710294488213";
    for what in
        ["GVS/2026/0417", "51877", "88140", "41806", "60217", order, "HYPB26070711842", "EVT-SCI-0093"]
    {
        let told = run_with(&config, &["explain", what]).await.expect("no error");
        assert_eq!(told, school.run(&["explain", what]).await, "{what}");
    }
}
