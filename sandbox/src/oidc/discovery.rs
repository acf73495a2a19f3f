//! The discovery document and the keys.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{Tenant, refusal::Refusal, tenant};
use crate::running::Shared;

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`
pub(crate) async fn discovery(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
) -> Response {
    let (segment, issuer) = match tenant(&shared, &name) {
        Tenant::Ours => (shared.tenant.to_string(), shared.issuer(shared.tenant)),
        Tenant::Any => (name, template(&shared)),
        Tenant::Unknown => return Refusal::unknown_tenant(&name).json(&shared.base),
    };
    let base = format!("{}/{segment}", shared.base);
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "end_session_endpoint": format!("{base}/oauth2/v2.0/logout"),
        "userinfo_endpoint": format!("{}/oidc/userinfo", shared.base),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "response_modes_supported": ["query"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "nbf", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "email",
        ],
        "request_uri_parameter_supported": false,
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "tenant_region_scope": "EU",
        "cloud_instance_name": "localhost",
        "cloud_graph_host_name": "localhost",
        "msgraph_host": "localhost",
        "rbac_url": shared.base,
    }))
    .into_response()
}

/// `GET /{tenant}/discovery/v2.0/keys`
pub(crate) async fn keys(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
    let issuer = match tenant(&shared, &name) {
        Tenant::Ours => shared.issuer(shared.tenant),
        Tenant::Any => template(&shared),
        Tenant::Unknown => return Refusal::unknown_tenant(&name).json(&shared.base),
    };
    let key = shared.keys.current().await;
    Json(json!({ "keys": [key.jwk(&issuer)] })).into_response()
}

fn template(shared: &Shared) -> String {
    format!("{}/{{tenantid}}/v2.0", shared.base)
}
