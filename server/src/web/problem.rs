//! Pages that explain: what happened, what to do, and a number to quote. Handlers and layers leave a [`Problem`] with
//! their answer; one layer makes the page, so that all of them look the same, a panic included.

use std::panic::AssertUnwindSafe;

use app::state::{Nonce, RequestId};
use axum::{
    Extension,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;

use super::{Caller, Portal, log::Found};

/// A problem in words for people.
#[derive(Clone, Debug)]
pub struct Problem(app::state::Problem);

impl Problem {
    /// A problem without details.
    pub fn new(status: StatusCode, title: &str, what: &str, next: &str) -> Self {
        Self(app::state::Problem {
            status,
            title: title.to_owned(),
            what: what.to_owned(),
            next: next.to_owned(),
            detail: None,
            link: None,
        })
    }

    /// A fault of ours.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong here",
            "The portal made a mistake. What was saved before is safe; this last step was not done.",
            "Try again. If it happens again, give your service desk the reference that stands under “For the service desk”.",
        )
        .with_link("Home", "/")
    }

    /// What a bare status of the framework means.
    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(
                status,
                "That is too much at once",
                "What was sent is larger than any form of the portal, so nothing was changed.",
                "Go back and shorten the texts.",
            ),
            _ if status.is_server_error() => {
                let mut problem = Self::internal();
                problem.0.status = status;
                problem
            }
            _ => Self::new(
                status,
                "That cannot be understood",
                "A part of the address or of the form is missing or malformed. Nothing was changed.",
                "Go back to the page that you came from and try again.",
            )
            .with_link("Home", "/"),
        }
    }

    /// Adds text to copy for the service desk.
    #[must_use]
    pub fn with_detail(mut self, detail: String) -> Self {
        self.0.detail = Some(detail);
        self
    }

    /// Adds the way on.
    #[must_use]
    pub fn with_link(mut self, label: &str, address: &str) -> Self {
        self.0.link = Some((label.to_owned(), address.to_owned()));
        self
    }

    /// What happened, in words.
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// The text for the service desk.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}

/// Makes the page of every problem that an inner layer or a handler left, of a panic, and of the framework's own refusals.
pub async fn show(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|_| {
        // The panic's own message was logged by the panic hook.
        tracing::error!(request.id = %caller.request_id, "a handler panicked");
        Problem::internal().into_response()
    });
    if response.extensions().get::<app::state::Problem>().is_none() && is_bare(&response) {
        let status = response.status();
        let bare = Problem::of_status(status).into_response();
        let found = response.extensions_mut().remove::<Found>();
        response = bare;
        if let Some(found) = found {
            response.extensions_mut().insert(found);
        }
    }
    let Some(problem) = response.extensions_mut().remove::<app::state::Problem>() else {
        return response;
    };
    let found = response
        .extensions_mut()
        .remove::<Found>()
        .unwrap_or_default();
    let mut page = app::problem_page::page(
        portal.pages(),
        found.viewer.as_deref(),
        &Nonce(caller.nonce.clone()),
        &RequestId(caller.request_id.clone()),
        &problem,
    );
    // Cookies that an inner layer set, and what a 405 allows, still count.
    for name in [header::SET_COOKIE, header::ALLOW, header::RETRY_AFTER] {
        for value in response.headers().get_all(&name) {
            page.headers_mut().append(name.clone(), value.clone());
        }
    }
    page.extensions_mut().insert(found);
    page
}

/// Whether the framework refused with a line of plain text that no person should see.
fn is_bare(response: &Response) -> bool {
    let status = response.status();
    let plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    (status.is_client_error() || status.is_server_error())
        && plain
        && response.extensions().get::<Machine>().is_none()
}

/// Marks answers for programs, which want no page.
#[derive(Clone, Copy, Debug)]
pub struct Machine;
