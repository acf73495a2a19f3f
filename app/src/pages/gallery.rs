//! The gallery of components, in the trial only.

use axum::response::Response;

use crate::{problem::Fault, ui::gallery::gallery, visit::Visit};

/// Shows it.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    if visit.state.trial.is_none() {
        return Err(Fault::missing());
    }
    let now = visit.now();
    visit.page("Gallery", move || gallery(now)).await
}
