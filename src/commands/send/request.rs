//! One POST, and the answer.

use std::io::Write;
use std::time::Duration;

use anyhow::Context as _;
use jodo_ingress::authenticate::SIGNATURE_HEADER;
use jodo_shared::ids::DeliveryKey;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use secrecy::ExposeSecret as _;

use super::route::Route;
use crate::signature::sign;
use crate::wording::{count, plain};

/// How long the whole exchange may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// What is shown of an answer; ours are far shorter, but the URL may lead anywhere.
const MOST_SHOWN: usize = 16 << 10;

/// The answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The key under which the ingress says that it accepted the delivery.
    pub(super) key: Option<DeliveryKey>,
}

/// Sends the body, and prints the request without its secrets, and the answer.
pub(super) async fn post(route: &Route, body: Vec<u8>, out: &mut dyn Write) -> anyhow::Result<Answer> {
    let mut request = client(&route.url)?.post(route.url.clone()).header(CONTENT_TYPE, "application/json");
    writeln!(out, "POST {}\n  content-type: application/json", shown(&route.url))?;
    if let Some(secret) = &route.secret {
        let signature = sign(secret, &body);
        writeln!(out, "  {}: {signature}", SIGNATURE_HEADER.as_str())?;
        request = request.header(SIGNATURE_HEADER.as_str(), signature);
    }
    if let Some(header) = &route.header {
        writeln!(out, "  {}: [not shown]", header.name)?;
        request = request.header(&header.name, header.value.expose_secret());
    }
    writeln!(out, "  {}, delivery key {}", size(&body), DeliveryKey::of(&route.source, &body))?;

    // Whose address it is was printed above; without it the error cannot hold a password.
    let sent = request.body(body).send().await.map_err(reqwest::Error::without_url);
    let answer = sent.with_context(|| format!("no answer from {}", shown(&route.url)))?;
    let status = answer.status();
    let text = beginning(answer).await?;
    writeln!(out, "Answer: {status}\n  {}", plain(&text))?;
    Ok(Answer { status, key: key_in(&text) })
}

/// A client for this address.
pub(crate) fn client(url: &Url) -> anyhow::Result<Client> {
    // A POST that is redirected would become a GET without its body.
    let mut builder = Client::builder().timeout(DEADLINE).redirect(redirect::Policy::none());
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if loopback {
        // A proxy is for the world outside; its own loopback is another machine's.
        builder = builder.no_proxy();
    }
    builder.build().context("cannot set up HTTP")
}

/// The address without a password or query.
pub(crate) fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

fn size(body: &[u8]) -> String {
    count(body.len() as i64, "byte", "bytes")
}

async fn beginning(mut answer: Response) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url).context("the answer")? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_SHOWN {
            bytes.truncate(MOST_SHOWN);
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

fn key_in(answer: &str) -> Option<DeliveryKey> {
    let answer: serde_json::Value = serde_json::from_str(answer).ok()?;
    answer["delivery_key"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_key_is_found_where_there_is_one() {
        let key = DeliveryKey::of(&"jodo".parse().unwrap(), b"{}");
        let answer = format!(r#"{{"status":"accepted","event_id":null,"delivery_key":"{key}"}}"#);
        assert_eq!(key_in(&answer), Some(key));
        for other in ["", "{}", "Not Found", r#"{"delivery_key":"x"}"#] {
            assert_eq!(key_in(other), None, "{other}");
        }
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let url = Url::parse("https://u:hush@erp.example/hook?token=hush").unwrap();
        assert_eq!(shown(&url), "https://erp.example/hook");
    }
}
