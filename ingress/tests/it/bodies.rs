//! Bodies of every kind: what is in them is never a reason to refuse, how they arrive may be.

use std::time::Duration;

use jodo_shared::ids::DeliveryKey;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Answer, Request, chunk, closed};
use crate::harness::{BODY, Ingress, PATH, SECRET, sign, signed, soon};

fn limited(limits: &str) -> Ingress {
    Ingress::with(&format!("[ingress]\n{limits}\n[sources.jodo]\nsecrets = [\"{SECRET}\"]"))
}

#[tokio::test]
async fn a_delivery_is_answered_with_its_id_and_key_and_published_byte_for_byte() {
    let ingress = Ingress::start();
    let answer = ingress.send(signed(SECRET, BODY)).await;
    let key = DeliveryKey::of(&"jodo".parse().unwrap(), BODY).to_string();
    let sent: serde_json::Value = serde_json::from_slice(BODY).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json(),
        serde_json::json!({ "status": "accepted", "event_id": sent["event_id"], "delivery_key": key })
    );
    let [message] = ingress.publisher.taken_now().try_into().unwrap();
    assert_eq!(message.body, BODY);
    assert_eq!(message.key.to_string(), key);
    assert_eq!(message.peeked.code.unwrap().as_str(), "direct.payment.added");
    assert_eq!((message.tenant.as_str(), message.target.as_str()), ("main", "main"));
    assert_eq!((message.verified, message.redrive), (true, false));
}

#[tokio::test]
async fn whatever_is_in_an_authentic_body_it_is_accepted() {
    let ingress = Ingress::start();
    let deep = [&b"{\"a\":"[..], &b"[".repeat(20_000), b"}"].concat();
    let bodies: [&[u8]; 7] = [
        b"",
        b"no JSON",
        b"[1, 2]",
        b"{\"event_id\": 7, \"event\": null}",
        b"\xff\xfe\x00not UTF-8",
        b"{\"event\": \"\\ud800\", \"event_id\": \"\\u0000\"}",
        &deep,
    ];
    for (count, body) in bodies.into_iter().enumerate() {
        let answer = ingress.send(signed(SECRET, body)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["event_id"], serde_json::Value::Null);
        assert_eq!(ingress.publisher.taken_now()[count].body, body);
    }
}

#[tokio::test]
async fn an_encoded_body_is_published_as_it_came() {
    let ingress = Ingress::start();
    // The first bytes of a gzip file (RFC 1952) and then nothing that would decompress.
    let body = b"\x1f\x8b\x08\x00 this is not gzip";
    for encoding in ["gzip", "br", "deflate", "zstd"] {
        let answer = ingress.send(signed(SECRET, body).header("Content-Encoding", encoding)).await;
        assert_eq!(answer.status, 200, "{encoding}");
    }
    assert!(ingress.publisher.taken_now().iter().all(|message| message.body == body[..]));
}

#[tokio::test]
async fn a_chunked_body_is_put_together() {
    let ingress = Ingress::start();
    let mut stream = TcpStream::connect(ingress.address).await.unwrap();
    let head = Request::post(PATH).header("X-Jodo-Signature", &sign(SECRET, BODY)).chunked_head();
    stream.write_all(&head).await.unwrap();
    for part in BODY.chunks(50) {
        stream.write_all(&chunk(part)).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 200);
    assert_eq!(ingress.publisher.taken_now()[0].body, BODY);
}

#[tokio::test]
async fn a_body_over_the_cap_is_413_and_one_at_the_cap_is_not() {
    let ingress = limited("max_body = 2000");
    assert_eq!(ingress.send(signed(SECRET, &[b'x'; 2000])).await.status, 200);
    let answer = ingress.send(signed(SECRET, &[b'x'; 2001])).await;
    assert_eq!((answer.status, answer.reason().as_str()), (413, "body_too_large"));
    assert_eq!(ingress.publisher.taken_now().len(), 1);
}

#[tokio::test]
async fn a_body_announced_over_the_cap_is_413_before_a_byte_of_it_is_sent() {
    let ingress = limited("max_body = 2000");
    let mut stream = TcpStream::connect(ingress.address).await.unwrap();
    let head = Request::post(PATH).header("X-Jodo-Signature", &sign(SECRET, b"")).head_announcing(1 << 40);
    stream.write_all(&head).await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 413);
    closed(&mut stream).await;
}

#[tokio::test]
async fn a_chunked_body_is_413_when_it_grows_over_the_cap() {
    let ingress = limited("max_body = 2000");
    let mut stream = TcpStream::connect(ingress.address).await.unwrap();
    let head = Request::post(PATH).header("X-Jodo-Signature", &sign(SECRET, b"")).chunked_head();
    stream.write_all(&head).await.unwrap();
    stream.write_all(&chunk(&[b'x'; 1500])).await.unwrap();
    stream.write_all(&chunk(&[b'x'; 501])).await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 413);
    closed(&mut stream).await;
}

#[tokio::test]
async fn what_the_head_already_refuses_is_401_before_a_byte_of_the_body_is_sent() {
    let ingress = Ingress::start();
    let mut stream = TcpStream::connect(ingress.address).await.unwrap();
    stream.write_all(&Request::post(PATH).head_announcing(1000)).await.unwrap();
    let answer = Answer::read(&mut stream).await;
    assert_eq!((answer.status, answer.reason().as_str()), (401, "signature_missing"));
    closed(&mut stream).await;
}

#[tokio::test]
async fn a_dripping_body_is_408_and_its_connection_is_closed() {
    let ingress = limited("body_timeout_s = 1");
    let head = Request::post(PATH).header("X-Jodo-Signature", &sign(SECRET, b""));
    for (head, drip) in [(head.head_announcing(100_000), b"x".to_vec()), (head.chunked_head(), chunk(b"x"))] {
        let (mut read, mut write) = TcpStream::connect(ingress.address).await.unwrap().into_split();
        write.write_all(&head).await.unwrap();
        // The client that never stops: it must be got rid of all the same.
        let dripping = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            while write.write_all(&drip).await.is_ok() {
                ticks.tick().await;
            }
        });
        let mut said = Vec::new();
        let end = tokio::io::AsyncReadExt::read_to_end(&mut read, &mut said);
        let _reset_or_end = soon(end).await;
        let said = String::from_utf8(said).unwrap();
        assert!(said.starts_with("HTTP/1.1 408"), "{said}");
        assert!(said.ends_with(r#"{"status":"refused","reason":"body_timeout"}"#), "{said}");
        soon(dripping).await.unwrap();
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_never_published() {
    let ingress = Ingress::start();
    for reset in [false, true] {
        let mut stream = TcpStream::connect(ingress.address).await.unwrap();
        let head =
            Request::post(PATH).header("X-Jodo-Signature", &sign(SECRET, BODY)).head_announcing(BODY.len());
        stream.write_all(&head).await.unwrap();
        stream.write_all(&BODY[..100]).await.unwrap();
        if reset {
            stream.set_zero_linger().unwrap();
        } else {
            // Half closed: the client still listens, and is told.
            stream.shutdown().await.unwrap();
            let answer = Answer::read(&mut stream).await;
            assert_eq!((answer.status, answer.reason().as_str()), (400, "body_broken"));
        }
    }
    // The next delivery is no worse for it, and the only one.
    assert_eq!(ingress.send(signed(SECRET, BODY)).await.status, 200);
    assert_eq!(ingress.publisher.taken_now().len(), 1);
}

#[tokio::test]
async fn when_the_bodies_in_flight_fill_the_budget_the_next_is_503_until_one_is_answered() {
    let ingress = limited("max_body = 2000\nmax_bytes_in_flight = 2000");
    ingress.publisher.hold_back();
    let address = ingress.address;
    let first = tokio::spawn(async move { signed(SECRET, &[b'x'; 1500]).send(address).await });
    ingress.publisher.begun(1).await;

    let answer = ingress.send(signed(SECRET, &[b'y'; 501])).await;
    assert_eq!((answer.status, answer.reason().as_str()), (503, "too_many_bytes_in_flight"));
    assert_eq!(answer.json()["status"], "error");
    assert!(answer.header("retry-after").is_some());

    ingress.publisher.release();
    assert_eq!(soon(first).await.unwrap().status, 200);
    assert_eq!(ingress.send(signed(SECRET, &[b'y'; 501])).await.status, 200);
}
