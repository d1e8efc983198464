//! The proxy that cuts wires.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how a test reports, in its helpers too"
)]

use std::net::SocketAddr;
use std::time::Duration;

use jodo_test_support::{FaultProxy, free_port};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// How long nothing must come through a stalled wire.
const SILENCE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_cut_wire_resets_and_refuses_until_healed() {
    let proxy = FaultProxy::start(echo().await).await;
    let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
    assert_eq!(says(&mut client, b"before").await, b"before");

    assert_eq!(proxy.cut().await, 1);
    let error = client.read_u8().await.expect_err("reset");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let refused = TcpStream::connect(proxy.addr()).await.expect_err("refused");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(proxy.open(), 0);

    proxy.heal().await;
    let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
    assert_eq!(says(&mut client, b"after").await, b"after");
}

#[tokio::test]
async fn a_stalled_wire_holds_everything_back_until_healed() {
    let proxy = FaultProxy::start(echo().await).await;
    let mut old = TcpStream::connect(proxy.addr()).await.unwrap();
    assert_eq!(says(&mut old, b"before").await, b"before");

    assert_eq!(proxy.stall().await, 1);
    let mut new = TcpStream::connect(proxy.addr()).await.unwrap();
    old.write_all(b"old").await.unwrap();
    new.write_all(b"new").await.unwrap();
    assert!(timeout(SILENCE, old.read_u8()).await.is_err());
    assert!(timeout(SILENCE, new.read_u8()).await.is_err());

    proxy.heal().await;
    assert_eq!(reads(&mut old, 3).await, b"old");
    assert_eq!(reads(&mut new, 3).await, b"new");
}

#[tokio::test]
async fn a_stalled_wire_can_be_cut() {
    let proxy = FaultProxy::start(echo().await).await;
    let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
    assert_eq!(says(&mut client, b"before").await, b"before");
    proxy.stall().await;
    client.write_all(b"lost").await.unwrap();
    assert_eq!(proxy.cut().await, 1);
    assert!(client.read_u8().await.is_err());
    proxy.stall().await;
    let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
    client.write_all(b"held").await.unwrap();
    assert!(timeout(SILENCE, client.read_u8()).await.is_err());
    proxy.heal().await;
    assert_eq!(reads(&mut client, 4).await, b"held");
}

#[tokio::test]
async fn one_side_may_finish_before_the_other() {
    let proxy = FaultProxy::start(echo().await).await;
    let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
    let sent = vec![7; 1_000_000];
    let (mut reader, mut writer) = client.split();
    let write = async {
        writer.write_all(&sent).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let mut received = Vec::new();
    let (read, ()) = tokio::join!(reader.read_to_end(&mut received), write);
    assert_eq!(read.unwrap(), sent.len());
    assert!(received == sent);
}

#[tokio::test]
async fn an_absent_server_looks_like_a_lost_connection() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let proxy = FaultProxy::start(nobody).await;
    let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
    assert!(client.read_u8().await.is_err());
}

#[tokio::test]
async fn urls_lead_through_it_and_keep_the_rest() {
    let proxy = FaultProxy::in_front_of("redis://user:secret@127.0.0.1/3?a=b").await;
    let port = proxy.addr().port();
    for (url, wanted) in [
        ("redis://user:secret@127.0.0.1/3?a=b", format!("redis://user:secret@127.0.0.1:{port}/3?a=b")),
        ("amqp://guest:guest@localhost:5672/%2f", format!("amqp://guest:guest@127.0.0.1:{port}/%2f")),
        ("postgres://postgres@db/test", format!("postgres://postgres@127.0.0.1:{port}/test")),
    ] {
        assert_eq!(proxy.reroute(url), wanted);
    }
}

/// A server that sends back what it gets.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let addr = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await.ok();
            });
        }
    });
    addr
}

async fn says(stream: &mut TcpStream, words: &[u8]) -> Vec<u8> {
    stream.write_all(words).await.expect("write");
    reads(stream, words.len()).await
}

async fn reads(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await.expect("read");
    answer
}
