//! A page that explains: what happened, what to do, and a number to quote.

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use super::{Caller, build_id};

/// A problem in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The answer's status.
    pub status: StatusCode,
    /// A few words.
    pub title: String,
    /// What happened, and that nothing was lost.
    pub what: String,
    /// What to do.
    pub next: String,
    /// Text to copy for the service desk.
    pub detail: Option<String>,
    /// Label and address of the way on.
    pub link: Option<(String, String)>,
}

impl Problem {
    /// A problem without details.
    pub fn new(status: StatusCode, title: &str, what: &str, next: &str) -> Self {
        Self {
            status,
            title: title.to_owned(),
            what: what.to_owned(),
            next: next.to_owned(),
            detail: None,
            link: None,
        }
    }

    /// A fault of ours.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong here",
            "The portal made a mistake. What you had sent before is safe; this last step was not done.",
            "Try again. If it happens again, give the number below to your service desk.",
        )
        .with_link("Front page", "/")
    }

    /// Adds text to copy for the service desk.
    #[must_use]
    pub fn with_detail(mut self, detail: String) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Adds the way on.
    #[must_use]
    pub fn with_link(mut self, label: &str, address: &str) -> Self {
        self.link = Some((label.to_owned(), address.to_owned()));
        self
    }

    /// The page.
    pub fn page(&self, caller: &Caller) -> Response {
        let _ = build_id();
        (
            self.status,
            Html(format!(
                "<h1>{}</h1><p>{}</p>{}",
                self.title, self.what, caller.request_id
            )),
        )
            .into_response()
    }
}
