use actix_web::http::header::HeaderValue;
use jodo_shared::config::{self, CustomHeader, Environment, HoldLimit, OnBadSignature};

use super::*;
use crate::source::SourceError;

const BODY: &[u8] = br#"{"event":"direct.payment.added"}"#;
const PEER: &str = "3.6.234.242";

fn config() -> config::Source {
    config::Source {
        path: "/webhooks/jodo".to_owned(),
        secrets: vec!["old".into(), "new".into()],
        header: None,
        allow: vec![],
        trusted_proxies: vec![],
        tenant: "main".parse().unwrap(),
        target: "main".parse().unwrap(),
        environment: Environment::Test,
        time_zone: TimeZone::UTC,
        strict: false,
        on_bad_signature: OnBadSignature::Hold,
        hold_limit: HoldLimit { deliveries: 2, bytes: 1000 },
        ignore: vec![],
    }
}

fn source(config: &config::Source) -> Source {
    Source::new(&"jodo".parse().unwrap(), config).unwrap()
}

fn sign(secret: &str, body: &[u8]) -> String {
    let mac = <hmac::Hmac<Sha256> as hmac::KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    hex::encode(mac.chain_update(body).finalize().into_bytes())
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// Both parts of the step, as for a delivery from [`PEER`] at the start of 1970.
fn decide(source: &Source, pairs: &[(&'static str, &str)]) -> Result<Proof, Refusal> {
    let sender = examine(source, PEER.parse().unwrap(), &headers(pairs))?;
    authenticate(source, &sender, BODY, Timestamp::UNIX_EPOCH)
}

const PROVED: Result<Proof, Refusal> =
    Ok(Proof::Verified(Concerns { unlisted_address: false, bad_header: false }));

#[test]
fn the_signature_is_the_documented_hmac_of_the_raw_body() {
    // printf '{"event":"direct.payment.added"}' | openssl dgst -sha256 -hmac old
    let expected = "1484e68d56e3cfa380532fde50f4efa61ab412f45c7aba62d0973dc3e3d80c92";
    assert_eq!(sign("old", BODY), expected);
    assert_eq!(decide(&source(&config()), &[("x-jodo-signature", expected)]), PROVED);
}

#[test]
fn every_configured_secret_is_valid_and_either_case_of_hexadecimal() {
    let source = source(&config());
    for secret in ["old", "new"] {
        let signature = sign(secret, BODY);
        assert_eq!(decide(&source, &[("x-jodo-signature", &signature)]), PROVED);
        assert_eq!(decide(&source, &[("x-jodo-signature", &signature.to_uppercase())]), PROVED);
    }
    let other = sign("other", BODY);
    assert_eq!(decide(&source, &[("x-jodo-signature", &other)]), Err(Refusal::SignatureWrong));
}

#[test]
fn one_good_signature_among_several_is_enough() {
    let (good, bad) = (sign("new", BODY), sign("other", BODY));
    let pairs = [("x-jodo-signature", bad.as_str()), ("x-jodo-signature", good.as_str())];
    assert_eq!(decide(&source(&config()), &pairs), PROVED);
}

#[test]
fn what_cannot_be_a_signature_is_refused_by_the_head_alone() {
    let source = source(&config());
    let prefixed = format!("sha256={}", sign("new", BODY));
    let cut = sign("new", BODY)[..62].to_owned();
    for bad in ["", "abc", &prefixed, &cut] {
        let examined = examine(&source, PEER.parse().unwrap(), &headers(&[("x-jodo-signature", bad)]));
        assert_eq!(examined.unwrap_err(), Refusal::SignatureWrong, "{bad}");
    }
    let examined = examine(&source, PEER.parse().unwrap(), &headers(&[]));
    assert_eq!(examined.unwrap_err(), Refusal::SignatureMissing);
}

#[test]
fn the_custom_header_takes_the_signatures_place_where_there_is_no_secret() {
    let header = Some(CustomHeader { name: "x-school".to_owned(), value: "open sesame".into() });
    let allow = vec![format!("{PEER}/32").parse().unwrap()];
    let source = source(&config::Source { secrets: vec![], header, allow, ..config() });
    assert_eq!(decide(&source, &[("x-school", "open sesame")]), PROVED);
    for pairs in [&[("x-school", "open sesam")][..], &[("x-school", "")], &[]] {
        let examined = examine(&source, PEER.parse().unwrap(), &headers(pairs));
        assert_eq!(examined.unwrap_err(), Refusal::HeaderBad);
    }
}

#[test]
fn holding_ends_with_the_days_bound_and_begins_again_the_next_day() {
    let allow = vec![format!("{PEER}/32").parse().unwrap()];
    let source = source(&config::Source { allow, ..config() });
    for expected in [Ok(Proof::Held), Ok(Proof::Held), Err(Refusal::HoldFull)] {
        assert_eq!(decide(&source, &[]), expected);
    }
    let sender = examine(&source, PEER.parse().unwrap(), &headers(&[])).unwrap();
    let tomorrow = Timestamp::from_second(86_400).unwrap();
    assert_eq!(authenticate(&source, &sender, BODY, tomorrow), Ok(Proof::Held));
}

#[test]
fn a_source_with_neither_secret_nor_header_is_not_served() {
    let error = Source::new(&"jodo".parse().unwrap(), &config::Source { secrets: vec![], ..config() });
    assert_eq!(error.unwrap_err(), SourceError::NothingToProve("jodo".parse().unwrap()));
}
