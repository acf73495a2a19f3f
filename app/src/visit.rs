//! One signed-in person on one page: who, where, when, and how to answer.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{Method, StatusCode, Uri, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::Timestamp;
use leptos::prelude::*;
use workflow::{
    Workflow,
    access::Viewer,
    views::shell::{self, Shell},
};

use crate::{
    frame::{self, About},
    problem::Fault,
    render::{self, Head},
    routes,
    state::{Nonce, State},
};

/// A request by somebody who is signed in. Extracting it sends others to sign in.
#[derive(Clone, Debug)]
pub struct Visit {
    /// What the server gave.
    pub state: State,
    /// Who is looking, read afresh.
    pub viewer: Arc<Viewer>,
    /// The nonce of this answer.
    pub nonce: Nonce,
    /// The address asked for.
    pub uri: Uri,
}

impl Visit {
    /// The use cases.
    pub fn workflow(&self) -> &Workflow {
        &self.state.workflow
    }

    /// Now, as the rules see it.
    pub fn now(&self) -> Timestamp {
        self.state.workflow.clock().now()
    }

    /// Answers with a page in its frame.
    pub async fn page<V: IntoView + 'static>(
        &self,
        title: &str,
        view: impl FnOnce() -> V,
    ) -> Result<Response, Fault> {
        self.framed(StatusCode::OK, title, About::default(), view)
            .await
    }

    /// Answers with a page that refreshes its live regions when one of `topics` (printed ids) changes. What concerns the
    /// viewer's own person is always listened to.
    pub async fn page_live<V: IntoView + 'static>(
        &self,
        title: &str,
        topics: Vec<String>,
        view: impl FnOnce() -> V,
    ) -> Result<Response, Fault> {
        self.framed(
            StatusCode::OK,
            title,
            About {
                topics,
                ..About::default()
            },
            view,
        )
        .await
    }

    /// Answers a form that was refused with its page: what was typed, and each error beside its field.
    pub async fn refused<V: IntoView + 'static>(
        &self,
        title: &str,
        view: impl FnOnce() -> V,
    ) -> Result<Response, Fault> {
        self.framed(
            StatusCode::UNPROCESSABLE_ENTITY,
            title,
            About {
                narrow: true,
                ..About::default()
            },
            view,
        )
        .await
    }

    /// Answers with a page without the frame, for printing.
    pub fn sheet<V: IntoView + 'static>(&self, title: &str, view: impl FnOnce() -> V) -> Response {
        Html(render::document(&self.head(title), view)).into_response()
    }

    /// Answers with a page in its frame, with a status and what the page says about itself; path, notice and trial are filled here.
    pub async fn framed<V: IntoView + 'static>(
        &self,
        status: StatusCode,
        title: &str,
        about: About,
        view: impl FnOnce() -> V,
    ) -> Result<Response, Fault> {
        let shell: Shell = shell::load(self.workflow(), &self.viewer).await?;
        let about = About {
            path: self.uri.path().to_owned(),
            address: self
                .uri
                .path_and_query()
                .map(ToString::to_string)
                .unwrap_or_default(),
            trial: self.state.trial.is_some(),
            notice: notice(&self.uri),
            ..about
        };
        let html = render::document(&self.head(title), move || {
            frame::frame(&shell, about, view())
        });
        Ok((status, Html(html)).into_response())
    }

    fn head(&self, title: &str) -> Head {
        Head {
            title: title.to_owned(),
            nonce: self.nonce.0.clone(),
            assets: self.state.assets.clone(),
        }
    }
}

/// What the last form did, said once on the page that it led to. Only words of ours: the address carries a key.
fn notice(uri: &Uri) -> Option<&'static str> {
    let query = uri.query()?;
    let value = |name| query.split('&').find_map(|pair| pair.strip_prefix(name));
    // With the thing that it was done to, the page that it led to says more.
    if value("of=").is_some() {
        return None;
    }
    Some(match value("done=")? {
        "asked" => "Your request is on its way.",
        "added" => "It is in your cart.",
        "kept" => "Kept in your cart. Nothing is sent yet.",
        "removed" => "It is out of your cart.",
        "cancelled" => "Your request was taken back.",
        "answered" => "Sent. They read it with your request.",
        "nudged" => "They get a mail that it still waits.",
        "asked_back" => "Asked. The deadline waits for the answer.",
        "handed_on" => "Handed on. Your colleague has a mail.",
        "handed_back" => "Given back.",
        "returned" => "Given back. It is being removed now.",
        "returned-all" => "Given back. All of it is being removed now.",
        "renewed" => "Asked for more time. You are told what is decided.",
        "not-renewed" => "Noted. It ends when it ends, and you are not reminded.",
        "renew-again" => "Noted. You are reminded before it ends.",
        "taken-away" => "Taken away. It is being removed now, and whoever held it is told.",
        "held-back" => "Held back. It is being removed now, and whoever holds it is told.",
        "goes-on" => "It goes on: what may still be held is set up again.",
        "person-goes-on" => {
            "They may go on. What they hold stays held back until you let it go on."
        }
        "retried" => "Trying again now.",
        "saved" => "Saved.",
        "scanning" => "The scan begins now. What it finds shows here.",
        "reconciled" => "They go on: what waited to be given is given now.",
        "paused" => "Paused. Nothing is sent there until it is resumed.",
        "resumed" => "Resumed.",
        "confirmed" => "Confirmed.",
        "noted" => "Noted.",
        "proposed" => "Proposed. Whoever decides has been told.",
        "drafted" => "Drafted. Say what it looks at, then start it.",
        "counted" => "Saved. These are the numbers now.",
        "look-first" => "Saved, and not started yet: look at the numbers, then start it.",
        "started" => "Started. Everything is frozen, and the reviewers have a mail.",
        "discarded" => "Discarded. Nobody was asked.",
        "closed" => "Closed. What was said no to is being taken away now.",
        "next-stage" => "The next one is asked, and has a mail.",
        "given-up" => "Given up.",
        "chased" => "They get a mail.",
        "signed-off" => "Signed off and sealed.",
        "reviewed" => "Answered.",
        "review-kept" => "Kept.",
        "review-revoked" => "Noted. It can be undone under Answered until it takes effect.",
        "review-undone" => "Undone. It waits for your answer again.",
        "review-asked" => "Asked. It stays open; you get a mail when they answer.",
        "replied" => "Sent. Your reviewer reads it with the item.",
        "dismissed" => "Dismissed. Nothing was changed.",
        "skipped" => frame::SKIPPED,
        "deputy" => "Done. They were told by mail.",
        "deputy-ended" => "Ended. They were told by mail.",
        "sessions" => "All their sessions are over. Their access stays.",
        "switched" => "The sandbox was switched.",
        _ => return None,
    })
}

/// Answers a form that was done: the next page, with what was done in its address.
pub fn done(path: &str, key: &str) -> Response {
    let mark = if path.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{path}{mark}done={key}")).into_response()
}

impl FromRequestParts<State> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        let viewer = parts
            .extensions
            .get::<Option<Arc<Viewer>>>()
            .cloned()
            .flatten();
        let nonce = parts
            .extensions
            .get::<Nonce>()
            .cloned()
            .unwrap_or_else(|| Nonce("".into()));
        match viewer {
            Some(viewer) => Ok(Self {
                state: state.clone(),
                viewer,
                nonce,
                uri: parts.uri.clone(),
            }),
            None if parts.method == Method::GET => {
                let wanted = parts.uri.path_and_query().map_or("/", |path| path.as_str());
                Err(Redirect::to(&sign_in(wanted)).into_response())
            }
            None => {
                let page = routes::page_above(parts.uri.path());
                Err(Fault::signed_out(sign_in(page)).into_response())
            }
        }
    }
}

impl OptionalFromRequestParts<State> for Visit {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &State,
    ) -> Result<Option<Self>, Self::Rejection> {
        Ok(
            <Self as FromRequestParts<State>>::from_request_parts(parts, state)
                .await
                .ok(),
        )
    }
}

/// The address of the sign-in that leads back to a page.
fn sign_in(wanted: &str) -> String {
    let mut encoded = String::with_capacity(wanted.len());
    for byte in wanted.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.') {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(format!("%{byte:02X}").chars());
        }
    }
    format!("/sign-in?return_to={encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_said_by_whoever_knows_more() {
        let said = |address: &'static str| notice(&Uri::from_static(address));
        assert!(said("/requests?done=cancelled").is_some());
        assert_eq!(said("/approvals?of=stg_1&done=approved"), None);
        assert_eq!(said("/approvals?done=nonsense"), None);
        assert_eq!(said("/approvals"), None);
    }
}
