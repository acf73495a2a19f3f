//! Microsoft Graph v1.0, as much of it as the portal uses.

mod apps;
mod batch;
mod call;
mod delta;
mod dispatch;
mod expand;
mod groups;
mod licences;
mod properties;
mod query;
mod reference;
mod users;

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::Response,
};
use rand::RngCore;
use serde_json::Value;
use uuid::Uuid;

use self::call::{Answer, Asked, Call};
use crate::{
    clock::Clock,
    config::Client,
    faults::{Effects, Lost, Refusal, Subject},
    log::LoggedRequest,
    running::Shared,
    uri,
    wire::Scissors,
};

const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// A call that was answered, with its ids.
#[derive(Debug)]
struct Performed {
    status: StatusCode,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
    lost: Option<Lost>,
}

/// Answers everything below `/v1.0`.
pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let asked = Asked {
        method: method.as_str().to_owned(),
        path: uri
            .path()
            .strip_prefix("/v1.0")
            .unwrap_or_default()
            .to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        prefer: text("prefer"),
        eventual: text("consistencylevel")
            .is_some_and(|level| level.eq_ignore_ascii_case("eventual")),
        json: text("content-type").is_some_and(|kind| kind.starts_with("application/json")),
        body: body.to_vec(),
        client_request_id: text("client-request-id"),
        in_batch: false,
    };
    let effects = strike(&shared, &asked);
    if !effects.slow.is_zero() {
        tokio::time::sleep(effects.slow).await;
    }
    let performed = match token_holder(&shared, text("authorization").as_deref(), &effects) {
        Ok(client) => {
            let answer = refuse(&shared, client, &effects)
                .map_or_else(|| answer(&shared, client, &asked, &effects), Err);
            finish(&shared, &asked, &effects, answer)
        }
        Err(refused) => finish(&shared, &asked, &effects, Err(refused)),
    };
    if performed.lost == Some(Lost::Close) {
        scissors.cut();
    }
    respond(performed)
}

/// One call of a batch: its own faults, permissions and log line; waiting is for whole requests.
fn perform(shared: &Shared, client: &Client, asked: &Asked) -> Performed {
    let effects = strike(shared, asked);
    let answer = refuse(shared, client, &effects)
        .map_or_else(|| answer(shared, client, asked, &effects), Err);
    finish(shared, asked, &effects, answer)
}

fn strike(shared: &Shared, asked: &Asked) -> Effects {
    let segments = uri::segments(&asked.path);
    let group = match segments.as_slice() {
        [set, id, ..] if set == "groups" => Uuid::parse_str(id).ok(),
        _ => None,
    };
    let path = format!("/v1.0{}", asked.path);
    shared.faults.strike(&Subject {
        method: &asked.method,
        path: &path,
        group,
        graph: true,
        delta_token: asked.query.contains("token="),
    })
}

/// The client that a bearer token was issued to.
fn token_holder<'s>(
    shared: &'s Shared,
    authorization: Option<&str>,
    effects: &Effects,
) -> Result<&'s Client, Answer> {
    let invalid = |why: &str| {
        Answer::error(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", why).header(
            "www-authenticate",
            format!(
                "Bearer realm=\"\", authorization_uri=\"{}/common/oauth2/v2.0/authorize\"",
                shared.base
            ),
        )
    };
    if effects.refuse == Some(Refusal::Down) {
        return Err(unavailable());
    }
    let token = authorization
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(str::trim)
        .unwrap_or_default();
    if token.is_empty() {
        return Err(invalid("Access token is empty."));
    }
    if effects.refuse == Some(Refusal::TokenExpired) {
        return Err(invalid("Access token has expired or is not yet valid."));
    }
    let client = shared.sessions.bearer(token, Clock::system());
    let client = client.and_then(|id| shared.client(&id));
    client.ok_or_else(|| invalid("Access token has expired or is not yet valid."))
}

fn unavailable() -> Answer {
    Answer::error(
        StatusCode::SERVICE_UNAVAILABLE,
        "serviceNotAvailable",
        "The service is unavailable.",
    )
}

fn later(answer: Answer, seconds: Option<f64>) -> Answer {
    match seconds {
        Some(seconds) => answer.header("Retry-After", seconds.to_string()),
        None => answer,
    }
}

/// What a fault answers instead of doing anything.
fn refuse(shared: &Shared, client: &Client, effects: &Effects) -> Option<Answer> {
    let refused = match effects.refuse? {
        Refusal::Throttle(retry_after) => {
            let answer = Answer::error(
                StatusCode::TOO_MANY_REQUESTS,
                "TooManyRequests",
                "Too many requests",
            )
            .header(
                "x-ms-throttle-scope",
                format!(
                    "Tenant_Application/ReadWrite/{}/{}",
                    client.id, shared.tenant
                ),
            )
            .header("x-ms-throttle-information", "ResourceUnitLimitExceeded")
            .header("x-ms-throttle-limit-percentage", "1.1");
            later(answer, retry_after)
        }
        Refusal::Conflict => Answer::error(
            StatusCode::CONFLICT,
            "Directory_ConcurrencyViolation",
            "Unable to process the operation due to a concurrent request on the same object. Please retry after some time.",
        ),
        Refusal::Deny => Answer::denied(),
        Refusal::TokenExpired => Answer::error(
            StatusCode::UNAUTHORIZED,
            "InvalidAuthenticationToken",
            "Access token has expired or is not yet valid.",
        ),
        Refusal::Down => unavailable(),
        Refusal::Status(503, retry_after) => later(unavailable(), retry_after),
        Refusal::Status(status, retry_after) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let (code, message) = match status {
                StatusCode::GATEWAY_TIMEOUT => ("timeout", "The request timed out."),
                StatusCode::BAD_GATEWAY => ("BadGateway", "Bad gateway."),
                _ => ("InternalServerError", "An internal server error occurred."),
            };
            later(Answer::error(status, code, message), retry_after)
        }
    };
    Some(refused)
}

fn answer(shared: &Shared, client: &Client, asked: &Asked, effects: &Effects) -> call::Answered {
    let call = Call::new(shared, client, asked, effects);
    if call.method == "POST" && call.path == "/$batch" && !asked.in_batch {
        return batch::answer(&call, asked.client_request_id.as_deref());
    }
    dispatch::dispatch(&call)
}

/// Puts ids and headers to an answer and writes it down.
fn finish(shared: &Shared, asked: &Asked, effects: &Effects, answer: call::Answered) -> Performed {
    let mut answer = answer.unwrap_or_else(|error| error);
    let mut bytes = [0; 16];
    rand::thread_rng().fill_bytes(&mut bytes);
    let request_id = uuid::Builder::from_random_bytes(bytes).into_uuid();
    let now = Clock::system();
    // Only what was done can be lost.
    let lost = effects.lost.filter(|_| answer.error.is_none());
    shared.log.push(LoggedRequest {
        at: now,
        method: asked.method.clone(),
        path: format!("/v1.0{}", asked.path),
        query: Some(asked.query.clone()).filter(|query| !query.is_empty()),
        status: answer.status.as_u16(),
        client_request_id: asked.client_request_id.clone(),
        in_batch: asked.in_batch,
        faults: effects.names.clone(),
        alarm: answer.alarm.take().map(String::from),
    });
    if lost == Some(Lost::GatewayTimeout) || (lost.is_some() && asked.in_batch) {
        answer = Answer::error(
            StatusCode::GATEWAY_TIMEOUT,
            "timeout",
            "The request timed out.",
        );
    }
    let body = answer.take_body(request_id, asked.client_request_id.as_deref(), now);
    let mut headers = answer.headers;
    headers.push(("request-id", request_id.to_string()));
    let echo = asked
        .client_request_id
        .clone()
        .unwrap_or_else(|| request_id.to_string());
    headers.push(("client-request-id", echo));
    if answer.status.is_success() {
        headers.push(("x-ms-resource-unit", resource_units(asked).to_string()));
    }
    Performed {
        status: answer.status,
        headers,
        body,
        lost,
    }
}

/// What a call costs by Microsoft's table.
fn resource_units(asked: &Asked) -> i32 {
    let base = match asked.path.rsplit('/').next().unwrap_or_default() {
        "transitiveMembers" => 5,
        "checkMemberGroups" => 4,
        "members" => 3,
        "users" | "memberOf" | "transitiveMemberOf" | "getMemberObjects" | "appRoleAssignments" => {
            2
        }
        _ => 1,
    };
    let selects = i32::from(asked.query.contains("select="));
    let expands = i32::from(asked.query.contains("expand="));
    (base - selects + expands).max(1)
}

fn respond(performed: Performed) -> Response {
    let body = performed
        .body
        .map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let has_body = performed.status != StatusCode::NO_CONTENT;
    let mut response = Response::new(if has_body { body } else { Body::empty() });
    *response.status_mut() = performed.status;
    let headers = response.headers_mut();
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    for (name, value) in performed.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    response
}
