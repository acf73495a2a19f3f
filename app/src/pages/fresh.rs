//! The way to a fresh sign-in and back, for every page whose form may want one: what was typed waits on the server meanwhile.

use axum::response::{IntoResponse, Redirect, Response};
use domain::{FreshId, approval::Verdict};
use workflow::{
    Error, Workflow,
    access::Viewer,
    fresh::{self, Act, Kept},
};

use super::{decision, kit};
use crate::{problem::Fault, visit::Visit};

/// Keeps what was typed and leads to the provider.
pub async fn leave(visit: &Visit, act: Act) -> Result<Response, Fault> {
    let id = fresh::keep(visit.workflow(), &visit.viewer, act).await?;
    Ok(Redirect::to(&format!("/sign-in/again/{id}")).into_response())
}

/// The page of what was signed in for.
pub fn page(act: &Act) -> String {
    match act {
        Act::Vote(vote) => format!("/approvals/{}", vote.stage),
        Act::Say { exception, .. } => format!("/exceptions/{exception}"),
        Act::Publish(id) => format!("/admin/versions/{id}"),
        Act::Stop { person, .. } => format!("/people/{person}/suspend"),
    }
}

/// The page of what somebody wanted to do and whose fresh sign-in came to nothing: with what was typed.
pub fn back_to(act: &Act, id: FreshId) -> String {
    kit::address(&page(act), &[("again", &id.to_string())])
}

/// Where somebody goes who has done it with a fresh sign-in.
pub async fn onward(workflow: &Workflow, viewer: &Viewer, act: &Act) -> String {
    let done = match act {
        Act::Vote(vote) => {
            return decision::onward(workflow, viewer, vote.stage, Verdict::Approve).await;
        }
        Act::Say { .. } => "noted",
        Act::Publish(_) => "confirmed",
        Act::Stop { .. } => "stopped",
    };
    kit::address(&page(act), &[("done", done)])
}

/// What was typed before a fresh sign-in that came to nothing, if the address names one of the reader's.
pub async fn kept(visit: &Visit, again: &str) -> Result<Option<Kept>, Fault> {
    let Ok(id) = again.parse::<FreshId>() else {
        return Ok(None);
    };
    match fresh::kept(visit.workflow(), &visit.viewer, id).await {
        Ok(kept) => Ok(Some(kept).filter(|kept| !kept.refusals.is_empty())),
        Err(Error::Missing) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
