//! The claims of an ID token, as Entra v2.0 gives them.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Grant, TOKEN_LIFE, random_id};
use crate::{config::Client, directory::User, running::Shared};

/// More groups than this and a token says where to ask instead.
const MOST_GROUPS: usize = 200;

/// The stable id of a person at one application.
pub(crate) fn subject(client: &str, oid: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{client}\n{oid}")))
}

pub(crate) fn id_token(
    shared: &Shared,
    client: &Client,
    grant: &Grant,
    user: &User,
    now: DateTime<Utc>,
) -> Value {
    let tenant = user.foreign_tid.unwrap_or(shared.tenant);
    let at = now.timestamp();
    let has_scope = |scope: &str| grant.scope.split(' ').any(|held| held == scope);
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.into(), value);
    put("aud", json!(client.id));
    put("iss", json!(shared.issuer(tenant)));
    put("iat", json!(at));
    put("nbf", json!(at));
    put("exp", json!(at + TOKEN_LIFE.num_seconds()));
    put("auth_time", json!(at));
    put("sub", json!(subject(&client.id, user.id)));
    put("tid", json!(tenant));
    put("ver", json!("2.0"));
    put("uti", json!(URL_SAFE_NO_PAD.encode(random_id().as_bytes())));
    put("sid", json!(grant.sid));
    put(
        "login_hint",
        json!(URL_SAFE_NO_PAD.encode(&user.user_principal_name)),
    );
    put(
        "acct",
        json!(i32::from(user.user_type.as_deref() == Some("Guest"))),
    );
    if let Some(nonce) = &grant.nonce {
        put("nonce", json!(nonce));
    }
    if has_scope("profile") {
        put("name", json!(user.display_name));
        put("preferred_username", json!(user.user_principal_name));
        if !user.no_oid {
            put("oid", json!(user.id));
        }
    }
    if has_scope("email")
        && let Some(mail) = &user.mail
    {
        put("email", json!(mail));
    }
    if let Some(acrs) = &grant.acrs {
        put("acrs", json!([acrs]));
    }
    let world = shared.world();
    let roles = world.roles(user.id, &client.id).unwrap_or_default();
    if !roles.is_empty() {
        put("roles", json!(roles));
    }
    if client.groups_claim || user.overage {
        let groups = world.transitive_groups_of(user.id, Duration::ZERO);
        if user.overage || groups.len() > MOST_GROUPS {
            put("_claim_names", json!({ "groups": "src1" }));
            let endpoint = format!("{}/v1.0/users/{}/getMemberObjects", shared.base, user.id);
            put(
                "_claim_sources",
                json!({ "src1": { "endpoint": endpoint } }),
            );
        } else if !groups.is_empty() {
            put("groups", json!(groups));
        }
    }
    Value::Object(claims)
}
