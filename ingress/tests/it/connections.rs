//! Paths, methods, and connections that are many, idle or long.

use std::time::Duration;

use jodo_shared::lifecycle::{Exit, Signals};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{Answer, Request, chunk, closed};
use crate::harness::{BODY, Ingress, PATH, SECRET, signed, soon};

#[tokio::test]
async fn other_paths_are_404_and_other_methods_405() {
    let ingress = Ingress::start();
    for path in
        ["/", "/webhooks", "/webhooks/jodo/", "/webhooks/Jodo", "/webhooks/%6aodo", "/livez", "/metrics"]
    {
        let answer = ingress.send(Request::post(path).body(BODY)).await;
        assert_eq!((answer.status, answer.reason().as_str()), (404, "unknown_path"), "{path}");
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = ingress.send(Request::new(method, PATH)).await;
        assert_eq!((answer.status, answer.reason().as_str()), (405, "method_not_allowed"), "{method}");
        assert_eq!(answer.header("allow"), Some("post"));
    }
    assert_eq!(ingress.send(signed(SECRET, BODY).at(&format!("{PATH}?from=jodo"))).await.status, 200);
}

#[tokio::test]
async fn a_connection_is_kept_after_an_accepted_delivery_and_closed_after_a_refused_one() {
    let ingress = Ingress::start();
    let mut stream = TcpStream::connect(ingress.address).await.unwrap();
    for body in [&BODY[1..], BODY] {
        stream.write_all(&signed(SECRET, body).bytes()).await.unwrap();
        assert_eq!(Answer::read(&mut stream).await.status, 200);
    }
    stream.write_all(&signed("forged", BODY).bytes()).await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 401);
    closed(&mut stream).await;
}

#[tokio::test]
async fn a_stranger_who_never_ends_a_chunked_body_is_cut() {
    let ingress = Ingress::start();
    let mut stream = TcpStream::connect(ingress.address).await.unwrap();
    stream.write_all(&Request::post("/elsewhere").chunked_head()).await.unwrap();
    stream.write_all(&chunk(b"and so on")).await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 404);
    closed(&mut stream).await;
}

#[tokio::test]
async fn deliveries_get_through_beside_thousands_of_idle_connections() {
    let ingress = Ingress::start();
    // Both ends of each connection are in this process.
    let mut idle = Vec::new();
    for _ in 0..3000.min(open_files_left() / 3) {
        idle.push(soon(TcpStream::connect(ingress.address)).await.unwrap());
    }
    assert_eq!(ingress.send(signed(SECRET, BODY)).await.status, 200);
    // The first of them have waited longest: the server lets go of them by itself.
    assert_eq!(Answer::read(&mut idle[0]).await.status, 408);
    closed(&mut idle[0]).await;
}

/// How many files the process may open, as `/proc` says.
fn open_files_left() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok()).unwrap_or(1024)
}

#[tokio::test]
async fn a_head_that_drips_is_cut() {
    let ingress = Ingress::start();
    let mut stream = TcpStream::connect(ingress.address).await.unwrap();
    stream.write_all(b"POST /webhooks/jodo HTTP/1.1\r\nx-").await.unwrap();
    assert_eq!(Answer::read(&mut stream).await.status, 408);
    closed(&mut stream).await;
}

#[tokio::test]
async fn a_head_without_end_is_431() {
    let ingress = Ingress::start();
    let mut stream = TcpStream::connect(ingress.address).await.unwrap();
    let head = [b"POST /webhooks/jodo HTTP/1.1\r\nx-long: ".to_vec(), vec![b'x'; 1 << 20]].concat();
    // The server may close before everything is written.
    let _written = stream.write_all(&head).await;
    assert_eq!(Answer::read(&mut stream).await.status, 431);
}

#[tokio::test]
async fn the_drain_answers_what_is_under_way_and_lets_idle_connections_go() {
    let ingress = Ingress::start();
    let mut idle = TcpStream::connect(ingress.address).await.unwrap();
    let mut kept = TcpStream::connect(ingress.address).await.unwrap();
    kept.write_all(&signed(SECRET, b"first").bytes()).await.unwrap();
    assert_eq!(Answer::read(&mut kept).await.status, 200);

    ingress.publisher.hold_back();
    let mut busy = TcpStream::connect(ingress.address).await.unwrap();
    busy.write_all(&signed(SECRET, BODY).bytes()).await.unwrap();
    ingress.publisher.begun(2).await;
    let mut gone = TcpStream::connect(ingress.address).await.unwrap();
    gone.write_all(&signed(SECRET, b"third").bytes()).await.unwrap();
    ingress.publisher.begun(3).await;
    gone.set_zero_linger().unwrap();
    drop(gone);

    let drain = ingress.shutdown.clone().run(Signals::install().unwrap(), Duration::from_secs(60));
    let clients = async {
        ingress.shutdown.token().cancel();
        closed(&mut idle).await;
        closed(&mut kept).await;
        assert_eq!(ingress.publisher.taken_now().len(), 1, "the others are still being published");
        ingress.publisher.release();
        Answer::read(&mut busy).await
    };
    let (exit, answer) = tokio::join!(soon(drain), clients);
    assert_eq!((exit, answer.status), (Exit::Drained, 200));
    assert_eq!(ingress.publisher.taken_now().len(), 3);
    assert!(TcpStream::connect(ingress.address).await.is_err());
}
