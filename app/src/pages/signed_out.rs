//! `/signed-out`: where signing out ends.

use axum::{
    Extension,
    extract::State as Given,
    response::{Html, IntoResponse, Response},
};
use leptos::prelude::*;

use crate::{
    render::{self, Head},
    state::{Nonce, State},
    ui::*,
};

/// The page, for anybody.
pub async fn show(Given(state): Given<State>, nonce: Option<Extension<Nonce>>) -> Response {
    let nonce = nonce.map_or_else(|| "".into(), |Extension(nonce)| nonce.0);
    let head = Head {
        title: "Signed out".into(),
        nonce,
        assets: state.assets.clone(),
    };
    Html(render::document(&head, page)).into_response()
}

fn page() -> impl IntoView {
    view! {
        <PlainPage>
            <div class="stack stack-4">
                <h1>"You are signed out"</h1>
                <p class="dim">"Your access stays as it is; only this browser has forgotten you."</p>
                <div class="btns"><LinkButton href="/sign-in" look=Look::Primary>"Sign in again"</LinkButton><LinkButton href="/sign-in?switch=1">"Use another account"</LinkButton></div>
            </div>
        </PlainPage>
    }
}
