//! How often one address may begin a sign-in: a small token bucket per address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use domain::Timestamp;

/// Beyond this many addresses the full buckets are forgotten.
const MOST_ADDRESSES: usize = 10_000;

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

/// Admits so many per minute and address, in bursts of at most as many.
#[derive(Debug)]
pub struct Limiter {
    per_minute: f64,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
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
        let refill = |bucket: &Bucket| {
            let minutes = (now - bucket.at).num_milliseconds().max(0) as f64 / 60_000.0;
            (bucket.tokens + minutes * self.per_minute).min(self.per_minute)
        };
        if buckets.len() >= MOST_ADDRESSES {
            buckets.retain(|_, bucket| refill(bucket) < self.per_minute);
        }
        let bucket = buckets.entry(network(address)).or_insert(Bucket {
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
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => {
            let mut octets = six.octets();
            octets[8..].fill(0);
            IpAddr::from(octets)
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

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
}
