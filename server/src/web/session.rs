//! Who is asking: the session of the cookie, and the person behind it read anew from the database.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use workflow::access::Viewer;

use super::{Caller, Portal, log::Found};

/// Puts `Option<Arc<Viewer>>` and, with one, the session into the request. A session whose person has left or whose account
/// was disabled counts as none.
pub async fn identify(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    mut request: Request,
    next: Next,
) -> Response {
    // A page that listens is not a person who is there.
    let quiet = request
        .extensions()
        .get::<MatchedPath>()
        .is_some_and(|path| path.as_str() == "/events");
    let mut viewer: Option<Arc<Viewer>> = None;
    let session = portal
        .sessions()
        .load(portal.workflow(), request.headers(), quiet)
        .await;
    match session {
        Ok(Some(session)) => {
            match workflow::access::viewer(portal.workflow(), session.person, session.account).await
            {
                Ok(found) => viewer = found.map(Arc::new),
                Err(error) => return portal.failed(&caller, error),
            }
            if viewer.is_some() {
                request.extensions_mut().insert(Arc::new(session));
            }
        }
        Ok(None) => {}
        Err(error) => return portal.failed(&caller, error),
    }
    let person = viewer.as_ref().map(|viewer| viewer.id());
    let extensions = request.extensions_mut();
    extensions.insert(viewer);
    let mut response = next.run(request).await;
    response.extensions_mut().insert(Found {
        person,
        ..Found::default()
    });
    response
}
