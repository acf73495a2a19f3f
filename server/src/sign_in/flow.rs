//! The three routes of signing in and out.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{FreshId, person::AccountKey};
use serde::Deserialize;
use store::sessions::SignInRow;
use tower_sessions::Session;
use workflow::{
    access::Viewer,
    people::{self, SignIn, SignInRefusal, SignedIn},
};

use super::{
    Failure, Wanted, explain_refusal,
    fresh::{self, Bound},
    provider::Begun,
    secret, sha256,
};
use crate::{
    sessions::{ME, Me, SIGN_IN_LIFE},
    web::{Caller, Portal, Problem, cookies},
};

/// What `GET /sign-in` takes.
#[derive(Debug, Deserialize)]
pub struct StartQuery {
    #[serde(default)]
    return_to: String,
    /// Lets people choose another account.
    #[serde(default)]
    switch: Option<String>,
}

/// `GET /sign-in`: keeps state, nonce and verifier, binds them to this browser, and sends it to the provider.
pub async fn start(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<StartQuery>,
    headers: HeaderMap,
) -> Response {
    if !portal
        .sign_in_limiter()
        .admits(caller.address, portal.workflow().clock().system_now())
    {
        return too_many().into_response();
    }
    let wanted = match query.switch {
        Some(_) => Wanted::Switch,
        None => Wanted::SignIn,
    };
    let begun = match portal.provider().begin(wanted).await {
        Ok(begun) => begun,
        Err(failure) => return refused(&portal, &caller, &failure, None).await,
    };
    let purpose = Purpose {
        return_to: local_path(&query.return_to).to_owned(),
        fresh: None,
    };
    leave(&portal, &caller, &headers, begun, purpose).await
}

/// What a sign-in that is begun is for.
pub(super) struct Purpose {
    /// Where to go afterwards: a path of ours.
    pub return_to: String,
    /// What waits for it, and the hash of the session that it is bound to, if it is a fresh one for a decision.
    pub fresh: Option<(FreshId, Vec<u8>)>,
}

/// Keeps what was begun, binds it to this browser, and sends it to the provider.
pub(super) async fn leave(
    portal: &Portal,
    caller: &Caller,
    headers: &HeaderMap,
    begun: Begun,
    purpose: Purpose,
) -> Response {
    let sessions = portal.sessions();
    // Two tabs may sign in at once: both are bound to the same secret of this browser.
    let browser =
        cookies::value(headers, sessions.sign_in_cookie()).map_or_else(secret, ToOwned::to_owned);
    let (fresh_id, session_hash) = purpose.fresh.unzip();
    let row = SignInRow {
        browser_hash: sha256(&browser),
        nonce: begun.nonce,
        verifier: begun.verifier,
        return_to: purpose.return_to,
        expires_at: portal.workflow().clock().system_now() + SIGN_IN_LIFE,
        fresh_id,
        session_hash,
    };
    let kept = async {
        let mut tx = portal.workflow().store().begin().await?;
        tx.save_sign_in(&sha256(&begun.state), &row).await?;
        tx.commit().await
    };
    if let Err(error) = kept.await {
        return portal.failed(caller, error.into());
    }
    let mut answer = see_other(&begun.address);
    answer
        .headers_mut()
        .append(header::SET_COOKIE, sessions.set_sign_in(&browser));
    answer
}

/// What `GET /auth/callback` takes.
#[derive(Debug, Deserialize)]
pub struct CallbackQuery {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    #[serde(default)]
    error_description: String,
}

/// `GET /auth/callback`: takes the sign-in out, so that it works once, and only in the browser that began it; then the
/// code, the token, the person, and a session under a new secret.
pub async fn callback(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    Extension(viewer): Extension<Option<Arc<Viewer>>>,
    session: Session,
    Query(query): Query<CallbackQuery>,
    headers: HeaderMap,
) -> Response {
    let workflow = portal.workflow();
    let Some(state) = query.state.filter(|state| !state.is_empty()) else {
        return stale(&portal, &caller, "no_state").await;
    };
    // Nothing is looked up for somebody who cannot have begun a sign-in, and nothing is written before one was found: a
    // made-up address must not occupy the one transaction that writes.
    let Some(browser) = cookies::value(&headers, portal.sessions().sign_in_cookie()).map(sha256)
    else {
        return stale(&portal, &caller, "no_sign_in_begun").await;
    };
    let now = workflow.clock().system_now();
    if !portal.callback_limiter().admits(caller.address, now) {
        return too_many().into_response();
    }
    let state = sha256(&state);
    let found = async {
        let mut tx = workflow.store().read().await?;
        tx.sign_in(&state).await
    };
    match found.await {
        Err(error) => return portal.failed(&caller, error.into()),
        Ok(None) => return stale(&portal, &caller, "state_unknown_or_used").await,
        Ok(Some(row)) if row.expires_at <= now => {
            return stale(&portal, &caller, "state_too_old").await;
        }
        // Both sides are hashes of secrets, so the time that comparing takes says nothing.
        Ok(Some(row)) if row.browser_hash != browser => {
            return stale(&portal, &caller, "other_browser").await;
        }
        Ok(Some(_)) => {}
    }
    let taken = async {
        let mut tx = workflow.store().begin().await?;
        let row = tx.take_sign_in(&state).await?;
        tx.commit().await?;
        Ok::<_, store::Error>(row)
    };
    let row = match taken.await {
        Ok(Some(row)) => row,
        // The same address came twice at once.
        Ok(None) => return stale(&portal, &caller, "state_unknown_or_used").await,
        Err(error) => return portal.failed(&caller, error.into()),
    };
    let came = match (query.error, query.code) {
        (Some(error), _) => Err(Failure::Denied {
            error,
            description: query.error_description,
        }),
        (None, None) => return stale(&portal, &caller, "no_code").await,
        (None, Some(code)) => {
            let redeemed = portal.provider().redeem(code, row.verifier, &row.nonce);
            redeemed.await
        }
    };
    if let Some(id) = row.fresh_id {
        let bound = Bound {
            id,
            session_hash: row.session_hash,
        };
        return fresh::back(&portal, &caller, viewer.as_deref(), &session, &bound, came).await;
    }
    let identity = match came {
        Ok(identity) => identity,
        Err(failure) => return refused(&portal, &caller, &failure, None).await,
    };
    let signed_in = people::sign_in(
        workflow,
        SignedIn {
            tenant: identity.tenant,
            object: identity.object,
            name: identity.name,
            user_name: identity.user_name,
            mail: identity.mail,
            roles: Some(identity.roles),
            guest: identity.guest,
        },
    )
    .await;
    let (person, account) = match signed_in {
        Ok(SignIn::Welcome { person, account }) => (person, account),
        Ok(SignIn::Refused(why)) => return not_welcome(why).into_response(),
        Err(error) => return portal.failed(&caller, error),
    };
    let me = Me {
        person,
        account,
        login_hint: identity.login_hint,
    };
    if let Err(error) = begin_session(&session, &me).await {
        return portal.failed(&caller, error);
    }
    let mut answer = see_other(&row.return_to);
    answer
        .headers_mut()
        .append(header::SET_COOKIE, portal.sessions().clear_sign_in());
    answer
}

/// Ends what the browser had and begins anew: an id from before a sign-in is never valid after it, and nothing of an
/// earlier person stays.
async fn begin_session(session: &Session, me: &Me) -> workflow::Result<()> {
    let begun = async {
        session.clear().await;
        session.cycle_id().await?;
        session.insert(ME, me).await
    };
    begun
        .await
        .map_err(|error| workflow::Error::Unavailable(error.to_string()))
}

/// `POST /sign-out`: our session first, then the provider's.
pub async fn sign_out(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    session: Session,
) -> Response {
    let ended = async {
        let failed =
            |error: tower_sessions::session::Error| workflow::Error::Unavailable(error.to_string());
        let me: Option<Me> = session.get(ME).await.map_err(failed)?;
        session.flush().await.map_err(failed)?;
        if let Some(me) = &me {
            people::signed_out(portal.workflow(), me.person).await?;
        }
        Ok(me)
    };
    let me: Option<Me> = match ended.await {
        Ok(me) => me,
        Err(error) => return portal.failed(&caller, error),
    };
    let hint = me.and_then(|me| me.login_hint);
    let onward = portal.provider().end_session(hint.as_deref()).await;
    see_other(onward.as_deref().unwrap_or("/signed-out"))
}

/// Notes a refusal and shows its page. Anonymous ones are summed, so that nobody can flood the log.
async fn refused(
    portal: &Portal,
    caller: &Caller,
    failure: &Failure,
    key: Option<AccountKey>,
) -> Response {
    let reason = reason(failure);
    if let Err(error) = people::sign_in_refused(portal.workflow(), key, reason).await {
        return portal.failed(caller, error);
    }
    explain_refusal(failure)
        .with_link("Sign in again", "/sign-in?switch=1")
        .into_response()
}

/// Logs a failure and gives its word for the audit log.
pub(super) fn reason(failure: &Failure) -> &'static str {
    match failure {
        Failure::Unreachable(why) => {
            tracing::warn!(%why, "the sign-in provider does not answer");
            "provider_unreachable"
        }
        Failure::Misconfigured(why) => {
            tracing::error!(%why, "sign-in is not set up correctly");
            "provider_misconfigured"
        }
        Failure::Denied { error, description } => {
            tracing::info!(oauth.error = %error.escape_debug(), oauth.description = %description.escape_debug(),
                "the provider refused a sign-in");
            "provider_denied"
        }
        Failure::Token(fault) => {
            tracing::warn!(token.fault = fault.as_str(), "an ID token does not count");
            fault.as_str()
        }
    }
}

/// A callback that belongs to no sign-in of this browser.
async fn stale(portal: &Portal, caller: &Caller, reason: &'static str) -> Response {
    if let Err(error) = people::sign_in_refused(portal.workflow(), None, reason).await {
        return portal.failed(caller, error);
    }
    Problem::new(
        StatusCode::BAD_REQUEST,
        "This sign-in cannot be used any more",
        "It was used already, took longer than ten minutes, or was begun in another browser.",
        "Sign in again.",
    )
    .with_link("Sign in", "/sign-in")
    .into_response()
}

fn not_welcome(why: SignInRefusal) -> Problem {
    let (what, next) = match why {
        SignInRefusal::Left => (
            "According to the directory you do not work here any more.",
            "If that is wrong, ask HR or your service desk.",
        ),
        SignInRefusal::Stopped => (
            "Security has stopped your access for now.",
            "Talk to your security team. Your manager has been told.",
        ),
        SignInRefusal::Disabled => (
            "Your account is disabled.",
            "Ask your service desk. If you are about to start, your account may open on your first day.",
        ),
    };
    Problem::new(StatusCode::FORBIDDEN, "You were not signed in", what, next)
        .with_link("Sign in with another account", "/sign-in?switch=1")
}

pub(super) fn too_many() -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many sign-ins",
        "Many sign-ins came from your address within a minute.",
        "Wait a minute and try again.",
    )
}

/// Where to go after a sign-in: a path of ours, never another site.
fn local_path(wanted: &str) -> &str {
    // Browsers read `//host` and `/\host` as another site, and drop tabs and line ends while parsing.
    let local = wanted.starts_with('/')
        && !wanted.starts_with("//")
        && !wanted.contains('\\')
        && wanted.bytes().all(|byte| (0x21..0x7f).contains(&byte))
        && wanted.len() <= 1000
        && !["/sign-in", "/auth/", "/sign-out", "/signed-out"]
            .iter()
            .any(|ours| wanted.starts_with(ours));
    if local { wanted } else { "/" }
}

pub(super) fn see_other(address: &str) -> Response {
    let location = HeaderValue::from_str(address).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_ours_are_returned_to() {
        for ours in ["/", "/requests/lin_1?x=1#y", "/catalog?q=a%20b"] {
            assert_eq!(local_path(ours), ours);
        }
        for foreign in [
            "",
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/a b",
            "/a\nLocation: x",
            "javascript:alert(1)",
            "/sign-in",
            "/sign-out",
            "/auth/callback?code=1",
            "/\u{2215}evil",
        ] {
            assert_eq!(local_path(foreign), "/", "{foreign:?}");
        }
    }
}
