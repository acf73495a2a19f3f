//! For whoever watches the process.

use axum::{Extension, extract::State, http::StatusCode, response::IntoResponse};

use super::{Portal, problem::Machine};

/// `GET /health/live`: the process runs.
pub async fn live() -> impl IntoResponse {
    answer(StatusCode::OK, "live\n")
}

/// `GET /health/ready`: it can do its work: the database answers and no stop is under way.
pub async fn ready(State(portal): State<Portal>) -> impl IntoResponse {
    if portal.parts().stop.is_cancelled() {
        return answer(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    let answers = async {
        let mut tx = portal.workflow().store().read().await?;
        tx.installation().await
    };
    match answers.await {
        Ok(_) => answer(StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            answer(
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer\n",
            )
        }
    }
}

/// A line for programs.
fn answer(
    status: StatusCode,
    text: &'static str,
) -> (StatusCode, Extension<Machine>, &'static str) {
    (status, Extension(Machine), text)
}
