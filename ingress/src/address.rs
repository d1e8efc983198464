//! Whose address a delivery comes from, when there may be proxies in between.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::HeaderMap;
use ipnet::IpNet;

use crate::verdict::Address;

/// The header in which proxies say for whom they forward; each appends the address that it saw.
const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The address lists of one source, in one form: IPv4 addresses in IPv6 clothing (`::ffff:a.b.c.d`, which is what a
/// dual-stack socket reports) are taken as IPv4 everywhere.
#[derive(Debug)]
pub struct AddressRules {
    allow: Vec<IpNet>,
    trusted_proxies: Vec<IpNet>,
}

impl AddressRules {
    /// Rules with these lists; an empty `allow` is no list.
    pub fn new(allow: &[IpNet], trusted_proxies: &[IpNet]) -> Self {
        let canonical = |nets: &[IpNet]| nets.iter().map(canonical_net).collect();
        Self { allow: canonical(allow), trusted_proxies: canonical(trusted_proxies) }
    }

    /// What the list says of `client`.
    pub fn judge(&self, client: IpAddr) -> Address {
        match self.allow.as_slice() {
            [] => Address::NoList,
            nets if contains(nets, client) => Address::Listed,
            _ => Address::Unlisted,
        }
    }

    /// The client's address: `peer`, unless that is a trusted proxy.
    ///
    /// Then all values of `X-Forwarded-For` together are one list, walked from its right end, which the nearest proxy
    /// wrote, to the first address that is not a trusted proxy: that one is the client, and what stands left of it
    /// is the client's own claim. An entry that is no address ends the walk at the last trusted hop.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let values: Vec<&[u8]> = headers.get_all(X_FORWARDED_FOR).map(|value| value.as_bytes()).collect();
        let entries = values.iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b','));
        for entry in entries {
            if !contains(&self.trusted_proxies, client) {
                break;
            }
            match parse_entry(entry) {
                Some(hop) => client = hop,
                None => break,
            }
        }
        client
    }
}

fn contains(nets: &[IpNet], address: IpAddr) -> bool {
    nets.iter().any(|net| net.contains(&address))
}

/// One entry: an address, or an address with a port, as some proxies write it.
fn parse_entry(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

fn canonical_net(net: &IpNet) -> IpNet {
    let mapped = match net {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => {
            v6.addr().to_ipv4_mapped().map(|v4| (v4, v6.prefix_len() - 96))
        }
        _ => None,
    };
    mapped.and_then(|(v4, prefix)| IpNet::new(v4.into(), prefix).ok()).unwrap_or(*net)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn rules(allow: &[&str], proxies: &[&str]) -> AddressRules {
        let nets = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpNet>>();
        AddressRules::new(&nets(allow), &nets(proxies))
    }

    fn client(proxies: &[&str], peer: &str, forwarded: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(HeaderName::from_static(X_FORWARDED_FOR), HeaderValue::from_bytes(value).unwrap());
        }
        rules(&[], proxies).client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn without_a_trusted_proxy_the_peer_is_the_client_whatever_the_header_claims() {
        assert_eq!(client(&[], "9.9.9.9", &[b"3.6.234.242"]), "9.9.9.9");
        assert_eq!(client(&["10.0.0.0/8"], "9.9.9.9", &[b"3.6.234.242"]), "9.9.9.9");
    }

    #[test]
    fn behind_proxies_the_first_untrusted_address_from_the_right_is_the_client() {
        let proxies = &["10.0.0.0/8"];
        assert_eq!(client(proxies, "10.0.0.1", &[b"3.6.234.242"]), "3.6.234.242");
        assert_eq!(client(proxies, "10.0.0.1", &[b"3.6.234.242, 10.0.0.2"]), "3.6.234.242");
        // A client that writes the header itself only adds to its left end.
        assert_eq!(client(proxies, "10.0.0.1", &[b"3.6.234.242, 9.9.9.9"]), "9.9.9.9");
        assert_eq!(client(proxies, "10.0.0.1", &[b"3.6.234.242", b"9.9.9.9, 10.0.0.2"]), "9.9.9.9");
        assert_eq!(client(proxies, "10.0.0.1", &[b"9.9.9.9", b"10.0.0.2"]), "9.9.9.9");
    }

    #[test]
    fn when_every_hop_is_trusted_the_furthest_is_the_client() {
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &[b"10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn an_entry_that_is_no_address_stops_at_the_last_trusted_hop() {
        for garbage in
            [&b"3.6.234.242, unknown, 10.0.0.2"[..], b"3.6.234.242,,10.0.0.2", b"\xff\xfe,10.0.0.2"]
        {
            assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &[garbage]), "10.0.0.2");
        }
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &[b""]), "10.0.0.1");
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_understood() {
        let proxies = &["10.0.0.0/8", "fd00::/8"];
        assert_eq!(client(proxies, "::ffff:10.0.0.1", &[b"3.6.234.242:4711"]), "3.6.234.242");
        assert_eq!(client(proxies, "fd00::1", &[b"[2001:db8::7]:443"]), "2001:db8::7");
        assert_eq!(client(proxies, "fd00::1", &[b"[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(client(proxies, "fd00::1", &[b"::ffff:3.6.234.242, fd00::2"]), "3.6.234.242");
    }

    #[test]
    fn the_list_is_judged_in_either_clothing() {
        let plain = rules(&["3.6.234.242/32", "2001:db8::/64"], &[]);
        let mapped = rules(&["::ffff:3.6.234.242/128"], &[]);
        let listed = "3.6.234.242".parse().unwrap();
        assert_eq!(plain.judge(listed), Address::Listed);
        assert_eq!(mapped.judge(listed), Address::Listed);
        assert_eq!(plain.judge("2001:db8::5".parse().unwrap()), Address::Listed);
        assert_eq!(plain.judge("3.6.234.243".parse().unwrap()), Address::Unlisted);
        assert_eq!(rules(&[], &[]).judge(listed), Address::NoList);
    }
}
