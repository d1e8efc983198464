//! A client over plain TCP, so that a test decides when each byte is sent.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::soon;

/// A request.
#[derive(Clone)]
pub struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, path: &str) -> Self {
        Self { head: format!("{method} {path} HTTP/1.1\r\nhost: test\r\n"), body: vec![] }
    }

    pub fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    /// The same request at another path.
    pub fn at(mut self, path: &str) -> Self {
        let (method, rest) = self.head.split_once(' ').unwrap();
        let (_, rest) = rest.split_once(' ').unwrap();
        self.head = format!("{method} {path} {rest}");
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head += &format!("{name}: {value}\r\n");
        self
    }

    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// Its bytes, the body's length announced.
    pub fn bytes(&self) -> Vec<u8> {
        let head = format!("{}content-length: {}\r\n\r\n", self.head, self.body.len());
        [head.as_bytes(), &self.body].concat()
    }

    /// Its head alone, for a body that the test sends in chunks.
    pub fn chunked_head(&self) -> Vec<u8> {
        format!("{}transfer-encoding: chunked\r\n\r\n", self.head).into_bytes()
    }

    /// Its head alone, announcing `length` bytes.
    pub fn head_announcing(&self, length: usize) -> Vec<u8> {
        format!("{}content-length: {length}\r\n\r\n", self.head).into_bytes()
    }

    /// Sends it on a connection of its own and reads the answer.
    pub async fn send(&self, address: SocketAddr) -> Answer {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&self.bytes()).await.unwrap();
        Answer::read(&mut stream).await
    }
}

/// One part of a chunked body (RFC 9112, section 7.1).
pub fn chunk(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads one answer and leaves the connection open.
    pub async fn read(stream: &mut TcpStream) -> Self {
        soon(Self::read_next(stream)).await
    }

    async fn read_next(stream: &mut TcpStream) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("an answer"));
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Self { status, head, body: vec![] };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        answer.body = vec![0; length];
        stream.read_exact(&mut answer.body).await.unwrap();
        answer
    }

    /// A header's value, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The stable word of a refusal.
    pub fn reason(&self) -> String {
        self.json()["reason"].as_str().unwrap_or("none").to_owned()
    }
}

/// Waits until the server has closed the connection.
pub async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset is a way of closing, too.
    let _end = soon(stream.read_to_end(&mut rest)).await;
    assert_eq!(rest, b"", "nothing more is said");
}
