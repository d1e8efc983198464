//! The authentication table over HTTP: each mechanism alone and combined.
//!
//! The tests' own address is a trusted proxy where a case needs another one.

use crate::client::Request;
use crate::harness::{BODY, Ingress, PATH, sign, signed};

const LISTED: &str = "3.6.234.242";
const UNLISTED: &str = "9.9.9.9";
const BEHIND_PROXY: &str = "trusted_proxies = [\"127.0.0.1\"]";
const LIST: &str = "allow = [\"jodo-production\"]";
const SECRETS: &str = "secrets = [\"new\", \"old\"]";
const HEADER: &str = "header = { name = \"X-School-Token\", value = \"open sesame\" }";

/// What should come of a request: its sender proved, held, or refused with a word.
#[derive(Debug, PartialEq)]
enum Ends {
    Verified,
    Held,
    Refused(&'static str),
}
use Ends::{Held, Refused, Verified};

/// Starts an ingress whose source has these settings, and checks what comes of each request.
async fn check(settings: &[&str], cases: Vec<(&str, Request, Ends)>) {
    let ingress = Ingress::with(&format!("[sources.jodo]\n{}", settings.join("\n")));
    for (name, request, expected) in cases {
        let before = ingress.publisher.taken_now().len();
        let answer = ingress.send(request).await;
        let new = ingress.publisher.taken_now().split_off(before);
        match expected {
            Verified | Held => {
                assert_eq!(answer.status, 200, "{name}: {answer:?}");
                assert_eq!(new.len(), 1, "{name}");
                assert_eq!(new[0].verified, expected == Verified, "{name}");
                // Only what may be checked again needs its signature.
                assert!(expected == Held || new[0].signature.is_none(), "{name}");
            }
            Refused(word) => {
                assert_eq!((answer.status, answer.reason().as_str()), (401, word), "{name}");
                assert_eq!(answer.json()["status"], "refused", "{name}");
                assert!(new.is_empty(), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_held_delivery_takes_its_first_claimed_signature_along() {
    let ingress = Ingress::with("[sources.jodo]\nsecrets = ['new']\nallow = ['127.0.0.0/8']");
    let forged = sign("forged", BODY);
    let twice = bad().header("X-Jodo-Signature", &"00".repeat(32));
    for (request, claimed) in [(twice, Some(forged.as_str())), (unsigned(), None)] {
        assert_eq!(ingress.send(request).await.status, 200);
        let message = ingress.publisher.taken_now().pop().unwrap();
        assert!(!message.verified);
        assert_eq!(message.signature.map(|signature| signature.to_string()).as_deref(), claimed);
    }
}

fn good() -> Request {
    signed("new", BODY)
}

fn bad() -> Request {
    signed("forged", BODY)
}

fn unsigned() -> Request {
    Request::post(PATH).body(BODY)
}

fn from(address: &str, request: Request) -> Request {
    request.header("X-Forwarded-For", address)
}

fn token(value: &str, request: Request) -> Request {
    request.header("x-school-token", value)
}

#[tokio::test]
async fn a_secret_alone() {
    let mut altered = BODY.to_vec();
    altered[20] ^= 1;
    let altered = Request::post(PATH).header("X-Jodo-Signature", &sign("new", BODY)).body(&altered);
    let mut digit = sign("new", BODY).into_bytes();
    digit[63] = if digit[63] == b'0' { b'1' } else { b'0' };
    let digit = String::from_utf8(digit).unwrap();
    let with = |value: &str| Request::post(PATH).header("x-jodo-signature", value).body(BODY);
    let cases = vec![
        ("good", good(), Verified),
        ("the other valid secret, during a rotation", signed("old", BODY), Verified),
        ("upper-case digits", with(&sign("new", BODY).to_uppercase()), Verified),
        ("another secret", bad(), Refused("signature_wrong")),
        ("a secret that is no longer configured", signed("older", BODY), Refused("signature_wrong")),
        ("body altered by one bit", altered, Refused("signature_wrong")),
        ("signature altered by one digit", with(&digit), Refused("signature_wrong")),
        ("signature of nothing", with(&sign("new", b"")), Refused("signature_wrong")),
        ("signature cut", with(&sign("new", BODY)[..62]), Refused("signature_wrong")),
        ("signature empty", with(""), Refused("signature_wrong")),
        ("no signature", unsigned(), Refused("signature_missing")),
        ("the secret itself as the signature", with("new"), Refused("signature_wrong")),
    ];
    check(&[SECRETS], cases).await;
}

#[tokio::test]
async fn a_secret_and_an_address_list() {
    let cases = vec![
        ("good, listed", from(LISTED, good()), Verified),
        ("good, not listed", from(UNLISTED, good()), Verified),
        ("wrong, listed", from(LISTED, bad()), Held),
        ("missing, listed", from(LISTED, unsigned()), Held),
        ("wrong, not listed", from(UNLISTED, bad()), Refused("signature_wrong")),
        ("missing, not listed", from(UNLISTED, unsigned()), Refused("signature_missing")),
        ("a forger's own entry", from(&format!("{LISTED}, {UNLISTED}"), bad()), Refused("signature_wrong")),
        ("a forger's own line", from(UNLISTED, from(LISTED, bad())), Refused("signature_wrong")),
        ("garbage beside a listed entry", from(&format!("{LISTED}, ?"), bad()), Refused("signature_wrong")),
        ("the proxy itself", bad(), Refused("signature_wrong")),
    ];
    check(&[SECRETS, LIST, BEHIND_PROXY], cases).await;
}

#[tokio::test]
async fn a_forwarding_header_from_a_stranger_counts_for_nothing() {
    let cases = vec![
        ("spoofed", from(LISTED, bad()), Refused("signature_wrong")),
        ("spoofed, unsigned", from(LISTED, unsigned()), Refused("signature_missing")),
        ("spoofed, but well signed", from(UNLISTED, good()), Verified),
    ];
    check(&[SECRETS, LIST], cases).await;
}

#[tokio::test]
async fn the_peers_own_address_can_be_listed() {
    check(&[SECRETS, "allow = [\"127.0.0.0/8\"]"], vec![("wrong", bad(), Held), ("good", good(), Verified)])
        .await;
}

#[tokio::test]
async fn a_strict_source_refuses_unlisted_addresses_and_still_holds() {
    let cases = vec![
        ("good, listed", from(LISTED, good()), Verified),
        ("good, not listed", from(UNLISTED, good()), Refused("address_unlisted")),
        ("wrong, listed", from(LISTED, bad()), Held),
        ("wrong, not listed", from(UNLISTED, bad()), Refused("address_unlisted")),
    ];
    check(&[SECRETS, LIST, BEHIND_PROXY, "strict = true"], cases).await;
}

#[tokio::test]
async fn a_source_that_refuses_bad_signatures_holds_nothing() {
    let cases = vec![
        ("good, not listed", from(UNLISTED, good()), Verified),
        ("wrong, listed", from(LISTED, bad()), Refused("signature_wrong")),
        ("missing, listed", from(LISTED, unsigned()), Refused("signature_missing")),
    ];
    check(&[SECRETS, LIST, BEHIND_PROXY, "on_bad_signature = \"refuse\""], cases).await;
}

#[tokio::test]
async fn a_secret_and_a_header() {
    let cases = vec![
        ("both good", token("open sesame", good()), Verified),
        ("good, header wrong", token("closed", good()), Verified),
        ("good, header missing", good(), Verified),
        ("wrong, header good", token("open sesame", bad()), Refused("signature_wrong")),
        ("missing, header good", token("open sesame", unsigned()), Refused("signature_missing")),
        ("both wrong", token("closed", bad()), Refused("signature_wrong")),
    ];
    check(&[SECRETS, HEADER], cases).await;
    let strict = vec![
        ("both good", token("open sesame", good()), Verified),
        ("good, header wrong", token("closed", good()), Refused("header_bad")),
        ("good, header missing", good(), Refused("header_bad")),
    ];
    check(&[SECRETS, HEADER, "strict = true"], strict).await;
}

#[tokio::test]
async fn a_secret_a_header_and_a_list() {
    let cases = vec![
        ("all good", from(LISTED, token("open sesame", good())), Verified),
        ("only the signature good", from(UNLISTED, token("closed", good())), Verified),
        ("only the signature bad", from(LISTED, token("open sesame", bad())), Held),
        ("only the address good", from(LISTED, token("closed", bad())), Held),
        ("only the header good", from(UNLISTED, token("open sesame", bad())), Refused("signature_wrong")),
    ];
    check(&[SECRETS, HEADER, LIST, BEHIND_PROXY], cases).await;
}

#[tokio::test]
async fn a_header_alone() {
    let cases = vec![
        ("good, listed", from(LISTED, token("open sesame", unsigned())), Verified),
        ("good, not listed", from(UNLISTED, token("open sesame", unsigned())), Verified),
        ("wrong, listed", from(LISTED, token("open sesam", unsigned())), Refused("header_bad")),
        ("other case", from(LISTED, token("Open Sesame", unsigned())), Refused("header_bad")),
        ("missing, listed", from(LISTED, unsigned()), Refused("header_bad")),
        ("missing, and a signature nobody asked for", from(LISTED, good()), Refused("header_bad")),
    ];
    check(&[HEADER, LIST, BEHIND_PROXY], cases).await;
    let strict = vec![(
        "good, not listed",
        from(UNLISTED, token("open sesame", unsigned())),
        Refused("address_unlisted"),
    )];
    check(&[HEADER, LIST, BEHIND_PROXY, "strict = true"], strict).await;
}

#[tokio::test]
async fn past_the_days_bound_a_bad_signature_is_refused_again_and_a_good_one_is_not() {
    let bound = "hold_limit = { deliveries = 2, bytes = \"1 MiB\" }";
    let cases = vec![
        ("first", from(LISTED, bad()), Held),
        ("second", from(LISTED, unsigned()), Held),
        ("third", from(LISTED, bad()), Refused("hold_limit")),
        ("good", from(LISTED, good()), Verified),
    ];
    check(&[SECRETS, LIST, BEHIND_PROXY, bound], cases).await;
    let bytes = "hold_limit = { deliveries = 9, bytes = 10 }";
    check(
        &[SECRETS, LIST, BEHIND_PROXY, bytes],
        vec![("too many bytes", from(LISTED, bad()), Refused("hold_limit"))],
    )
    .await;
}

#[tokio::test]
async fn one_sources_secret_opens_no_other_source() {
    let toml = "[sources.north]\nsecrets = [\"n\"]\n[sources.south]\nsecrets = [\"s\"]\ntenant = \"south\"";
    let ingress = Ingress::with(toml);
    let to = |path: &str| Request::post(path).header("X-Jodo-Signature", &sign("s", BODY)).body(BODY);
    assert_eq!(ingress.send(to("/webhooks/south")).await.status, 200);
    assert_eq!(ingress.send(to("/webhooks/north")).await.status, 401);
    let taken = ingress.publisher.taken_now();
    assert_eq!((taken[0].source.as_str(), taken[0].tenant.as_str()), ("south", "south"));
}

#[tokio::test]
async fn a_refusal_says_which_proof_is_asked_for_and_nothing_of_the_secret() {
    let ingress = Ingress::start();
    let answer = ingress.send(unsigned()).await;
    assert_eq!(answer.header("www-authenticate"), Some("x-jodo-signature"));
    assert_eq!(answer.json(), serde_json::json!({ "status": "refused", "reason": "signature_missing" }));
}
