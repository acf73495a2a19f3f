//! Who is asking: the session of the cookie, and the person behind it read anew from the database.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use tower_sessions::Session;
use workflow::access::Viewer;

use super::{Caller, Portal, log::Found};
use crate::sessions::{ME, Me};

/// Sent by a page that fetches itself anew because something changed (`app/src/islands/dom.rs`).
const REFRESH: &str = "x-latchkey-refresh";

/// Puts `Option<Arc<Viewer>>` into the request. A session whose person has left or whose account was disabled counts as
/// none.
pub async fn identify(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let listens = listens(&request);
    let viewer = match look(&portal, &session, listens).await {
        Ok(viewer) => viewer,
        Err(error) => return portal.failed(&caller, error),
    };
    let found = Found {
        viewer: viewer.clone(),
    };
    request.extensions_mut().insert(viewer);
    let mut response = next.run(request).await;
    response.extensions_mut().insert(found);
    response
}

/// A page that listens, or that follows what it heard, is not a person who is there. Sending a form is.
fn listens(request: &Request) -> bool {
    let events = request
        .extensions()
        .get::<MatchedPath>()
        .is_some_and(|path| path.as_str() == "/events");
    let refresh = matches!(*request.method(), Method::GET | Method::HEAD)
        && request.headers().contains_key(REFRESH);
    events || refresh
}

async fn look(
    portal: &Portal,
    session: &Session,
    listens: bool,
) -> workflow::Result<Option<Arc<Viewer>>> {
    let me: Option<Me> = session
        .get(ME)
        .await
        .map_err(|error| workflow::Error::Unavailable(error.to_string()))?;
    let Some(me) = me else {
        return Ok(None);
    };
    let viewer = workflow::access::viewer(portal.workflow(), me.person, me.account).await?;
    if viewer.is_some() && !listens {
        portal.kept().touch(session).await?;
    }
    Ok(viewer.map(Arc::new))
}
