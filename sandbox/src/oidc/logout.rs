//! Sign-out: back to the application when it registered the address, else a page that says so.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::page;
use crate::{running::Shared, uri};

/// `GET /{tenant}/oauth2/v2.0/logout`
pub(crate) async fn logout(
    State(shared): State<Arc<Shared>>,
    Path(_tenant): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let pairs = uri::pairs(&query.unwrap_or_default());
    let parameter = |name: &str| {
        pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let wanted = parameter("post_logout_redirect_uri");
    let registered = |address: &&str| {
        let mut clients = shared
            .clients
            .iter()
            .filter(|client| parameter("client_id").is_none_or(|id| id == client.id));
        clients.any(|client| {
            client
                .post_logout_redirect_uris
                .iter()
                .any(|known| known == address)
        })
    };
    match wanted.filter(registered) {
        Some(address) => {
            let location =
                uri::with_query(address, parameter("state").map(|state| ("state", state)));
            (StatusCode::FOUND, [("location", location)]).into_response()
        }
        None => page::signed_out(wanted.is_some()),
    }
}
