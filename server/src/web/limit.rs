//! How often one address may begin a sign-in: a small token bucket per address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use chrono::Duration;
use domain::Timestamp;

/// Beyond this many addresses the full buckets are forgotten …
const MOST_ADDRESSES: usize = 10_000;
/// … but not more often than this: looking at each costs as much as a thousand calls.
const BETWEEN_SWEEPS: Duration = Duration::seconds(1);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

/// Admits so many per minute and address, in bursts of at most as many.
#[derive(Debug)]
pub struct Limiter {
    per_minute: f64,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    by_network: HashMap<IpAddr, Bucket>,
    swept: Option<Timestamp>,
}

impl Limiter {
    /// A limiter that has seen nobody.
    pub fn new(per_minute: u32) -> Self {
        Self {
            per_minute: f64::from(per_minute),
            buckets: Mutex::default(),
        }
    }

    /// Whether one more may pass now.
    pub fn admits(&self, address: IpAddr, now: Timestamp) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Buckets { by_network, swept } = &mut *buckets;
        let refill = |bucket: &Bucket| {
            let minutes = (now - bucket.at).num_milliseconds().max(0) as f64 / 60_000.0;
            (bucket.tokens + minutes * self.per_minute).min(self.per_minute)
        };
        if by_network.len() >= MOST_ADDRESSES && swept.is_none_or(|at| now - at >= BETWEEN_SWEEPS) {
            by_network.retain(|_, bucket| refill(bucket) < self.per_minute);
            *swept = Some(now);
        }
        let bucket = by_network.entry(network(address)).or_insert(Bucket {
            tokens: self.per_minute,
            at: now,
        });
        bucket.tokens = refill(bucket);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

/// One subscriber has a whole /64 of IPv6 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        four @ IpAddr::V4(_) => four,
        IpAddr::V6(six) => {
            let mut octets = six.octets();
            octets[8..].fill(0);
            IpAddr::from(octets)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_cut_and_time_refills() {
        let limiter = Limiter::new(3);
        let address: IpAddr = "10.0.0.1".parse().expect("it is an address");
        let now = Timestamp::UNIX_EPOCH;
        let admitted = |now| (0..10).filter(|_| limiter.admits(address, now)).count();
        assert_eq!(admitted(now), 3);
        assert_eq!(admitted(now + Duration::seconds(20)), 1);
        assert_eq!(admitted(now + Duration::minutes(5)), 3);
        assert!(limiter.admits("10.0.0.2".parse().expect("it is an address"), now));
    }

    #[test]
    fn each_subscriber_has_a_bucket() {
        let limiter = Limiter::new(1);
        let admits = |address: &str| {
            let address = address.parse().expect("it is an address");
            limiter.admits(address, Timestamp::UNIX_EPOCH)
        };
        assert!(admits("::ffff:10.0.0.1"));
        assert!(admits("::ffff:10.0.0.2"), "IPv4 callers are not one caller");
        assert!(!admits("10.0.0.1"), "however their address is written");
        assert!(admits("2001:db8::1"));
        assert!(!admits("2001:db8::2"));
        assert!(admits("2001:db8:0:1::1"));
    }

    #[test]
    fn many_addresses_are_swept_once_a_second() {
        let limiter = Limiter::new(60);
        let now = Timestamp::UNIX_EPOCH;
        let held = || {
            limiter
                .buckets
                .lock()
                .map_or(0, |buckets| buckets.by_network.len())
        };
        let from = |n: u32, at| limiter.admits(IpAddr::from(n.to_be_bytes()), at);
        for n in 0..10_000 {
            from(n, now);
        }
        // All are full again after a second, so the next call forgets them; the one after it does not look again.
        from(20_000, now + Duration::seconds(2));
        assert_eq!(held(), 1);
        for n in 0..10_000 {
            from(n, now + Duration::milliseconds(2500));
        }
        assert_eq!(held(), 10_001);
        from(30_000, now + Duration::milliseconds(2900));
        assert_eq!(held(), 10_002, "it was swept less than a second ago");
    }
}
