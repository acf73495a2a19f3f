//! For whoever watches the process.

use axum::{extract::State, http::StatusCode};

use super::Portal;

/// `GET /health/live`: the process runs.
pub async fn live() -> &'static str {
    "live\n"
}

/// `GET /health/ready`: it can do its work: the database answers and no stop is under way.
pub async fn ready(State(portal): State<Portal>) -> (StatusCode, &'static str) {
    if portal.parts().stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    let answers = async {
        let mut tx = portal.workflow().store().read().await?;
        tx.installation().await
    };
    match answers.await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer\n",
            )
        }
    }
}
