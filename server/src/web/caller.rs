//! What is known of a caller before anybody asks who it is.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::http::HeaderMap;

/// A caller, put into every request by the outermost layers.
#[derive(Clone, Debug)]
pub struct Caller {
    /// From where, for limits; never for trust.
    pub address: IpAddr,
    /// To quote on error pages and to find in the log.
    pub request_id: Arc<str>,
    /// The nonce of this answer's content security policy.
    pub nonce: Arc<str>,
}

/// The caller's address: of the connection, or what the outermost of our own proxies saw.
pub fn address(peer: Option<SocketAddr>, headers: &HeaderMap, trusted_proxies: usize) -> IpAddr {
    // A socket on [::] sees IPv4 callers inside IPv6 addresses.
    let peer = peer.map_or(IpAddr::from([127, 0, 0, 1]), |peer| {
        peer.ip().to_canonical()
    });
    if trusted_proxies == 0 {
        return peer;
    }
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    // Each proxy appends what it saw: what stands further left was sent by the caller and proves nothing.
    hops.len()
        .checked_sub(trusted_proxies)
        .and_then(|at| hop(hops[at]))
        .unwrap_or(peer)
}

/// An address as proxies write it: alone, with a port, or in brackets.
fn hop(text: &str) -> Option<IpAddr> {
    let alone = text.trim_start_matches('[').trim_end_matches(']');
    let address: Option<IpAddr> = alone.parse().ok();
    address
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_proxies_are_believed() {
        let peer: SocketAddr = "10.0.0.9:1".parse().expect("it is an address");
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-forwarded-for",
            "6.6.6.6, 203.0.113.7".parse().expect("it is a header"),
        );
        let of = |proxies| address(Some(peer), &headers, proxies).to_string();
        assert_eq!(of(0), "10.0.0.9");
        assert_eq!(of(1), "203.0.113.7");
        assert_eq!(of(3), "10.0.0.9");
    }

    #[test]
    fn addresses_are_read_in_every_way_that_proxies_write_them() {
        for (text, address) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:5678", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:5678", "203.0.113.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:5678", "2001:db8::7"),
        ] {
            assert_eq!(
                hop(text).map(|found| found.to_string()).as_deref(),
                Some(address)
            );
        }
        assert_eq!(hop("unknown"), None);
        let mapped: SocketAddr = "[::ffff:10.0.0.9]:1".parse().expect("it is an address");
        let found = address(Some(mapped), &HeaderMap::new(), 0);
        assert_eq!(found.to_string(), "10.0.0.9");
    }
}
