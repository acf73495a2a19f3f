//! The project's HTTP client in the shape that openidconnect calls: its own optional client is another version.

use std::{future::Future, pin::Pin};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

/// Nothing that a provider sends is larger; Entra's key set has about 20 kB.
const LARGEST_ANSWER: usize = 1 << 20;

/// The client.
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
    /// The provider has a problem of its own.
    #[error("the answer is {0}")]
    Status(axum::http::StatusCode),
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
            if answer.status().is_server_error() {
                return Err(CallError::Status(answer.status()));
            }
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
