//! The fresh sign-in for one thing that matters: to the provider and back, inside the session that began it. What it is for waits in
//! the database, typed out; `workflow::fresh` says whether it counts, and does it.

use std::sync::Arc;

use app::pages::fresh as pages;
use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{FreshId, person::AccountKey, refusal::FreshBar};
use tower_sessions::Session;
use workflow::{
    Error,
    access::Viewer,
    fresh::{self, SignedInAgain},
    people,
};

use super::{
    Failure, Identity, Wanted,
    flow::{self, Purpose, see_other},
    sha256,
};
use crate::{
    sessions::{ME, Me},
    web::{Caller, Portal, Problem},
};

/// What a sign-in under way is bound to.
pub(super) struct Bound {
    /// What waits for it.
    pub id: FreshId,
    /// Hash of the session that began it.
    pub session_hash: Option<Vec<u8>>,
}

/// `GET /sign-in/again/{id}`: sends whoever wants to do what matters to the provider, to prove anew that it is them.
pub async fn again(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    Extension(viewer): Extension<Option<Arc<Viewer>>>,
    session: Session,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(viewer) = viewer else {
        return see_other("/sign-in?return_to=/approvals");
    };
    let now = portal.workflow().clock().system_now();
    if !portal.sign_in_limiter().admits(caller.address, now) {
        return flow::too_many().into_response();
    }
    let Ok(id) = id.parse::<FreshId>() else {
        return nothing_waits();
    };
    let kept = match fresh::kept(portal.workflow(), &viewer, id).await {
        Ok(kept) => kept,
        Err(Error::Missing) => return nothing_waits(),
        Err(error) => return portal.failed(&caller, error),
    };
    let page = pages::back_to(&kept.act, id);
    if !kept.waits {
        return match give_up_if_late(&portal, &kept, id).await {
            Ok(()) => see_other(&page),
            Err(error) => portal.failed(&caller, error),
        };
    }
    let Some(hash) = session_hash(&session) else {
        return nothing_waits();
    };
    let me: Option<Me> = session.get(ME).await.ok().flatten();
    let hint = me.and_then(|me| me.login_hint);
    let wanted = Wanted::Fresh {
        context: kept.context.as_deref(),
        login_hint: hint.as_deref(),
    };
    let begun = match portal.provider().begin(wanted).await {
        Ok(begun) => begun,
        Err(failure) => return in_vain(&portal, &caller, id, &page, bar_of(&failure)).await,
    };
    let purpose = Purpose {
        fresh: Some((id, hash)),
        return_to: page,
    };
    flow::leave(&portal, &caller, &headers, begun, purpose).await
}

/// Back from the provider. The session stays whose it was: who signed in decides or does not, and becomes nobody else.
pub(super) async fn back(
    portal: &Portal,
    caller: &Caller,
    viewer: Option<&Viewer>,
    session: &Session,
    bound: &Bound,
    came: Result<Identity, Failure>,
) -> Response {
    let workflow = portal.workflow();
    let act = match fresh::act_of(workflow, bound.id).await {
        Ok(act) => act,
        Err(error) => return portal.failed(caller, error),
    };
    let page = pages::back_to(&act, bound.id);
    let viewer = viewer
        .filter(|_| bound.session_hash.is_some() && session_hash(session) == bound.session_hash);
    let Some(viewer) = viewer else {
        return in_vain(portal, caller, bound.id, &page, FreshBar::SessionOver).await;
    };
    let identity = match came {
        Ok(identity) => identity,
        Err(failure) => return in_vain(portal, caller, bound.id, &page, bar_of(&failure)).await,
    };
    let signed_in = SignedInAgain {
        account: AccountKey {
            tenant: identity.tenant,
            object: identity.object,
        },
        at: identity.signed_in_at,
        contexts: identity.contexts,
    };
    let stands = match fresh::carry_out(workflow, viewer, bound.id, &signed_in).await {
        Ok(stands) => stands,
        // Somebody else was first, or the seat is gone: the page says how it stands now.
        Err(Error::Stale | Error::Missing) => {
            return with_cookie_cleared(portal, see_other(&pages::page(&act)));
        }
        Err(error) => return portal.failed(caller, error),
    };
    if let Some(domain::Refusal::NoFreshSignIn { why }) = stands.first() {
        return refused(portal, caller, *why, &page).await;
    }
    if !stands.is_empty() {
        return with_cookie_cleared(portal, see_other(&page));
    }
    // What was known of the session before somebody proved anew who they are opens nothing any more.
    if let Err(error) = session.cycle_id().await {
        return portal.failed(caller, Error::Unavailable(error.to_string()));
    }
    let onward = pages::onward(workflow, viewer, &act).await;
    with_cookie_cleared(portal, see_other(&onward))
}

/// Whoever comes to sign in only after the time is up is told so on the page.
async fn give_up_if_late(portal: &Portal, kept: &fresh::Kept, id: FreshId) -> workflow::Result<()> {
    if kept.refusals.is_empty() {
        fresh::give_up(portal.workflow(), id, FreshBar::Late).await?;
    }
    Ok(())
}

/// Nothing is decided: notes why, and leads back to what was typed.
async fn in_vain(
    portal: &Portal,
    caller: &Caller,
    id: FreshId,
    page: &str,
    why: FreshBar,
) -> Response {
    match fresh::give_up(portal.workflow(), id, why).await {
        Ok(_) => refused(portal, caller, why, page).await,
        Err(error) => portal.failed(caller, error),
    }
}

async fn refused(portal: &Portal, caller: &Caller, why: FreshBar, page: &str) -> Response {
    let reason = match why {
        FreshBar::Cancelled => "fresh_cancelled",
        FreshBar::Unreachable => "fresh_unreachable",
        FreshBar::OtherPerson => "fresh_other_person",
        FreshBar::NotSatisfied => "fresh_not_satisfied",
        FreshBar::NotFresh => "fresh_not_fresh",
        FreshBar::Late => "fresh_late",
        FreshBar::SessionOver => "fresh_session_over",
    };
    match people::sign_in_refused(portal.workflow(), None, reason).await {
        Ok(()) => with_cookie_cleared(portal, see_other(page)),
        Err(error) => portal.failed(caller, error),
    }
}

fn bar_of(failure: &Failure) -> FreshBar {
    flow::reason(failure);
    match failure {
        Failure::Unreachable(_) | Failure::Misconfigured(_) => FreshBar::Unreachable,
        Failure::Denied { .. } => FreshBar::Cancelled,
        Failure::Token(_) => FreshBar::NotSatisfied,
    }
}

fn session_hash(session: &Session) -> Option<Vec<u8>> {
    session.id().map(|id| sha256(&id.to_string()))
}

fn with_cookie_cleared(portal: &Portal, mut answer: Response) -> Response {
    answer
        .headers_mut()
        .append(header::SET_COOKIE, portal.sessions().clear_sign_in());
    answer
}

fn nothing_waits() -> Response {
    Problem::new(
        StatusCode::NOT_FOUND,
        "There is no such page",
        "The address leads nowhere, or to something that you may not see.",
        "Start from the decisions that wait for you.",
    )
    .with_link("Decisions", "/approvals")
    .into_response()
}
