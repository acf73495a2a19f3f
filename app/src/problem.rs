//! Failing well: every fault becomes a page that says what happened, that nothing was lost, and what to do.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use workflow::Error;

use crate::state::Problem;

/// Why a handler gives no page. The answer carries a [`Problem`]; the outermost layer of the pages shows it.
#[derive(Debug)]
pub struct Fault(pub Problem);

impl Fault {
    /// Nothing is there, or the viewer may not see it.
    pub fn missing() -> Self {
        Self(Problem {
            status: StatusCode::NOT_FOUND,
            title: "There is nothing here".into(),
            what: "The page does not exist, or it is not for you to see.".into(),
            next: "Check the address, or look for it in the catalogue or among your requests."
                .into(),
            detail: None,
            link: Some(("Home".into(), "/".into())),
        })
    }

    /// A form came from somebody whose session is over. `sign_in` is the address that leads back to its page.
    pub fn signed_out(sign_in: String) -> Self {
        Self(Problem {
            status: StatusCode::UNAUTHORIZED,
            title: "You are signed out".into(),
            what: "Your session is over, so nothing was sent.".into(),
            next: "Sign in, then send the form again.".into(),
            detail: None,
            link: Some(("Sign in".into(), sign_in)),
        })
    }

    /// Rules said no where no field can show it.
    pub fn refused(refusals: &[domain::Refusal]) -> Self {
        Self(Problem {
            status: StatusCode::CONFLICT,
            title: "That is not possible now".into(),
            what: refusals
                .iter()
                .map(crate::refusals::sentence)
                .collect::<Vec<_>>()
                .join(" "),
            next: "Go back and look at how it stands now. Nothing was changed.".into(),
            detail: None,
            link: Some(("Home".into(), "/".into())),
        })
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let problem = |status, title: &str, what: &str, next: &str| {
            Self(Problem {
                status,
                title: title.into(),
                what: what.into(),
                next: next.into(),
                detail: None,
                link: Some(("Home".into(), "/".into())),
            })
        };
        match error {
            Error::Missing => Self::missing(),
            Error::Refused(refusals) => Self::refused(&refusals),
            Error::Forbidden => problem(
                StatusCode::FORBIDDEN,
                "This page is not for your role",
                "The page needs a portal role that you do not hold.",
                "If you need it for your work, ask an administrator: portal roles are given in Entra ID.",
            ),
            Error::Stale => problem(
                StatusCode::CONFLICT,
                "It has changed meanwhile",
                "Somebody else was first, so nothing of yours was saved.",
                "Go back, look at how it stands now, and decide again.",
            ),
            Error::Unavailable(why) => {
                tracing::warn!(error.cause = %why, "unavailable");
                problem(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "Not available right now",
                    "Something that the portal needs is busy or down. Nothing was changed.",
                    "Try again in a moment.",
                )
            }
            Error::Internal(cause) => {
                tracing::error!(error.cause = %cause, "a page failed");
                problem(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something went wrong here",
                    "The fault is ours. What was saved before is safe; this was not done.",
                    "Try again. If it stays, give the service desk the reference that stands under “For the service desk”.",
                )
            }
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}
