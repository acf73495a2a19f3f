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
    let peer = peer.map_or(IpAddr::from([127, 0, 0, 1]), |peer| peer.ip());
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
        .and_then(|at| hops[at].parse().ok())
        .unwrap_or(peer)
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
}
