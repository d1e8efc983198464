//! What a single value can be: each function reads one kind and names the rule that a wrong one breaks.
//!
//! Numbers and truth values are also read from text, because that is all the environment has.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use jiff::tz::TimeZone;
use secrecy::SecretString;
use toml::Value;
use url::Url;

use super::error::Problem;
use crate::ids::IdError;
use crate::traces::Sample;

/// Addresses that the sender publishes for each environment (C§5).
const PRESETS: [(&str, &[IpNet]); 2] = [
    (
        "jodo-production",
        &[host(3, 6, 234, 242), host(3, 111, 80, 40), host(13, 232, 24, 175), host(43, 204, 202, 190)],
    ),
    ("jodo-uat", &[host(3, 108, 86, 33), host(13, 127, 40, 177), host(65, 0, 77, 215)]),
];

const fn host(a: u8, b: u8, c: u8, d: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), 32))
}

pub(super) fn text(value: Value) -> Result<String, Problem> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(Problem::Type("text")),
    }
}

pub(super) fn non_empty(value: Value) -> Result<String, Problem> {
    text(value)
        .and_then(|text| if text.is_empty() { Err(Problem::Rule("must not be empty")) } else { Ok(text) })
}

pub(super) fn secret(value: Value) -> Result<SecretString, Problem> {
    non_empty(value).map(SecretString::from)
}

/// Text in one of our own forms; `kind` says which.
pub(super) fn parsed<T: FromStr>(kind: &'static str) -> impl Fn(Value) -> Result<T, Problem> {
    move |value| text(value)?.parse().map_err(|_| Problem::Type(kind))
}

/// A name or tenant, with the rule that it breaks.
pub(super) fn id<T: FromStr<Err = IdError>>(value: Value) -> Result<T, Problem> {
    text(value)?.parse().map_err(Problem::Id)
}

/// One of a few words.
pub(super) fn one_of<T: Copy>(
    words: &'static [(&'static str, T)],
    kind: &'static str,
) -> impl Fn(Value) -> Result<T, Problem> {
    move |value| {
        let text = text(value)?;
        words.iter().find(|(word, _)| *word == text).map(|(_, one)| *one).ok_or(Problem::Type(kind))
    }
}

pub(super) fn boolean(value: Value) -> Result<bool, Problem> {
    match value {
        Value::Boolean(truth) => Ok(truth),
        Value::String(text) => text.parse().map_err(|_| Problem::Type("true or false")),
        _ => Err(Problem::Type("true or false")),
    }
}

pub(super) fn number(range: RangeInclusive<u64>) -> impl Fn(Value) -> Result<u64, Problem> {
    move |value| {
        let number = match &value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        within(number.ok_or(Problem::Type("a whole number"))?, &range)
    }
}

/// A part of a whole.
pub(super) fn fraction(value: Value) -> Result<Sample, Problem> {
    let number = match value {
        Value::Float(number) => Some(number),
        Value::Integer(0) => Some(0.0),
        Value::Integer(1) => Some(1.0),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.and_then(Sample::of).ok_or(Problem::Type("a fraction from 0 to 1, such as 0.01"))
}

/// Bytes: a number, or a number with `B`, `KiB`, `MiB` or `GiB`.
pub(super) fn size(range: RangeInclusive<u64>) -> impl Fn(Value) -> Result<usize, Problem> {
    move |value| {
        let bytes = match &value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::String(text) => size_of(text),
            _ => None,
        };
        let bytes =
            within(bytes.ok_or(Problem::Type("a number of bytes, or text such as \"4 MiB\""))?, &range)?;
        usize::try_from(bytes).map_err(|_| Problem::Rule("is more than this machine can address"))
    }
}

fn size_of(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = match unit.trim_start_matches(' ') {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn within(number: u64, range: &RangeInclusive<u64>) -> Result<u64, Problem> {
    if range.contains(&number) { Ok(number) } else { Err(Problem::Range(*range.start(), *range.end())) }
}

/// A list; also a JSON list in text, or one bare value. A bare value that begins with `[` must be put in a list.
pub(super) fn list<T>(
    item: impl Fn(Value) -> Result<T, Problem>,
) -> impl Fn(Value) -> Result<Vec<T>, Problem> {
    move |value| {
        let items = match value {
            Value::Array(items) => items,
            Value::String(text) if text.starts_with('[') => {
                let items: Result<Vec<String>, _> = serde_json::from_str(&text);
                items
                    .map_err(|_| Problem::Type("one value, or a JSON list of texts"))?
                    .into_iter()
                    .map(Value::String)
                    .collect()
            }
            one => vec![one],
        };
        items.into_iter().map(&item).collect()
    }
}

/// An entry of `allow`: what [`network`] takes, or the name of a preset.
pub(super) fn allowed(value: Value) -> Result<Vec<IpNet>, Problem> {
    match PRESETS.iter().find(|(name, _)| value.as_str() == Some(name)) {
        Some((_, addresses)) => Ok(addresses.to_vec()),
        None => network(value).map(|network| vec![network]).map_err(|problem| match problem {
            Problem::Type(_) => {
                Problem::Type("addresses, networks such as 10.0.0.0/8, jodo-production or jodo-uat")
            }
            other => other,
        }),
    }
}

/// A single address, or a network.
pub(super) fn network(value: Value) -> Result<IpNet, Problem> {
    let network =
        parse_network(&text(value)?).ok_or(Problem::Type("addresses, or networks such as 10.0.0.0/8"))?;
    if network.prefix_len() == 0 {
        return Err(Problem::Rule("must not hold a network of all addresses"));
    }
    Ok(network)
}

fn parse_network(text: &str) -> Option<IpNet> {
    let address = text.parse::<IpAddr>().map(IpNet::from).ok();
    address.or_else(|| text.parse().ok()).map(|network: IpNet| network.trunc())
}

/// A URL with one of `schemes`, credentials allowed; `kind` names them.
pub(super) fn address_of(
    schemes: &'static [&'static str],
    kind: &'static str,
) -> impl Fn(Value) -> Result<SecretString, Problem> {
    move |value| {
        let text = text(value)?;
        let url = Url::parse(&text).map_err(|_| Problem::Type(kind))?;
        if !schemes.contains(&url.scheme()) {
            return Err(Problem::Type(kind));
        }
        // A password with such a character unescaped ends the host part early: the rest of it would be taken for
        // path or query, and shown.
        let astray = |part: &str| part.contains('@');
        if url.fragment().is_some() || astray(url.path()) || url.query().is_some_and(astray) {
            return Err(Problem::Rule(
                "must have '/', '?', '#' and '@' percent-encoded in its user name and password",
            ));
        }
        if url.host_str().is_none_or(str::is_empty) && url.query().is_none() {
            return Err(Problem::Rule("must name a host"));
        }
        Ok(SecretString::from(text))
    }
}

/// Where an HTTP service without TLS is: its host and port, nothing more.
pub(super) fn http_url(value: Value) -> Result<Url, Problem> {
    let kind = Problem::Type("an http:// URL such as http://ingress:9180");
    let Ok(url) = Url::parse(&text(value)?) else { return Err(kind) };
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let nobody = url.username().is_empty() && url.password().is_none();
    if url.scheme() == "http" && url.has_host() && bare && nobody { Ok(url) } else { Err(kind) }
}

/// An address that HTTP is spoken at. It is no secret, so it holds none.
pub(super) fn plain_url(value: Value) -> Result<String, Problem> {
    let text = text(value)?;
    let kind = Problem::Type("an http:// or https:// URL");
    let Ok(url) = Url::parse(&text) else { return Err(kind) };
    if !["http", "https"].contains(&url.scheme()) {
        return Err(kind);
    }
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || url.query().is_some() || url.fragment().is_some() {
        return Err(Problem::Rule("must have no user name, password, query or fragment"));
    }
    Ok(text)
}

/// A path that deliveries come in on, plain enough for every proxy and router to leave as it is.
pub(super) fn path(value: Value) -> Result<String, Problem> {
    let path = text(value)?;
    if !path.starts_with('/') {
        return Err(Problem::Rule("must begin with '/'"));
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b);
    if !path.bytes().all(plain) || path.len() > 200 {
        return Err(Problem::Rule(
            "must be at most 200 letters, digits and '/', '-', '_', '.', '~', without a query",
        ));
    }
    if path[1..].split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(Problem::Rule("must not have an empty part, '.' or '..', and must not end in '/'"));
    }
    if ["/livez", "/readyz", "/metrics"].contains(&path.as_str()) {
        return Err(Problem::Rule("must not be a path of the private listener"));
    }
    Ok(path)
}

/// An HTTP field name (RFC 9110 section 5.1), in lower case.
pub(super) fn header_name(value: Value) -> Result<String, Problem> {
    let name = text(value)?.to_ascii_lowercase();
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(Problem::Type("an HTTP header name"));
    }
    if name == "x-jodo-signature" {
        return Err(Problem::Rule("must not be the signature's own header"));
    }
    Ok(name)
}

/// An HTTP field value (RFC 9110 section 5.5) without the blanks around it, which no server gets to see.
pub(super) fn header_value(value: Value) -> Result<SecretString, Problem> {
    let text = non_empty(value)?;
    if text.trim() != text || !text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Err(Problem::Rule("must be printable ASCII without blanks around it"));
    }
    Ok(SecretString::from(text))
}

pub(super) fn time_zone(value: Value) -> Result<TimeZone, Problem> {
    TimeZone::get(&text(value)?).map_err(|_| Problem::Type("an IANA time zone such as Asia/Kolkata"))
}

/// A filter as tracing-subscriber reads it.
pub(super) fn log_filter(value: Value) -> Result<String, Problem> {
    let filter = text(value)?;
    match tracing_subscriber::EnvFilter::builder().parse(&filter) {
        Ok(_) => Ok(filter),
        Err(_) => Err(Problem::Type("a log filter such as info,lapin=warn")),
    }
}
