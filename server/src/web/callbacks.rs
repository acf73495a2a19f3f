//! `POST /callbacks/{target}`: the receiver of a webhook says that a wish is fulfilled, or that it is not. Signed as our own calls
//! are, once for each message, and only about its own target. What it says is read back before it is believed.

use std::collections::BTreeMap;

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use provisioner::webhook::{self, Secret};
use serde::Deserialize;
use workflow::{
    Error,
    targets::{self, Callback},
};

use super::{Portal, problem::Machine};

/// The secrets that receivers sign with, by their target's key.
pub type Callbacks = BTreeMap<String, Secret>;

/// What a receiver sends.
#[derive(Debug, Deserialize)]
struct Message {
    /// `access.done` or `access.failed`.
    #[serde(rename = "type")]
    verb: String,
    data: Data,
}

#[derive(Debug, Deserialize)]
struct Data {
    /// The id of the wish, as we sent it.
    wish: String,
    /// What it has to say.
    #[serde(default)]
    detail: String,
}

/// Takes a message. Nothing is told apart for whoever cannot sign.
pub async fn take(
    State(portal): State<Portal>,
    Path(target): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let refused = answer(StatusCode::BAD_REQUEST, "refused\n");
    let Some(secret) = portal.parts().callbacks.get(&target) else {
        return refused;
    };
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let id = header("webhook-id");
    let signed = webhook::verify(
        secret,
        id,
        header("webhook-timestamp"),
        header("webhook-signature"),
        &body,
        portal.workflow().clock().system_now(),
    );
    if let Err(why) = signed {
        tracing::warn!(target.key = target, %why, "a callback was refused");
        return refused;
    }
    let Ok(message) = serde_json::from_slice::<Message>(&body) else {
        return answer(
            StatusCode::UNPROCESSABLE_ENTITY,
            "not a message of a webhook\n",
        );
    };
    let done = match message.verb.as_str() {
        "access.done" => true,
        "access.failed" => false,
        _ => return answer(StatusCode::UNPROCESSABLE_ENTITY, "an unknown type\n"),
    };
    let Some((assignment, call)) = webhook::wish_of(&message.data.wish) else {
        return answer(StatusCode::UNPROCESSABLE_ENTITY, "not a wish of ours\n");
    };
    let callback = Callback {
        message: id.to_owned(),
        assignment,
        call,
        done,
        detail: message.data.detail,
    };
    match targets::called_back(portal.workflow(), &target, callback).await {
        Ok(_) => answer(StatusCode::OK, "taken\n"),
        Err(Error::Missing) => answer(StatusCode::UNPROCESSABLE_ENTITY, "not a wish of ours\n"),
        Err(error) => {
            tracing::error!(target.key = target, %error, "a callback could not be kept");
            answer(StatusCode::SERVICE_UNAVAILABLE, "not now\n")
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
