//! Durable, then answered; and counted.

use std::sync::Arc;

use jodo_ingress::serve_private;
use jodo_shared::broker::{PublishError, Publisher};
use jodo_shared::telemetry::install_metrics;
use jodo_shared::traces::{Sample, TraceParent};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::Request;
use crate::harness::{BODY, Ingress, SECRET, sign, signed};

#[tokio::test]
async fn what_is_not_durable_is_503_with_the_reason_and_may_be_sent_again() {
    let ingress = Ingress::start();
    for (error, word) in [
        (PublishError::NotConnected, "not_connected"),
        (PublishError::Blocked, "blocked"),
        (PublishError::Timeout, "timeout"),
        (PublishError::Nacked, "nacked"),
        (PublishError::Returned, "returned"),
        (PublishError::Disk, "disk"),
    ] {
        ingress.publisher.fail(Some(error));
        let answer = ingress.send(signed(SECRET, BODY)).await;
        assert_eq!((answer.status, answer.reason().as_str()), (503, word));
        assert_eq!(answer.json()["status"], "error");
        assert_eq!(answer.header("retry-after"), Some("30"));
    }
    ingress.publisher.fail(None);
    assert_eq!(ingress.send(signed(SECRET, BODY)).await.status, 200);
    assert_eq!(ingress.publisher.taken_now().len(), 1);
}

#[tokio::test]
async fn nothing_is_answered_before_the_publisher_has_said_durable() {
    let ingress = Ingress::start();
    ingress.publisher.hold_back();
    let mut stream = TcpStream::connect(ingress.address).await.unwrap();
    stream.write_all(&signed(SECRET, BODY).bytes()).await.unwrap();
    ingress.publisher.begun(1).await;
    let mut byte = [0];
    assert_eq!(stream.try_read(&mut byte).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    ingress.publisher.release();
    assert_eq!(crate::client::Answer::read(&mut stream).await.status, 200);
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_its_delivery() {
    let ingress = Ingress::start();
    ingress.publisher.hold_back();
    let mut stream = TcpStream::connect(ingress.address).await.unwrap();
    stream.write_all(&signed(SECRET, BODY).bytes()).await.unwrap();
    ingress.publisher.begun(1).await;
    // A reset, as of a client whose machine has been switched off.
    stream.set_zero_linger().unwrap();
    drop(stream);
    // Connections go to the server's threads in turn: when each thread has answered a later request, the one that
    // held the connection has seen the reset.
    for _ in 0..2 * std::thread::available_parallelism().unwrap().get() {
        assert_eq!(ingress.send(Request::post("/elsewhere")).await.status, 404);
    }
    assert!(ingress.publisher.taken_now().is_empty());
    ingress.publisher.release();
    let taken = ingress.publisher.taken(1).await;
    assert_eq!(taken[0].body, BODY);
}

#[tokio::test]
async fn a_delivery_belongs_to_the_trace_it_names_or_starts_one() {
    let ingress = Ingress::start();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for header in [trace, "garbage"] {
        assert_eq!(ingress.send(signed(SECRET, BODY).header("traceparent", header)).await.status, 200);
    }
    let [named, started] = ingress.publisher.taken_now().try_into().unwrap();
    assert_eq!(named.trace.unwrap().as_str(), trace);
    assert_eq!(started.trace, Some(TraceParent::start(&started.key, started.received_at, Sample::NOTHING)));
}

#[tokio::test]
async fn with_a_receiver_the_ingress_puts_its_own_span_in_the_senders_place_and_begins_sampled_traces() {
    let receiver = "[traces]\notlp_url = 'http://127.0.0.1:1'\nsample = 1\n";
    let ingress = Ingress::with(&format!("{receiver}[sources.jodo]\nsecrets = [\"{SECRET}\"]"));
    let sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    for header in [sampled, unsampled, "garbage"] {
        assert_eq!(ingress.send(signed(SECRET, BODY).header("traceparent", header)).await.status, 200);
    }
    let taken = ingress.publisher.taken_now().into_iter().map(|message| message.trace.unwrap());
    let [kept, passed_on, started] = taken.collect::<Vec<_>>().try_into().unwrap();
    let senders = TraceParent::parse(sampled).unwrap();
    assert_eq!((kept.trace_id(), kept.is_sampled()), (senders.trace_id(), true));
    assert_ne!(kept.parent_id(), senders.parent_id());
    assert_eq!(passed_on.as_str(), unsampled);
    assert!(started.is_sampled());
}

#[tokio::test]
async fn deliveries_are_counted_and_readiness_follows_the_publisher() {
    let metrics = install_metrics().unwrap();
    let listed = "[sources.listed]\nsecrets = ['m']\nallow = ['127.0.0.1']\non_bad_signature = 'refuse'\n";
    let ingress = Ingress::with(&format!("{listed}[sources.metered]\nsecrets = ['m']"));
    let publisher = Arc::clone(&ingress.publisher) as Arc<dyn Publisher>;
    let private = serve_private(&ingress.config, publisher, metrics, &ingress.shutdown).unwrap();
    let deliver = Request::post("/webhooks/metered").body(BODY);
    assert_eq!(ingress.send(deliver.clone().header("X-Jodo-Signature", &sign("m", BODY))).await.status, 200);
    assert_eq!(ingress.send(deliver).await.status, 401);

    for _ in 0..2 {
        assert_eq!(ingress.send(Request::post("/webhooks/listed").body(BODY)).await.status, 401);
    }

    ingress.publisher.break_down();
    let lost = Request::post("/webhooks/metered").header("X-Jodo-Signature", &sign("m", BODY)).body(BODY);
    let lost = ingress.send(lost).await;
    assert_eq!((lost.status, lost.reason().as_str()), (503, "publish_lost"));

    let page = Request::new("GET", "/metrics").send(private).await;
    let page = String::from_utf8(page.body).unwrap();
    for line in [
        r#"jodo_sync_deliveries_received_total{source="metered",code="direct.payment.added",status="200"} 1"#,
        r#"jodo_sync_deliveries_received_total{source="metered",code="other",status="401"} 1"#,
        r#"jodo_sync_deliveries_received_total{source="metered",code="direct.payment.added",status="503"} 1"#,
        r#"jodo_sync_signature_verdicts_total{source="metered",verdict="good"} 2"#,
        r#"jodo_sync_signature_verdicts_total{source="metered",verdict="missing"} 1"#,
        r#"jodo_sync_address_verdicts_total{source="metered",verdict="not_configured"} 3"#,
        r#"jodo_sync_header_verdicts_total{source="metered",verdict="not_configured"} 3"#,
        r#"jodo_sync_receive_duration_seconds_count{source="metered"} 3"#,
        r#"jodo_sync_strikes{source="metered",code="direct.payment.added"} 1"#,
        r#"jodo_sync_strikes{source="listed",code="other"} 2"#,
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    let strangers = r#"jodo_sync_strikes{source="metered",code="other"}"#;
    assert!(!page.contains(strangers), "an unsigned request from anywhere is no failure of the sender's");

    assert_eq!(Request::new("GET", "/readyz").send(private).await.status, 200);
    ingress.publisher.fail(Some(PublishError::NotConnected));
    assert_eq!(Request::new("GET", "/readyz").send(private).await.status, 503);
}
