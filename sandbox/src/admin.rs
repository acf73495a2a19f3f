//! The sandbox's own switches below `/sandbox`: faults, what the target truly holds, what was asked. They take no
//! credentials, so they answer only to programs of this machine and to no page, not even to one of our own sign-in.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{faults::Fault, running::Shared};

#[derive(Debug, Serialize, Deserialize)]
struct FaultList {
    faults: Vec<Fault>,
}

#[derive(Debug, Deserialize)]
struct Offset {
    offset_micros: i64,
}

pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route(
            "/sandbox/faults",
            get(faults).put(set_faults).delete(clear_faults),
        )
        .route("/sandbox/state", get(state))
        .route("/sandbox/requests", get(requests).delete(clear_requests))
        .route(
            "/sandbox/members/{group}/{member}",
            put(add_member).delete(remove_member),
        )
        .route("/sandbox/clock", get(clock).put(set_clock))
        .route("/sandbox/keys/rotate", post(rotate))
        .route("/sandbox/tokens/revoke", post(revoke))
        .layer(middleware::from_fn(no_page))
}

/// Refuses foreign host names, which a page elsewhere can make point here.
pub(crate) async fn only_this_machine(
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Response {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    if ["localhost", "127.0.0.1", "[::1]"].contains(&name) {
        next.run(request).await
    } else {
        refused()
    }
}

/// Refuses what a page of whatever site sends.
async fn no_page(headers: HeaderMap, request: Request, next: Next) -> Response {
    if headers.contains_key(header::ORIGIN) {
        refused()
    } else {
        next.run(request).await
    }
}

fn refused() -> Response {
    (
        StatusCode::FORBIDDEN,
        Json(json!({ "error": "only for programs on this machine" })),
    )
        .into_response()
}

async fn faults(State(shared): State<Arc<Shared>>) -> Json<FaultList> {
    Json(FaultList {
        faults: shared.faults.list(),
    })
}

async fn set_faults(
    State(shared): State<Arc<Shared>>,
    Json(list): Json<FaultList>,
) -> Json<FaultList> {
    shared.faults.set(list.faults);
    faults(State(shared)).await
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.faults.clear();
    StatusCode::NO_CONTENT
}

async fn state(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let alarms: Vec<String> = shared
        .log
        .list()
        .into_iter()
        .filter_map(|request| request.alarm)
        .collect();
    let directory = shared.world().directory();
    Json(json!({
        "tenant": shared.tenant,
        "now": shared.clock.now(),
        "offset_micros": shared.clock.offset(),
        "alarms": alarms,
        "directory": directory,
    }))
}

async fn requests(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "requests": shared.log.list() }))
}

async fn clear_requests(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.log.clear();
    StatusCode::NO_CONTENT
}

async fn add_member(
    State(shared): State<Arc<Shared>>,
    Path((group, member)): Path<(Uuid, Uuid)>,
) -> StatusCode {
    match shared.world().add_member(group, member) {
        Ok(()) => StatusCode::CREATED,
        Err(crate::world::LinkError::Already) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::NOT_FOUND,
    }
}

async fn remove_member(
    State(shared): State<Arc<Shared>>,
    Path((group, member)): Path<(Uuid, Uuid)>,
) -> StatusCode {
    match shared.world().remove_member(group, member) {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::NOT_FOUND,
    }
}

async fn clock(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "now": shared.clock.now(), "offset_micros": shared.clock.offset() }))
}

async fn set_clock(State(shared): State<Arc<Shared>>, Json(offset): Json<Offset>) -> Json<Value> {
    shared.clock.advance_to(offset.offset_micros);
    clock(State(shared)).await
}

async fn rotate(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.keys.rotate().await;
    StatusCode::NO_CONTENT
}

async fn revoke(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.sessions.revoke_tokens();
    StatusCode::NO_CONTENT
}
