//! The authorization endpoint: holds the request to Entra's rules, lets one pick a person, and sends them back.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::Value;
use uuid::Uuid;

use super::{CODE_LIFE, Grant, Tenant, page, random_id, refusal::Refusal, tenant};
use crate::{clock::Clock, config::Client, faults::Effects, running::Shared, uri};

/// Parameters that belong to the page and not to the request.
pub(super) const OWN: [&str; 3] = ["oid", "q", "cancel"];

/// An authorization request.
pub(super) struct Request {
    pub pairs: Vec<(String, String)>,
}

impl Request {
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

/// What the request is held to before anyone signs in, and who is told when it fails.
enum Failure {
    /// The person, because the application cannot be trusted with the answer.
    Person(Refusal),
    /// The application, at its redirect address.
    Application(Refusal),
}

/// `GET /{tenant}/oauth2/v2.0/authorize`
pub(crate) async fn authorize(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    Extension(effects): Extension<Effects>,
    RawQuery(query): RawQuery,
) -> Response {
    let request = Request {
        pairs: uri::pairs(&query.unwrap_or_default()),
    };
    let client = match check(&shared, &name, &request) {
        Ok(client) => client,
        Err(Failure::Person(refusal)) => return page::error(StatusCode::BAD_REQUEST, &refusal),
        Err(Failure::Application(refusal)) => {
            let description = refusal.description();
            return back(
                &request,
                &[
                    ("error", refusal.error),
                    ("error_description", &description),
                ],
            );
        }
    };
    if request.get("cancel").is_some() {
        let refusal = Refusal::new("access_denied", 65_004, "User declined to sign in.");
        let description = refusal.description();
        return back(
            &request,
            &[
                ("error", refusal.error),
                ("error_description", &description),
            ],
        );
    }
    match request.get("oid") {
        Some(oid) => sign_in(&shared, client, &request, oid, effects.context_unsatisfied),
        None => page::pick(&shared, client, &request),
    }
}

fn check<'s>(shared: &'s Shared, name: &str, request: &Request) -> Result<&'s Client, Failure> {
    let person = |error, code, why: &str| Failure::Person(Refusal::new(error, code, why));
    let application = |error, code, why: &str| Failure::Application(Refusal::new(error, code, why));
    match tenant(shared, name) {
        Tenant::Ours => {}
        Tenant::Any => {
            return Err(person(
                "invalid_request",
                50_194,
                "The application is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such applications.",
            ));
        }
        Tenant::Unknown => return Err(Failure::Person(Refusal::unknown_tenant(name))),
    }
    let id = request
        .get("client_id")
        .ok_or_else(|| Failure::Person(Refusal::missing("client_id")))?;
    let client = shared.client(id).ok_or_else(|| {
        Failure::Person(Refusal::unknown_client(
            id,
            &shared.world().organization.display_name,
        ))
    })?;
    let redirect_uri = request.get("redirect_uri").unwrap_or_default();
    if !client
        .redirect_uris
        .iter()
        .any(|known| known == redirect_uri)
    {
        return Err(person(
            "invalid_request",
            50_011,
            &format!(
                "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured for the application '{id}'."
            ),
        ));
    }
    match request.get("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err(application(
                "unsupported_response_type",
                700_054,
                "response_type is not enabled for the application.",
            ));
        }
        None => return Err(Failure::Application(Refusal::missing("response_type"))),
    }
    if !matches!(request.get("response_mode"), None | Some("query")) {
        return Err(application(
            "invalid_request",
            9_002_313,
            "Invalid request. The sandbox answers with response_mode=query only.",
        ));
    }
    let scope = request
        .get("scope")
        .ok_or_else(|| Failure::Application(Refusal::missing("scope")))?;
    if !scope.split(' ').any(|scope| scope == "openid") {
        return Err(application(
            "invalid_scope",
            70_011,
            "The provided request must include a 'scope' input parameter with 'openid'.",
        ));
    }
    // Entra asks this of browser applications; here everybody has to.
    match (
        request.get("code_challenge"),
        request.get("code_challenge_method"),
    ) {
        (None, _) => {
            return Err(application(
                "invalid_request",
                9_002_325,
                "Proof Key for Code Exchange is required for authorization code redemption.",
            ));
        }
        (Some(challenge), Some("S256")) if challenge.len() == 43 => {}
        (Some(_), Some("S256")) => {
            return Err(application(
                "invalid_request",
                501_491,
                "Invalid size of Code_Challenge or Code_Verifier parameter.",
            ));
        }
        (Some(_), _) => {
            return Err(application(
                "invalid_request",
                50_148,
                "The code_challenge_method must be S256.",
            ));
        }
    }
    if request.get("prompt") == Some("none") {
        return Err(application(
            "login_required",
            50_058,
            "A silent sign-in request was sent but no user is signed in.",
        ));
    }
    Ok(client)
}

fn sign_in(
    shared: &Shared,
    client: &Client,
    request: &Request,
    oid: &str,
    unsatisfied: bool,
) -> Response {
    let user = {
        let world = shared.world();
        Uuid::parse_str(oid)
            .ok()
            .and_then(|oid| world.users.get(&oid).cloned())
    };
    let refused = |code, why: String| {
        page::error(
            StatusCode::FORBIDDEN,
            &Refusal::new("access_denied", code, why),
        )
    };
    let Some(user) = user else {
        return refused(
            50_034,
            format!("The user account {oid} does not exist in the directory."),
        );
    };
    if !user.account_enabled {
        return refused(50_057, "The user account is disabled.".into());
    }
    if user.foreign_tid.is_none() && shared.world().roles(user.id, &client.id).is_none() {
        let why = format!(
            "The signed in user '{}' is not assigned to a role for the application '{}'.",
            user.user_principal_name, client.id
        );
        return refused(50_105, why);
    }
    let acrs = request
        .get("claims")
        .and_then(|claims| serde_json::from_str::<Value>(claims).ok());
    let acrs = acrs.and_then(|claims| {
        claims["id_token"]["acrs"]["value"]
            .as_str()
            .map(str::to_owned)
    });
    let acrs = acrs.filter(|_| !unsatisfied);
    let sid = random_id();
    let code = shared.sessions.put_code(Grant {
        client: client.id.clone(),
        redirect_uri: request.get("redirect_uri").unwrap_or_default().to_owned(),
        challenge: request.get("code_challenge").unwrap_or_default().to_owned(),
        nonce: request.get("nonce").map(str::to_owned),
        scope: request.get("scope").unwrap_or_default().to_owned(),
        acrs,
        oid: user.id,
        sid,
        expires: Clock::system() + CODE_LIFE,
    });
    back(
        request,
        &[("code", &code), ("session_state", &sid.to_string())],
    )
}

/// Sends the browser to the application.
fn back(request: &Request, pairs: &[(&str, &str)]) -> Response {
    let state = request.get("state").map(|state| ("state", state));
    let location = uri::with_query(
        request.get("redirect_uri").unwrap_or_default(),
        pairs.iter().copied().chain(state),
    );
    (
        StatusCode::FOUND,
        [("location", location), ("cache-control", "no-store".into())],
    )
        .into_response()
}
