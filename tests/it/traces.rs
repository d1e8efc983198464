//! One delivery is one trace, from the webhook to the commit.

use std::collections::BTreeMap;
use std::net::TcpListener;

use jodo_test_support::school::Sent;
use jodo_test_support::{OtlpReceiver, RabbitMq, ReceivedSpan, fresh_database};
use serde_json::json;

use crate::cluster::{Cluster, DEADLINE, Places, SECRET, until};
use crate::faults::places;
use crate::one_program::School;

const SENDERS_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SENDERS_SPAN: &str = "b7ad6b7169203331";

fn payment(id: &str) -> Sent {
    Sent::from(json!({
        "event": "direct.payment.added", "event_id": format!("e-{id}"), "version": "1.0", "timestamp": 1_780_000_000,
        "payload": {
            "payment": { "id": id, "amount": 12 },
            "student": { "identifier": "canary-pupil", "name": "Canary Name" },
        },
    }))
}

/// The spans of one trace by name, when all of these are there, each once.
async fn spans(receiver: &OtlpReceiver, names: &[&str]) -> BTreeMap<String, ReceivedSpan> {
    let mut wanted = names.to_vec();
    wanted.sort_unstable();
    let by_name = || {
        let mut found = receiver.spans();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        found
    };
    until(&format!("the spans {wanted:?}"), async || {
        by_name().iter().map(|span| span.name.as_str()).eq(wanted.iter().copied())
    })
    .await;
    let found = by_name();
    assert!(found.iter().all(|span| span.trace_id == found[0].trace_id), "{found:?}");
    found.into_iter().map(|span| (span.name.clone(), span)).collect()
}

/// Each is the child of the one before, and does not begin before it.
fn is_a_chain(spans: &BTreeMap<String, ReceivedSpan>, names: &[&str]) {
    for pair in names.windows(2) {
        let (parent, child) = (&spans[pair[0]], &spans[pair[1]]);
        assert_eq!(child.parent_span_id, parent.span_id, "{pair:?}: {spans:?}");
        assert!(parent.start <= child.start && child.start <= child.end, "{pair:?}: {spans:?}");
    }
}

fn attribute<'s>(spans: &'s BTreeMap<String, ReceivedSpan>, span: &str, name: &str) -> &'s serde_json::Value {
    &spans[span].attributes[name]
}

/// A cluster whose ingress publishes directly: until it is connected it spools, which is one span more.
async fn connected(settings: &[(&str, &str)]) -> Cluster {
    let cluster = Cluster::start_with(1, settings).await;
    cluster.ingress.wait_for_line("connected to the broker", DEADLINE).await;
    cluster
}

/// One whose spans go to `receiver`.
async fn traced(receiver: &OtlpReceiver, sample: &str) -> Cluster {
    let url = receiver.url();
    connected(&[("TRACES__OTLP_URL", &url), ("TRACES__SAMPLE", sample)]).await
}

async fn accepted(cluster: &Cluster, body: &Sent) {
    let answers = cluster.send(std::slice::from_ref(body), &[0]).await;
    assert_eq!(answers.get("200 OK"), Some(&1), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_one_trace_across_rabbitmq_and_no_span_holds_anything_of_its_body() {
    let receiver = OtlpReceiver::start();
    let cluster = traced(&receiver, "1").await;
    accepted(&cluster, &payment("p1")).await;
    cluster.settled(1).await;

    let names = ["receive", "publish", "apply", "commit"];
    let spans = spans(&receiver, &names).await;
    is_a_chain(&spans, &names);
    assert_eq!(spans["receive"].parent_span_id, "");
    for (name, service) in
        names.into_iter().zip(["jodo-ingress", "jodo-ingress", "jodo-worker", "jodo-worker"])
    {
        assert_eq!(spans[name].service, service);
    }
    let key = cluster.ask("SELECT delivery_key FROM jodo_events").await;
    for name in ["receive", "publish", "apply"] {
        assert_eq!(attribute(&spans, name, "delivery.key").as_str(), key.as_deref());
    }
    assert_eq!(attribute(&spans, "receive", "source"), "jodo");
    assert_eq!(attribute(&spans, "receive", "event.code"), "direct.payment.added");
    assert_eq!(attribute(&spans, "receive", "http.response.status_code"), 200);
    assert_eq!(attribute(&spans, "apply", "target"), cluster.target.as_str());
    assert_eq!(attribute(&spans, "apply", "outcome"), "applied");
    assert_eq!(attribute(&spans, "commit", "batch.events"), 1);

    is_applied_again_in_the_same_trace(&cluster, &receiver, &key.expect("a row"), &spans["publish"]).await;
    assert!(receiver.has_seen("direct.payment.added"));
    for text in ["canary", "Canary", "payload", "e-p1", SECRET] {
        assert!(!receiver.has_seen(text), "{text} is in a span");
    }
}

/// What is tried again much later belongs to the trace that its row has kept.
async fn is_applied_again_in_the_same_trace(
    cluster: &Cluster,
    receiver: &OtlpReceiver,
    key: &str,
    publish: &ReceivedSpan,
) {
    let mut retry = cluster.operator();
    retry.args(["retry", key, "--outcome", "applied", "--by", "Asha"]);
    let output = tokio::task::spawn_blocking(move || retry.output()).await.expect("no panic");
    assert!(output.expect("jodo-sync runs").status.success());
    spans(receiver, &["receive", "publish", "apply", "commit", "apply", "commit"]).await;
    let received = receiver.spans();
    let applied: Vec<_> = received.iter().filter(|span| span.name == "apply").collect();
    assert!(applied.iter().all(|span| span.parent_span_id == publish.span_id), "{applied:?}");
    assert_ne!(applied[0].span_id, applied[1].span_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_comes_with_a_sampled_trace_is_traced_whatever_the_sample_and_others_are_not() {
    let receiver = OtlpReceiver::start();
    let cluster = traced(&receiver, "0").await;
    accepted(&cluster, &payment("p1")).await;
    let named = payment("p2");
    let answer = reqwest::Client::new()
        .post(&cluster.url)
        .header("X-Jodo-Signature", named.signature(SECRET))
        .header("traceparent", format!("00-{SENDERS_TRACE}-{SENDERS_SPAN}-01"))
        .body(named.bytes.clone())
        .send()
        .await;
    assert_eq!(answer.expect("an answer").status(), 200);
    cluster.settled(2).await;
    let names = ["receive", "publish", "apply", "commit"];
    let spans = spans(&receiver, &names).await;
    is_a_chain(&spans, &names);
    assert_eq!(spans["receive"].trace_id, SENDERS_TRACE);
    assert_eq!(spans["receive"].parent_span_id, SENDERS_SPAN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_waited_in_the_spool_is_one_trace_all_the_same() {
    let receiver = OtlpReceiver::start();
    let (rabbitmq, database) = (RabbitMq::start().await, fresh_database().await);
    let places = Places { amqp: rabbitmq.url().to_owned(), ..places(None, &database).await };
    let url = receiver.url();
    let settings =
        [("TRACES__OTLP_URL", url.as_str()), ("TRACES__SAMPLE", "1"), ("BROKER__CONFIRM_TIMEOUT_MS", "1000")];
    let cluster = Cluster::at(places, 1, &settings).await;
    cluster.ready().await;
    rabbitmq.stop().await;
    accepted(&cluster, &payment("p1")).await;
    rabbitmq.start_again_with_leaders().await;
    cluster.settled(1).await;
    let spans = spans(&receiver, &["receive", "publish", "relay", "apply", "commit"]).await;
    is_a_chain(&spans, &["receive", "publish", "apply", "commit"]);
    is_a_chain(&spans, &["publish", "relay"]);
    assert!(attribute(&spans, "relay", "waited_s").is_i64());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_program_makes_the_same_trace() {
    let receiver = OtlpReceiver::start();
    let school = School::with(&[("TRACES__OTLP_URL", &receiver.url()), ("TRACES__SAMPLE", "1")]);
    let process = school.start().await;
    let keys = school.accepted(&[payment("p1")], &[0]).await;
    school.until_known(&keys).await;
    // The last spans are sent when it ends.
    assert_eq!(process.terminate().await.code(), Some(0));
    let names = ["receive", "publish", "apply", "commit"];
    let spans = spans(&receiver, &names).await;
    is_a_chain(&spans, &names);
    assert!(spans.values().all(|span| span.service == "jodo-sync"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_never_answers_holds_nothing_up() {
    // The kernel takes the connections; nobody takes what comes on them.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let cluster = Cluster::start_with(1, &[("TRACES__OTLP_URL", &url), ("TRACES__SAMPLE", "1")]).await;
    let history: Vec<_> = (0..500).map(|n| payment(&format!("p{n}"))).collect();
    let order: Vec<_> = (0..history.len()).collect();
    let answers = cluster.send(&history, &order).await;
    assert_eq!(answers.get("200 OK"), Some(&history.len()), "{answers:?}");
    cluster.settled(history.len()).await;
    let lost = "spans were not taken by the receiver";
    cluster.ingress.wait_for_line(lost, DEADLINE).await;
    let Cluster { ingress, .. } = cluster;
    assert_eq!(ingress.terminate().await.code(), Some(0));
}
