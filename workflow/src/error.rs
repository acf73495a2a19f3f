//! How a use case fails. Few kinds, each with one answer for people and one for programs.

use domain::Refusal;

/// What a use case gives.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a use case did nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Rules said no; the facts are in the refusals. Nothing changed.
    #[error("refused: {0:?}")]
    Refused(Vec<Refusal>),
    /// There is no such thing, or the viewer may not see it: both look the same.
    #[error("not found")]
    Missing,
    /// The viewer lacks the portal role that this page or command needs.
    #[error("forbidden")]
    Forbidden,
    /// Somebody else was first; what was shown is no longer so.
    #[error("changed meanwhile")]
    Stale,
    /// Something outside is down or busy; trying again helps.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A fault of ours, logged once where it is handled.
    #[error("internal: {0}")]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// An internal fault with a sentence.
    pub fn internal(what: impl Into<String>) -> Self {
        Self::Internal(what.into().into())
    }

    /// The refusals, if rules said no.
    pub fn refusals(&self) -> &[Refusal] {
        match self {
            Self::Refused(refusals) => refusals,
            _ => &[],
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(vec![refusal])
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Conflict(_) => {
                tracing::debug!(error = %error, "the database refused");
                Self::Stale
            }
            store::Error::Busy(_) => Self::Unavailable(error.to_string()),
            store::Error::Failed(_)
            | store::Error::Unreadable { .. }
            | store::Error::Schema(_)
            | store::Error::Address(_) => Self::Internal(Box::new(error)),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(Box::new(error))
    }
}
