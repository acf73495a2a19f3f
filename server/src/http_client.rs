//! The HTTP client for the sign-in provider: time-outs, no redirects, one TLS implementation.

use std::{future::Future, pin::Pin, time::Duration};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

/// Nothing that a provider sends is larger; Entra's key set has about 20 kB.
const LARGEST_ANSWER: usize = 1 << 20;

/// Makes a client. Redirects are not followed: a provider's endpoints are where its discovery document says.
pub fn build() -> reqwest::Result<reqwest::Client> {
    // Fails when a provider is installed already, which is what we want.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder()
        .user_agent(concat!("latchkey/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

/// The client in the shape that openidconnect calls.
#[derive(Clone, Debug)]
pub struct Adapted(pub reqwest::Client);

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No connection, a time-out, a broken answer.
    #[error("{0}")]
    Failed(#[from] reqwest::Error),
    /// More than we are willing to read.
    #[error("the answer is too large")]
    TooLarge,
    /// Not a valid answer.
    #[error("{0}")]
    Malformed(#[from] axum::http::Error),
}

impl<'c> AsyncHttpClient<'c> for Adapted {
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, CallError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut answer = self.0.execute(request.try_into()?).await?;
            let mut response = axum::http::Response::builder().status(answer.status());
            for (name, value) in answer.headers() {
                response = response.header(name, value);
            }
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await? {
                if body.len() + chunk.len() > LARGEST_ANSWER {
                    return Err(CallError::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(response.body(body)?)
        })
    }
}
