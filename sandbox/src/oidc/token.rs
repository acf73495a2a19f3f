//! The token endpoint: redeeming codes, and tokens for daemons.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{CodeError, TOKEN_LIFE, Tenant, assertion, claims, refusal::Refusal, tenant};
use crate::{clock::Clock, config::Client, running::Shared, uri};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The form of a token request.
struct Form(Vec<(String, String)>);

impl Form {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::missing(name))
    }
}

/// `POST /{tenant}/oauth2/v2.0/token`
pub(crate) async fn token(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    let form = Form(uri::pairs(&String::from_utf8_lossy(&body)));
    let answer = match form.need("grant_type") {
        Ok("authorization_code") => redeem(&shared, &name, &form).await,
        Ok("client_credentials") => daemon(&shared, &name, &form),
        Ok(other) => Err(Refusal::new(
            "unsupported_grant_type",
            70_003,
            format!("The app requested an unsupported grant type '{other}'."),
        )),
        Err(refusal) => Err(refusal),
    };
    match answer {
        Ok(body) => (
            StatusCode::OK,
            [("cache-control", "no-store"), ("pragma", "no-cache")],
            Json(body),
        )
            .into_response(),
        Err(refusal) => refusal.json(&shared.base),
    }
}

/// The client that asks, once it has proved who it is.
fn client<'s>(shared: &'s Shared, name: &str, form: &Form) -> Result<&'s Client, Refusal> {
    let id = form.need("client_id")?;
    let client = shared
        .client(id)
        .ok_or_else(|| Refusal::unknown_client(id, &shared.world().organization.display_name))?;
    if let Some(assertion) = form.get("client_assertion") {
        if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
            return Err(Refusal::missing("client_assertion_type"));
        }
        let audience = format!("{}/{name}/oauth2/v2.0/token", shared.base);
        assertion::verify(client, assertion, &audience, Clock::system())?;
        return Ok(client);
    }
    let Some(given) = form.get("client_secret") else {
        return Err(Refusal::new(
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        ));
    };
    if client.secret.as_deref() != Some(given) {
        return Err(Refusal::new(
            "invalid_client",
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{id}'."
            ),
        ));
    }
    Ok(client)
}

async fn redeem(shared: &Shared, name: &str, form: &Form) -> Result<serde_json::Value, Refusal> {
    match tenant(shared, name) {
        Tenant::Ours => {}
        Tenant::Any => {
            return Err(Refusal::new(
                "invalid_grant",
                700_005,
                "Provided Authorization Code is intended to use against other tenant, thus rejected.",
            ));
        }
        Tenant::Unknown => return Err(Refusal::unknown_tenant(name)),
    }
    let client = client(shared, name, form)?;
    let invalid = |code, why: &str| Refusal::new("invalid_grant", code, why);
    let code = form.need("code")?;
    let redirect_uri = form.need("redirect_uri")?;
    let now = Clock::system();
    let grant = shared.sessions.take_code(code, now).map_err(|error| match error {
        CodeError::Redeemed => invalid(54_005, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."),
        CodeError::Expired => invalid(70_008, "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource."),
        CodeError::Unknown => invalid(70_000, "The provided value for the 'code' parameter is not valid."),
    })?;
    if grant.client != client.id {
        return Err(invalid(
            70_000,
            "The provided authorization code was issued to another application.",
        ));
    }
    if grant.redirect_uri != redirect_uri {
        return Err(invalid(
            500_112,
            "The reply address does not match the reply address provided when requesting authorization code.",
        ));
    }
    let verifier = form.get("code_verifier").ok_or_else(|| {
        invalid(501_481, "The Code_Verifier does not match the code_challenge supplied in the authorization request.")
    })?;
    if !(43..=128).contains(&verifier.len()) {
        return Err(invalid(
            501_491,
            "Invalid size of Code_Challenge or Code_Verifier parameter.",
        ));
    }
    if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != grant.challenge {
        return Err(invalid(
            501_481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        ));
    }
    let user = shared
        .world()
        .users
        .get(&grant.oid)
        .cloned()
        .filter(|user| user.account_enabled);
    let user = user.ok_or_else(|| invalid(50_057, "The user account is disabled."))?;
    let key = shared.keys.current().await;
    let id_token = key.sign(&claims::id_token(shared, client, &grant, &user, now));
    Ok(json!({
        "token_type": "Bearer",
        "scope": grant.scope,
        "expires_in": TOKEN_LIFE.num_seconds(),
        "ext_expires_in": TOKEN_LIFE.num_seconds(),
        "access_token": shared.sessions.put_person(&client.id, user.id),
        "id_token": id_token,
    }))
}

fn daemon(shared: &Shared, name: &str, form: &Form) -> Result<serde_json::Value, Refusal> {
    match tenant(shared, name) {
        Tenant::Ours => {}
        Tenant::Any => {
            return Err(Refusal::new(
                "invalid_request",
                9_001_023,
                "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
            ));
        }
        Tenant::Unknown => return Err(Refusal::unknown_tenant(name)),
    }
    let client = client(shared, name, form)?;
    let scope = form.need("scope")?;
    let graph = [
        format!("{}/.default", shared.base),
        "https://graph.microsoft.com/.default".into(),
    ];
    if !graph.iter().any(|known| known == scope) {
        return Err(Refusal::new(
            "invalid_scope",
            1_002_012,
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier."
            ),
        ));
    }
    let now = Clock::system();
    let mut said = json!({
        "aud": "https://graph.microsoft.com",
        "iss": format!("https://sts.windows.net/{}/", shared.tenant),
        "iat": now.timestamp(),
        "exp": (now + TOKEN_LIFE).timestamp(),
        "appid": client.id,
        "idtyp": "app",
        "tid": shared.tenant,
    });
    if !client.permissions.is_empty() {
        said["roles"] = json!(client.permissions);
    }
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFE.num_seconds(),
        "ext_expires_in": TOKEN_LIFE.num_seconds(),
        "access_token": shared.sessions.put_bearer(&client.id, &said, now),
    }))
}

/// `GET /oidc/userinfo`
pub(crate) async fn user_info(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let token = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let Some((client, oid)) = token.and_then(|token| shared.sessions.person(token)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let world = shared.world();
    let user = world.users.get(&oid);
    Json(json!({
        "sub": claims::subject(&client, oid),
        "name": user.map(|user| &user.display_name),
        "email": user.and_then(|user| user.mail.as_ref()),
    }))
    .into_response()
}
