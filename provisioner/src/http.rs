//! The one place that makes HTTP clients: time-outs, no redirects, a user agent.

use std::time::Duration;

/// How a client behaves.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long making a connection may take.
    pub connect: Duration,
    /// How long one request may take, from the first byte sent to the last byte read. It ends before any lease does.
    pub total: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(10),
        }
    }
}

/// A client that ends every request in time, never follows a redirect (a token would travel along) and says who we are.
///
/// Uses `ring` for TLS and the system's certificates. The proxy variables of the environment hold.
///
/// # Errors
/// If the system's certificates cannot be read.
pub fn client(options: &Options) -> reqwest::Result<reqwest::Client> {
    // Whoever was first has installed the same one.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .connect_timeout(options.connect)
        .timeout(options.total)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("latchkey/", env!("CARGO_PKG_VERSION")))
        .pool_idle_timeout(Duration::from_secs(30))
        .build()
}
